#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse()?)?;
    println!("{}", endpoint.local_addr()?.ip());
    let _http = |connection: quinn::Connection| h3_quinn::Connection::new(connection);
    Ok(())
}
