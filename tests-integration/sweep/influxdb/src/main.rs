use influxdb::Client;

#[tokio::main]
async fn main() {
    let client = Client::new("http://127.0.0.1:1", "test");
    println!("closed {}", client.ping().await.is_err());
}
