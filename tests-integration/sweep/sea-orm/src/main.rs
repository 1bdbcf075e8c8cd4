use sea_orm::{ConnectionTrait as _, Database};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let db = Database::connect(format!("postgres://test:secret@{peer}/test")).await?;
    db.ping().await?;
    let made = db
        .execute_unprepared("create temp table t as select 41 as a")
        .await?;
    println!("{}", made.rows_affected());
    Ok(())
}
