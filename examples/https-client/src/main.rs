//! Fetches all addresses that it is given, at once, and says what came.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Client;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let addresses: Vec<String> = std::env::args().skip(1).collect();
    ensure!(!addresses.is_empty(), "which addresses are to be fetched?");
    // One client for all: it keeps connections open, and knows the certificates.
    let client = Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(30))
        .build()?;
    let tasks: Vec<_> = addresses
        .into_iter()
        .map(|address| {
            let client = client.clone();
            tokio::spawn(async move { (fetch(&client, &address).await, address) })
        })
        .collect();
    let mut code = ExitCode::SUCCESS;
    for task in tasks {
        match task.await? {
            (Ok(said), address) => println!("{address}: {said}"),
            (Err(error), address) => {
                eprintln!("{address}: {error:#}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

async fn fetch(client: &Client, address: &str) -> Result<String> {
    let response = client.get(address).send().await?;
    let (version, status) = (response.version(), response.status());
    let body = response.bytes().await?;
    Ok(format!("{version:?} {status}, {} bytes", body.len()))
}
