use opensearch::{OpenSearch, http::transport::Transport};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let client = OpenSearch::new(Transport::single_node(&format!("http://{peer}"))?);
    println!("{}", client.info().send().await?.status_code());
    Ok(())
}
