use redis::AsyncCommands as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (peer, tls) = (
        args.next().unwrap_or_default(),
        args.next().unwrap_or_default(),
    );
    let client = redis::Client::open(format!("redis://{peer}/"))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let _: () = connection.set("key", 42).await?;
    println!("{}", connection.get::<_, i64>("key").await?);
    let client = redis::Client::open(format!("rediss://{tls}/"))?;
    println!(
        "untrusted {}",
        client.get_multiplexed_async_connection().await.is_err()
    );
    Ok(())
}
