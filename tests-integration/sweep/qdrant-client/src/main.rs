#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = qdrant_client::Qdrant::from_url("http://127.0.0.1:1").build()?;
    println!("closed {:?}", client.list_collections().await.err());
    Ok(())
}
