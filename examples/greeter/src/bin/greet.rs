//! Calls the server: `greet http://127.0.0.1:50051 Ada`.

use anyhow::{Context as _, Result};
use greeter::greeter_client::GreeterClient;
use greeter::{CountDownRequest, GreetRequest};

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let address = words.next().context("greet ADDRESS NAME")?;
    let name = words.next().unwrap_or_default();
    let mut client = GreeterClient::connect(address).await?;

    match client.greet(GreetRequest { name }).await {
        Ok(reply) => println!("{}", reply.into_inner().text),
        Err(status) => println!("{:?}: {}", status.code(), status.message()),
    }
    let request = CountDownRequest { from: 3 };
    let mut replies = client.count_down(request).await?.into_inner();
    while let Some(reply) = replies.message().await? {
        println!("{}", reply.left);
    }
    Ok(())
}
