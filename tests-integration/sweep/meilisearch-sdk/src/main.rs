use meilisearch_sdk::client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let client = Client::new(format!("http://{peer}"), Some("key"))?;
    println!("{}", client.is_healthy().await);
    Ok(())
}
