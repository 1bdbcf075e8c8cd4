//! Publishes through a redis server and prints what a subscriber receives.
//!
//! Usage: `pubsub ADDRESS CHANNEL MESSAGE...`

use mini_redis::{client, Result};
use tokio_stream::StreamExt;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(channel)) = (arguments.next(), arguments.next()) else {
        return Err("usage: pubsub ADDRESS CHANNEL MESSAGE...".into());
    };
    let messages: Vec<String> = arguments.collect();

    let subscriber = client::connect(&address).await?;
    let subscriber = subscriber.subscribe(vec![channel.clone()]).await?;
    let received = subscriber.into_stream().take(messages.len());

    let publisher = tokio::spawn(async move {
        let mut client = client::connect(&address).await.unwrap();
        for message in messages {
            let reached = client.publish(&channel, message.into()).await.unwrap();
            println!("published to {reached} subscriber(s)");
        }
    });

    tokio::pin!(received);
    while let Some(message) = received.next().await {
        let message = message?;
        let content = String::from_utf8_lossy(&message.content).into_owned();
        println!("received {content:?} on {:?}", message.channel);
    }
    publisher.await?;
    Ok(())
}
