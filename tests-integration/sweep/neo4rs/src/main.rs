use neo4rs::{Graph, query};
use std::time::Duration;

#[tokio::main]
async fn main() {
    let graph = Graph::new("127.0.0.1:1", "neo4j", "neo").await;
    let answer = async {
        match graph {
            Ok(graph) => graph.run(query("RETURN 1")).await.is_ok(),
            Err(_) => false,
        }
    };
    match tokio::time::timeout(Duration::from_secs(3), answer).await {
        Ok(done) => println!("done {done}"),
        Err(_) => println!("it tries again"),
    }
}
