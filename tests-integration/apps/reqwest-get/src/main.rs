//! Fetches a URL and prints the status, the headers and the body; with a name,
//! posts it as JSON first and prints the answer.
//!
//! Usage: `reqwest-get URL [NAME]`

use std::collections::BTreeMap;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: reqwest-get URL [NAME]")?;
    let client = reqwest::Client::new();
    let request = match arguments.next() {
        Some(name) => client.post(url).json(&BTreeMap::from([("name", name)])),
        None => client.get(url),
    };
    let response = request.send().await?;
    println!("{:?} {}", response.version(), response.status());
    for (name, value) in response.headers() {
        println!("{name}: {}", value.to_str()?);
    }
    println!();
    print!("{}", response.text().await?);
    Ok(())
}
