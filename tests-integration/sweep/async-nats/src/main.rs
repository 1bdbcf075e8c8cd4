use futures::StreamExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let client = async_nats::connect(format!("nats://{peer}")).await?;
    let mut messages = client.subscribe("a").await?;
    client.publish("a", "hello".into()).await?;
    client.flush().await?;
    println!("{:?}", messages.next().await.ok_or("no message")?.payload);
    println!(
        "closed {}",
        async_nats::connect("127.0.0.1:1").await.is_err()
    );
    Ok(())
}
