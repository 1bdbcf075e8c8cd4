use bollard::{API_DEFAULT_VERSION, Docker};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let docker = Docker::connect_with_http("http://127.0.0.1:1", 4, API_DEFAULT_VERSION)?;
    println!("closed {}", docker.version().await.is_err());
    Ok(())
}
