use google_cloud_storage::client::Storage;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let client = Storage::builder()
        .with_endpoint(format!("http://{peer}"))
        .with_credentials(google_cloud_auth::credentials::anonymous::Builder::new().build())
        .build()
        .await?;
    let object = client.read_object("projects/_/buckets/b", "o").send().await;
    println!("{}", object.is_err());
    Ok(())
}
