use sqlx::{Row as _, sqlite::SqlitePoolOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await?;
    sqlx::query("create table t(a integer)")
        .execute(&pool)
        .await?;
    sqlx::query("insert into t values (41)")
        .execute(&pool)
        .await?;
    let row = sqlx::query("select a + 1 from t").fetch_one(&pool).await?;
    println!("{}", row.get::<i64, _>(0));
    Ok(())
}
