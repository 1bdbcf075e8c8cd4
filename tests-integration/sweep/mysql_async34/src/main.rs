use mysql_async::prelude::Queryable as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let pool = mysql_async::Pool::new(format!("mysql://test:secret@{peer}/test").as_str());
    let mut connection = pool.get_conn().await?;
    println!(
        "{:?}",
        connection.query_first::<i64, _>("select 41 + 1").await?
    );
    drop(connection);
    pool.disconnect().await?;
    Ok(())
}
