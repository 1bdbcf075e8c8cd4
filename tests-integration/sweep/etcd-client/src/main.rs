#[tokio::main]
async fn main() {
    let client = etcd_client::Client::connect(["127.0.0.1:1"], None).await;
    let answer = match client {
        Ok(mut client) => client.get("a", None).await.err(),
        Err(error) => Some(error),
    };
    println!("closed {answer:?}");
}
