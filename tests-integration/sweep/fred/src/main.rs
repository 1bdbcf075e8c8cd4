use fred::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let client = Builder::from_config(Config::from_url(&format!("redis://{peer}"))?).build()?;
    client.init().await?;
    client
        .set::<(), _, _>("fred", 42, None, None, false)
        .await?;
    println!("{:?}", client.get::<Option<i64>, _>("fred").await?);
    client.quit().await?;
    Ok(())
}
