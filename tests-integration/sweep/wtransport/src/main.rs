use wtransport::{ClientConfig, Endpoint, Identity, ServerConfig};

#[tokio::main]
async fn main() {
    let identity = Identity::self_signed(["localhost", "127.0.0.1"]).unwrap();
    let config = ServerConfig::builder()
        .with_bind_address("127.0.0.1:0".parse().unwrap())
        .with_identity(identity)
        .build();
    let server = Endpoint::server(config).unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        let connection = server.accept().await.await.unwrap().accept().await.unwrap();
        let (mut send, mut recv) = connection.accept_bi().await.unwrap();
        let mut text = [0; 5];
        recv.read_exact(&mut text).await.unwrap();
        send.write_all(&text).await.unwrap();
        send.finish().await.unwrap();
        connection.closed().await;
    });
    let config = ClientConfig::builder()
        .with_bind_address("127.0.0.1:0".parse().unwrap())
        .with_no_cert_validation()
        .build();
    let client = Endpoint::client(config).unwrap();
    let connection = client
        .connect(format!("https://127.0.0.1:{port}"))
        .await
        .unwrap();
    let (mut send, mut recv) = connection.open_bi().await.unwrap().await.unwrap();
    send.write_all(b"hello").await.unwrap();
    let mut text = [0; 5];
    recv.read_exact(&mut text).await.unwrap();
    println!("{}", String::from_utf8_lossy(&text));
}
