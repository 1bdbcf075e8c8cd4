use bb8_redis::redis::AsyncCommands as _;
use bb8_redis::{RedisConnectionManager, bb8};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let manager = RedisConnectionManager::new(format!("redis://{peer}"))?;
    let pool = bb8::Pool::builder().max_size(2).build(manager).await?;
    let mut connection = pool.get().await?;
    let _: () = connection.set("bb8", 42).await?;
    println!("{}", connection.get::<_, i64>("bb8").await?);
    Ok(())
}
