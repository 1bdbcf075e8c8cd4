#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (peer, tls) = (
        args.next().unwrap_or_default(),
        args.next().unwrap_or_default(),
    );
    let response = reqwest::get(format!("http://{peer}/hello")).await?;
    println!("http {} {}", response.status(), response.text().await?);
    let authority = reqwest::Certificate::from_pem(&std::fs::read("ca.pem")?)?;
    let client = reqwest::Client::builder()
        .add_root_certificate(authority)
        .build()?;
    let response = client.get(format!("https://{tls}/hello")).send().await?;
    println!("https {} {}", response.status(), response.text().await?);
    let untrusted = reqwest::get(format!("https://{tls}/hello")).await;
    println!("untrusted {}", untrusted.unwrap_err().is_connect());
    let closed = reqwest::get("http://127.0.0.1:1/").await;
    println!("closed {}", closed.unwrap_err().is_connect());
    Ok(())
}
