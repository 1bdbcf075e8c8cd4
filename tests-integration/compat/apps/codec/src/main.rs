//! tokio-util and tokio-stream: framed TCP and UDP, cancellation, a delay queue.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::codec::{BytesCodec, Framed, LengthDelimitedCodec, LinesCodec};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::time::DelayQueue;
use tokio_util::udp::UdpFramed;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let (tasks, stopping) = (tracker.clone(), stop.clone());
    tracker.spawn(async move {
        let mut incoming = TcpListenerStream::new(listener);
        while let Some(Some(Ok(stream))) = stopping.run_until_cancelled(incoming.next()).await {
            tasks.spawn(async move {
                let mut frames = Framed::new(stream, LengthDelimitedCodec::new());
                while let Some(Ok(frame)) = frames.next().await {
                    if frames.send(frame.freeze()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    let mut frames = Framed::new(
        TcpStream::connect(address).await?,
        LengthDelimitedCodec::new(),
    );
    for size in [0, 1, 100_000] {
        frames.send(Bytes::from(vec![1; size])).await?;
        println!("frame {}", frames.next().await.ok_or("no frame")??.len());
    }
    drop(frames);
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    println!("stopped");

    let (near, far) = tokio::io::duplex(16);
    let mut lines = Framed::new(near, LinesCodec::new());
    let mut others = Framed::new(far, LinesCodec::new());
    let sending =
        tokio::spawn(async move { lines.send("a line that is longer than the buffer").await });
    println!("{:?}", others.next().await.ok_or("no line")??);
    sending.await??;

    let (one, two) = (
        UdpSocket::bind("127.0.0.1:0").await?,
        UdpSocket::bind("127.0.0.1:0").await?,
    );
    let to = two.local_addr()?;
    let (mut one, mut two) = (
        UdpFramed::new(one, BytesCodec::new()),
        UdpFramed::new(two, BytesCodec::new()),
    );
    one.send((Bytes::from_static(b"datagram"), to)).await?;
    println!("{:?}", two.next().await.ok_or("no datagram")??.0);

    let mut queue = DelayQueue::new();
    for delay in [30, 10, 20] {
        queue.insert(delay, Duration::from_millis(delay));
    }
    while let Some(due) = queue.next().await {
        println!("due {}", due.into_inner());
    }
    Ok(())
}
