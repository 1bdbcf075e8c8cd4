#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let options = sentry::ClientOptions::default();
    let guard = sentry::init((format!("http://abc@{peer}/1"), options));
    sentry::capture_message("hello", sentry::Level::Info);
    println!(
        "flushed {}",
        guard.flush(Some(std::time::Duration::from_secs(5)))
    );
    Ok(())
}
