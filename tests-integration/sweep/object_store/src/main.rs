use object_store::{ObjectStoreExt as _, aws::AmazonS3Builder, path::Path};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let store = AmazonS3Builder::new()
        .with_endpoint(format!("http://{peer}"))
        .with_allow_http(true)
        .with_region("us-east-1")
        .with_bucket_name("b")
        .with_access_key_id("a")
        .with_secret_access_key("b")
        .build()?;
    println!("{}", store.get(&Path::from("absent")).await.is_err());
    Ok(())
}
