#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let client = octocrab::Octocrab::builder()
        .base_uri(format!("http://{peer}"))?
        .build()?;
    println!("{}", client.repos("a", "b").get().await.is_err());
    Ok(())
}
