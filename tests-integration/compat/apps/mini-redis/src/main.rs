//! mini-redis: its server and its client in one program.

use std::time::Duration;

use mini_redis::client;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> mini_redis::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let stopping = async {
            let _ = stopping.await;
        };
        mini_redis::server::run(listener, stopping).await
    });
    let mut client = client::connect(address).await?;
    client.set("key", "value".into()).await?;
    println!("{:?}", client.get("key").await?);
    client
        .set_expires("brief", "x".into(), Duration::from_millis(50))
        .await?;
    tokio::time::sleep(Duration::from_millis(120)).await;
    println!("{:?}", client.get("brief").await?);
    let mut subscriber = client::connect(address)
        .await?
        .subscribe(vec!["news".into()])
        .await?;
    println!("{}", client.publish("news", "first".into()).await?);
    println!(
        "{:?}",
        subscriber
            .next_message()
            .await?
            .map(|message| message.content)
    );
    drop((client, subscriber));
    let _ = stop.send(());
    let _ = server.await?;
    println!("ended");
    Ok(())
}
