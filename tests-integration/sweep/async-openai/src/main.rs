use async_openai::{Client, config::OpenAIConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();
    let config = OpenAIConfig::new()
        .with_api_base(format!("http://{peer}/v1"))
        .with_api_key("x");
    let client = Client::with_config(config);
    println!("{}", client.models().list().await.is_err());
    Ok(())
}
