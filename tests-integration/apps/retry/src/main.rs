//! A client that tries again until its server is there. backon takes a browser's timers
//! on every wasm32.

use std::time::Duration;

use backon::{ConstantBuilder, Retryable as _};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // A port where nobody listens, for now.
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let server = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let listener = TcpListener::bind(address).await?;
        listener.accept().await
    });
    let pauses = ConstantBuilder::default()
        .with_delay(Duration::from_millis(20))
        .with_max_times(500);
    let mut refused = 0;
    let connect = || TcpStream::connect(address);
    let notify = |_: &std::io::Error, _: Duration| refused += 1;
    connect.retry(pauses).notify(notify).await?;
    server.await??;
    println!("connected, refused before: {}", refused > 0);
    Ok(())
}
