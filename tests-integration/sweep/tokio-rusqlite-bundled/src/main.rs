use tokio_rusqlite::{Connection, Error, rusqlite};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = Connection::open_in_memory().await?;
    connection
        .call(|connection| connection.execute_batch("create table t(a)"))
        .await?;

    let mut tasks = tokio::task::JoinSet::new();
    for a in 0..8 {
        let connection = connection.clone();
        tasks.spawn(async move {
            connection
                .call(move |connection| connection.execute("insert into t values (?1)", [a]))
                .await
        });
    }
    while let Some(inserted) = tasks.join_next().await {
        inserted??;
    }

    let sum = connection
        .call(|connection| connection.query_row("select sum(a) from t", [], |row| row.get(0)))
        .await
        .map(|sum: i64| sum);
    println!("{}", sum?);

    let other = connection.clone();
    connection.close().await?;
    let after = other
        .call(|connection| connection.execute("insert into t values (9)", []))
        .await;
    println!(
        "closed {}",
        matches!(
            after,
            Err::<_, Error<rusqlite::Error>>(Error::ConnectionClosed)
        )
    );
    Ok(())
}
