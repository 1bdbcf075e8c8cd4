use zbus::connection::Builder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = Builder::address("tcp:host=127.0.0.1,port=1")?.build().await;
    println!("closed {}", connection.is_err());
    Ok(())
}
