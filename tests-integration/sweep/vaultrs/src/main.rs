use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vaultrs::client::{VaultClient, VaultClientSettingsBuilder};

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        peer.read(&mut request).await.unwrap();
        let body = r#"{"request_id":"","lease_id":"","renewable":false,"lease_duration":0,"data":{"data":{"key":"value"},"metadata":{"created_time":"2026-01-01T00:00:00Z","deletion_time":"","destroyed":false,"version":1}},"wrap_info":null,"warnings":null,"auth":null}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        peer.write_all((head + body).as_bytes()).await.unwrap();
    });
    for address in ["http://127.0.0.1:1".to_owned(), format!("http://{address}")] {
        let settings = VaultClientSettingsBuilder::default()
            .address(&address)
            .token("token")
            .build()
            .unwrap();
        let client = VaultClient::new(settings).unwrap();
        let secret: Result<std::collections::HashMap<String, String>, _> =
            vaultrs::kv2::read(&client, "secret", "app").await;
        println!("{:?}", secret.ok());
    }
}
