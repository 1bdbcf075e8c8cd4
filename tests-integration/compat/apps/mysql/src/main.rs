//! A mysql_async client: `mysql mysql://…`.

use std::error::Error;

use mysql_async::prelude::*;
use mysql_async::{params, Pool, TxOpts};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("no URL")?;
    let pool = Pool::new(url.as_str());
    let mut connection = pool.get_conn().await?;
    "CREATE TEMPORARY TABLE people (name text, age int)"
        .ignore(&mut connection)
        .await?;
    "INSERT INTO people VALUES (:name, :age)"
        .with((0..100).map(|n| params! { "name" => format!("person {n}"), "age" => n }))
        .batch(&mut connection)
        .await?;
    let oldest: Vec<(String, i32)> = "SELECT name, age FROM people ORDER BY age DESC LIMIT 2"
        .fetch(&mut connection)
        .await?;
    println!("{oldest:?}");
    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
    "UPDATE people SET age = 0".ignore(&mut transaction).await?;
    println!("affected {}", transaction.affected_rows());
    transaction.rollback().await?;
    let sum: Option<i64> = connection
        .query_first("SELECT CAST(SUM(age) AS SIGNED) FROM people")
        .await?;
    println!("sum {sum:?}");
    let mut tasks = Vec::new();
    for n in 0..20_u32 {
        let pool = pool.clone();
        tasks.push(tokio::spawn(async move {
            let mut connection = pool.get_conn().await?;
            connection
                .exec_first::<u32, _, _>("SELECT ? + 1", (n,))
                .await
        }));
    }
    let mut total = 0;
    for task in tasks {
        total += task.await??.unwrap_or_default();
    }
    println!("pooled {total}");
    println!(
        "{}",
        "SELECT wrong".ignore(&mut connection).await.unwrap_err()
    );
    drop(connection);
    pool.disconnect().await?;
    Ok(())
}
