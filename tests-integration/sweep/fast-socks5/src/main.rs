use fast_socks5::client::{Config, Socks5Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut hello = [0; 3];
        peer.read_exact(&mut hello).await.unwrap();
        peer.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 10];
        peer.read_exact(&mut request).await.unwrap();
        peer.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80])
            .await
            .unwrap();
        let mut text = [0; 5];
        peer.read_exact(&mut text).await.unwrap();
        peer.write_all(&text).await.unwrap();
    });
    let mut stream = Socks5Stream::connect(address, "10.1.2.3".to_owned(), 80, Config::default())
        .await
        .unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut text = [0; 5];
    stream.read_exact(&mut text).await.unwrap();
    println!("{}", String::from_utf8_lossy(&text));
}
