use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let https = hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()?
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(https);
    let mut args = std::env::args().skip(1);
    let (peer, tls) = (
        args.next().unwrap_or_default(),
        args.next().unwrap_or_default(),
    );
    let response = client.get(format!("http://{peer}/hello").parse()?).await?;
    println!(
        "{} {:?}",
        response.status(),
        response.into_body().collect().await?.to_bytes()
    );
    let untrusted = client.get(format!("https://{tls}/hello").parse()?).await;
    println!("untrusted {}", untrusted.unwrap_err().is_connect());
    Ok(())
}
