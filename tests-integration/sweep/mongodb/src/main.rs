#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1500";
    let client = mongodb::Client::with_uri_str(uri).await?;
    println!("closed {}", client.list_database_names().await.is_err());
    Ok(())
}
