use async_memcached::Client;

#[tokio::main]
async fn main() {
    let client = Client::new("tcp://127.0.0.1:1").await;
    println!("closed {}", client.is_err());
}
