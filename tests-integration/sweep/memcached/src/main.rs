use async_memcached::{AsciiProtocol, Client, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let address = std::env::args().nth(1).unwrap_or_default();
    let mut client = Client::new(format!("tcp://{address}")).await?;
    client.set("key", "value", None, None).await?;
    println!("{}", client.get("key").await?.is_some());
    Ok(())
}
