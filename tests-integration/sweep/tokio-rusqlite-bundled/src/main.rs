use tokio_rusqlite::{Connection, rusqlite};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = Connection::open_in_memory().await?;
    let sum = connection
        .call(|connection| {
            connection.execute("create table t(a)", [])?;
            connection.execute("insert into t values (41)", [])?;
            connection.query_row("select a + 1 from t", [], |row| row.get::<_, i64>(0))
        })
        .await
        .map_err(|error: tokio_rusqlite::Error<rusqlite::Error>| error)?;
    println!("{sum}");
    Ok(())
}
