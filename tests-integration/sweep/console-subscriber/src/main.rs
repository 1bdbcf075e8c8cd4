//! What tokio-console shows of a program: here the program asks itself, over gRPC.

use std::time::Duration;

use console_api::instrument::InstrumentRequest;
use console_api::instrument::instrument_client::InstrumentClient;
use console_subscriber::ConsoleLayer;
use tokio::net::TcpListener;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A port that is free.
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    // `init()` and `spawn()` serve it on a thread of their own; this is a future.
    let (layer, server) = ConsoleLayer::builder().server_addr(address).build();
    tracing_subscriber::registry().with(layer).init();
    tokio::spawn(async move { server.serve().await.expect("the console is served") });
    tokio::task::Builder::new().name("worker").spawn(async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })?;

    let mut client = loop {
        match InstrumentClient::connect(format!("http://{address}")).await {
            Ok(client) => break client,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let mut updates = client
        .watch_updates(InstrumentRequest {})
        .await?
        .into_inner();
    while let Some(update) = updates.message().await? {
        let tasks = update.task_update.map(|update| update.new_tasks);
        let shown = format!("{:?}", tasks.unwrap_or_default());
        if shown.contains("worker") {
            println!("the console shows the task `worker`");
            return Ok(());
        }
    }
    Err("the console ended".into())
}
