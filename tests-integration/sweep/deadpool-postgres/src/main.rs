use deadpool_postgres::{Config, Runtime};
use tokio_postgres::NoTls;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let mut config = Config::new();
    config.url = Some(format!("postgres://test:secret@{peer}/test"));
    let pool = config.create_pool(Some(Runtime::Tokio1), NoTls)?;
    let row = pool.get().await?.query_one("select 41 + 1", &[]).await?;
    println!("{}", row.get::<_, i32>(0));
    Ok(())
}
