use sqlx::{Row as _, postgres::PgPoolOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    for mode in ["disable", "require"] {
        let url = format!("postgres://test:secret@{peer}/test?sslmode={mode}");
        let pool = PgPoolOptions::new()
            .max_connections(3)
            .connect(&url)
            .await?;
        let row = sqlx::query(
            "select $1::int8 + 1, (select ssl from pg_stat_ssl where pid = pg_backend_pid())",
        )
        .bind(41i64)
        .fetch_one(&pool)
        .await?;
        println!("{} ssl={}", row.get::<i64, _>(0), row.get::<bool, _>(1));
    }
    Ok(())
}
