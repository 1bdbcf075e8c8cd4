#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = tiberius::Config::new();
    config.host("127.0.0.1");
    config.port(1);
    let stream = tokio::net::TcpStream::connect(config.get_addr()).await;
    println!("closed {:?}", stream.err());
    Ok(())
}
