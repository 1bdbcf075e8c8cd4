//! A reqwest client of an nginx: `reqwest URL`, or `reqwest URL ca.pem`.

use std::error::Error;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Certificate, Client};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let url = args.first().ok_or("no URL")?;
    // Needed for plain HTTP too: the builder sets TLS up.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .cookie_store(true)
        .timeout(Duration::from_secs(10));
    let ca = match args.get(1) {
        Some(file) => Some(Certificate::from_pem(&std::fs::read(file)?)?),
        None => None,
    };
    builder = builder.tls_certs_only(ca.clone());
    let client = builder.build()?;

    let response = client.get(format!("{url}/hello")).send().await?;
    println!(
        "{} {:?} {:?}",
        response.status(),
        response.version(),
        response.text().await?
    );
    let json: serde_json::Value = client
        .get(format!("{url}/json"))
        .send()
        .await?
        .json()
        .await?;
    println!("json {json}");
    let long = client.get(format!("{url}/long.txt")).send().await?;
    println!("gzip {}", long.text().await?.len());
    let moved = client.get(format!("{url}/moved")).send().await?;
    let path = moved.url().path().to_owned();
    println!("moved to {path} {:?}", moved.text().await?);
    client.get(format!("{url}/set-cookie")).send().await?;
    let cookie = client.get(format!("{url}/show-cookie")).send().await?;
    println!("cookie {:?}", cookie.text().await?);
    let mut stream = client
        .get(format!("{url}/large.bin"))
        .send()
        .await?
        .bytes_stream();
    let mut total = 0;
    while let Some(chunk) = stream.next().await {
        total += chunk?.len();
    }
    println!("streamed {total}");
    let absent = client.get(format!("{url}/absent")).send().await?;
    println!(
        "{} {:?}",
        absent.status(),
        absent.error_for_status().is_err()
    );

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let silent = format!("http://{}/", listener.local_addr()?);
    let error = client
        .get(silent)
        .timeout(Duration::from_millis(200))
        .send()
        .await
        .unwrap_err();
    println!("timeout {}", error.is_timeout());
    if args.len() > 1 {
        let strict = Client::builder().tls_certs_only(None).build()?;
        let refused = strict.get(format!("{url}/hello")).send().await.unwrap_err();
        println!(
            "unknown issuer {}",
            format!("{refused:?}").contains("UnknownIssuer")
        );
    }
    Ok(())
}
