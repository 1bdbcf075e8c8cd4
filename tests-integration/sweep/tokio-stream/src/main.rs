use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::{IntervalStream, TcpListenerStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let client = tokio::spawn(async move { TcpStream::connect(address).await });
    let mut incoming = TcpListenerStream::new(listener);
    println!("{}", incoming.next().await.is_some());
    client.await??;
    let ticks = IntervalStream::new(tokio::time::interval(Duration::from_millis(10)));
    println!("{}", ticks.take(3).collect::<Vec<_>>().await.len());
    Ok(())
}
