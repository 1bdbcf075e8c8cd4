use alloy::providers::{Provider as _, ProviderBuilder};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let provider = ProviderBuilder::new().connect_http(format!("http://{peer}").parse()?);
    println!("{}", provider.get_block_number().await.is_err());
    Ok(())
}
