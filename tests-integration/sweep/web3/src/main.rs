#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let transport = web3::transports::Http::new(&format!("http://{peer}"))?;
    println!(
        "{}",
        web3::Web3::new(transport)
            .eth()
            .block_number()
            .await
            .is_err()
    );
    Ok(())
}
