use diesel::sql_types::Integer;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let url = format!("postgres://test:secret@{peer}/test");
    let mut connection = AsyncPgConnection::establish(&url).await?;
    let sum: i32 = diesel::select(diesel::dsl::sql::<Integer>("41 + 1"))
        .get_result(&mut connection)
        .await?;
    println!("{sum}");
    Ok(())
}
