use reqwest_middleware::ClientBuilder;
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let policy = ExponentialBackoff::builder().build_with_max_retries(1);
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(RetryTransientMiddleware::new_with_policy(policy))
        .build();
    println!(
        "{}",
        client
            .get(format!("http://{peer}/hello"))
            .send()
            .await?
            .text()
            .await?
    );
    println!(
        "closed {}",
        client.get("http://127.0.0.1:1/").send().await.is_err()
    );
    Ok(())
}
