use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", "127.0.0.1:1")
        .set("message.timeout.ms", "2000")
        .create()?;
    let record = FutureRecord::to("t").payload("x").key("k");
    println!(
        "closed {}",
        producer.send(record, Duration::from_secs(2)).await.is_err()
    );
    Ok(())
}
