//! A redis client: `redis ADDRESS`.

use std::error::Error;

use futures_util::StreamExt;
use redis::AsyncCommands;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("no address")?;
    let client = redis::Client::open(format!("redis://{address}/"))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let () = connection.set("key", "value").await?;
    let value: String = connection.get("key").await?;
    println!("get {value}");
    let (a, b): (i64, i64) = redis::pipe()
        .atomic()
        .incr("counter", 5)
        .incr("counter", 7)
        .query_async(&mut connection)
        .await?;
    println!("pipeline {a} {b}");
    let mut tasks = Vec::new();
    for n in 0..50_u32 {
        let mut connection = connection.clone();
        tasks.push(tokio::spawn(async move {
            let () = connection.set(format!("n{n}"), n).await?;
            connection.get::<_, u32>(format!("n{n}")).await
        }));
    }
    let mut sum = 0;
    for task in tasks {
        sum += task.await??;
    }
    println!("multiplexed {sum}");
    let large = "x".repeat(1 << 20);
    let () = connection.set("large", &large).await?;
    println!(
        "large {}",
        connection.get::<_, String>("large").await? == large
    );

    let mut messages = client.get_async_pubsub().await?;
    messages.subscribe("news").await?;
    let receivers: u32 = connection.publish("news", "first").await?;
    println!("published to {receivers}");
    let message = messages.on_message().next().await.ok_or("no message")?;
    println!("received {}", message.get_payload::<String>()?);
    let wrong: Result<i64, _> = connection.incr("key", 1).await;
    println!("{}", wrong.unwrap_err());
    Ok(())
}
