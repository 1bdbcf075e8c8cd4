use lapin::{Connection, ConnectionProperties};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connect = Connection::connect("amqp://127.0.0.1:1/%2f", ConnectionProperties::default());
    let connected = tokio::time::timeout(std::time::Duration::from_secs(20), connect).await?;
    println!("closed {}", connected.is_err());
    Ok(())
}
