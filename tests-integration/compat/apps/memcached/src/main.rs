//! A memcached client: `memcached ADDRESS`.

use std::error::Error;

use async_memcached::{AsciiProtocol, Client};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("no address")?;
    let mut client = Client::new(format!("tcp://{address}")).await?;
    client.set("key", "value", None, None).await?;
    let value = client.get("key").await?.ok_or("no value")?;
    println!(
        "{}",
        String::from_utf8_lossy(value.data.as_deref().unwrap_or_default())
    );
    client.set("counter", "5", None, None).await?;
    println!("{}", client.increment("counter", 7).await?);
    let keys: Vec<String> = (0..20).map(|n| format!("k{n}")).collect();
    for key in &keys {
        client.set(key, key, None, None).await?;
    }
    println!("{}", client.get_multi(&keys).await?.len());
    let large = "x".repeat(500_000);
    client.set("large", &large, None, None).await?;
    println!(
        "{}",
        client
            .get("large")
            .await?
            .ok_or("no value")?
            .data
            .map_or(0, |data| data.len())
    );
    client.delete("key").await?;
    println!("{}", client.get("key").await?.is_none());
    Ok(())
}
