use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut stream = TimeoutStream::new(TcpStream::connect(address).await.unwrap());
    stream.set_read_timeout(Some(Duration::from_millis(30)));
    let mut stream = Box::pin(stream);
    let (mut peer, _) = listener.accept().await.unwrap();
    let mut byte = [0];
    println!(
        "{:?}",
        stream.read(&mut byte).await.map_err(|error| error.kind())
    );
    peer.write_all(b"x").await.unwrap();
    println!(
        "{:?}",
        stream.read(&mut byte).await.map_err(|error| error.kind())
    );
}
