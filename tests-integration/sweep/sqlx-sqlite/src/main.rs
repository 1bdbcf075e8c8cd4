use futures::TryStreamExt as _;
use sqlx::{Row as _, sqlite::SqlitePoolOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _ = std::fs::remove_file("app.db");
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        .connect("sqlite://app.db?mode=rwc")
        .await?;
    sqlx::query("create table t(a integer)")
        .execute(&pool)
        .await?;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let pool = pool.clone();
        tasks.spawn(async move {
            for a in 0..20 {
                sqlx::query("insert into t values (?)")
                    .bind(task * 20 + a)
                    .execute(&pool)
                    .await
                    .unwrap();
            }
        });
    }
    tasks.join_all().await;
    let mut transaction = pool.begin().await?;
    sqlx::query("delete from t")
        .execute(&mut *transaction)
        .await?;
    drop(transaction);
    let mut transaction = pool.begin().await?;
    sqlx::query("insert into t values (1000)")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    let mut sum = 0;
    let mut rows = sqlx::query("select t.a from t, t as s").fetch(&pool);
    while let Some(row) = rows.try_next().await? {
        sum += row.get::<i64, _>(0);
    }
    drop(rows);
    println!("{sum}");
    pool.close().await;
    Ok(())
}
