use scylla::client::session_builder::SessionBuilder;

#[tokio::main]
async fn main() {
    let session = SessionBuilder::new()
        .known_node("127.0.0.1:1")
        .build()
        .await;
    println!("closed {:?}", session.err());
}
