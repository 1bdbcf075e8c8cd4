use std::time::Duration;

use rskafka::client::ClientBuilder;

#[tokio::main]
async fn main() {
    let client = ClientBuilder::new(vec!["127.0.0.1:1".to_owned()]).build();
    let client = tokio::time::timeout(Duration::from_secs(3), client).await;
    println!("closed, tried again and again: {}", client.is_err());
}
