//! Sends back whatever comes in, on any number of connections at once.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

/// How long open connections may go on after Ctrl-C.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:7000");
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    println!("listening on {}", listener.local_addr()?);

    let connections = TaskTracker::new();
    tokio::select! {
        () = accept(&listener, &connections) => {}
        stop = tokio::signal::ctrl_c() => stop?,
    }

    // Nobody new is let in; those who are here may finish.
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait())
        .await
        .is_err()
    {
        eprintln!("{} connections were still open", connections.len());
    }
    Ok(())
}

/// Serves every connection in a task of its own.
async fn accept(listener: &TcpListener, connections: &TaskTracker) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                connections.spawn(async move {
                    if let Err(error) = echo(stream).await {
                        eprintln!("{peer}: {error}");
                    }
                });
            }
            // Too many open connections, for one: there will be fewer.
            Err(error) => {
                eprintln!("cannot accept: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn echo(mut stream: TcpStream) -> std::io::Result<u64> {
    let (mut reader, mut writer) = stream.split();
    tokio::io::copy(&mut reader, &mut writer).await
}
