use fantoccini::ClientBuilder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let closed = ClientBuilder::native().connect("http://127.0.0.1:1").await;
    println!("closed {}", closed.is_err());

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut peer, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            peer.read(&mut request).await.unwrap();
            let body = r#"{"value":{"sessionId":"7","capabilities":{}}}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            peer.write_all((head + body).as_bytes()).await.unwrap();
        }
    });
    let client = ClientBuilder::native()
        .connect(&format!("http://{address}"))
        .await
        .unwrap();
    println!("session {:?}", client.session_id().await.unwrap());
}
