use redb::{Database, ReadableDatabase as _, TableDefinition};

const TABLE: TableDefinition<&str, u64> = TableDefinition::new("t");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Database::create("t.redb")?;
    let write = db.begin_write()?;
    write.open_table(TABLE)?.insert("key", 42)?;
    write.commit()?;
    let read = db.begin_read()?;
    println!(
        "{:?}",
        read.open_table(TABLE)?
            .get("key")?
            .map(|value| value.value())
    );
    Ok(())
}
