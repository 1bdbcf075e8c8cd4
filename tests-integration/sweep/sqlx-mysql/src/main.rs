use sqlx::mysql::MySqlPool;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let pool = MySqlPool::connect(&format!("mysql://test:secret@{peer}/test")).await?;
    let (sum,): (i64,) = sqlx::query_as("select 41 + 1").fetch_one(&pool).await?;
    println!("{sum}");
    Ok(())
}
