use sea_orm::{ConnectionTrait as _, Database};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Database::connect("sqlite::memory:").await?;
    let made = db
        .execute_unprepared("create table t as select 41 as a")
        .await?;
    println!("{}", made.rows_affected());
    Ok(())
}
