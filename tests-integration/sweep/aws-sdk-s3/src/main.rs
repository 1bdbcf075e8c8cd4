use aws_config::BehaviorVersion;
use aws_sdk_s3::config::{Credentials, Region};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "row"))
        .endpoint_url(format!("http://{peer}"))
        .load()
        .await;
    let client = aws_sdk_s3::Client::new(&config);
    let error = client.list_buckets().send().await.unwrap_err();
    println!(
        "{:?}",
        error.raw_response().map(|response| response.status())
    );
    Ok(())
}
