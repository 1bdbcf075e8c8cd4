use futures::StreamExt as _;
use stream_cancel::{StreamExt as _, Tripwire};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (trigger, tripwire) = Tripwire::new();
    let server = tokio::spawn(async move {
        let mut incoming = TcpListenerStream::new(listener).take_until_if(tripwire);
        let mut count = 0;
        while let Some(Ok(mut peer)) = incoming.next().await {
            peer.write_all(b"hello").await.unwrap();
            count += 1;
        }
        count
    });
    for _ in 0..3 {
        let mut text = String::new();
        TcpStream::connect(address)
            .await
            .unwrap()
            .read_to_string(&mut text)
            .await
            .unwrap();
        println!("{text}");
    }
    drop(trigger);
    println!("served {}", server.await.unwrap());
}
