#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let client = matrix_sdk::Client::builder()
        .homeserver_url(format!("http://{peer}"))
        .build()
        .await?;
    println!("{}", client.server_versions().await.is_err());
    Ok(())
}
