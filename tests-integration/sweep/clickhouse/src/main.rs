#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let client = clickhouse::Client::default().with_url(format!("http://{peer}"));
    println!(
        "{}",
        client.query("select 1").fetch_one::<u8>().await.is_err()
    );
    Ok(())
}
