//! sqlx: `sqlx postgres://…` or `sqlx mysql://…`.

use std::error::Error;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Row, SqlStr};

fn migrations() -> Migrator {
    let sql =
        SqlStr::from_static("CREATE TABLE people (name varchar(50) PRIMARY KEY, age int NOT NULL)");
    let first = Migration::new(1, "people".into(), MigrationType::Simple, sql, false);
    Migrator {
        migrations: vec![first].into(),
        ..Migrator::DEFAULT
    }
}

macro_rules! exercise {
    ($pool:expr, $insert:expr, $database:ty) => {{
        let pool = $pool;
        migrations().run(&pool).await?;
        // Once more: nothing is left to do.
        migrations().run(&pool).await?;
        let mut transaction = pool.begin().await?;
        for (name, age) in [("Ada", 36), ("Grace", 85)] {
            sqlx::query($insert)
                .bind(name)
                .bind(age)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        let mut undone = pool.begin().await?;
        sqlx::query($insert)
            .bind("Nobody")
            .bind(0)
            .execute(&mut *undone)
            .await?;
        undone.rollback().await?;
        let rows = sqlx::query("SELECT name, age FROM people ORDER BY age")
            .fetch_all(&pool)
            .await?;
        for row in rows {
            println!(
                "{} {}",
                row.try_get::<String, _>(0)?,
                row.try_get::<i32, _>(1)?
            );
        }
        let mut tasks = Vec::new();
        for n in 0..20_i32 {
            let pool = pool.clone();
            tasks.push(tokio::spawn(async move {
                let sql = AssertSqlSafe(format!("SELECT {n} + 1"));
                let row = sqlx::query(sql).fetch_one(&pool).await?;
                row.try_get::<i32, _>(0)
                    .or_else(|_| row.try_get::<i64, _>(0).map(|n| n as i32))
            }));
        }
        let mut sum = 0;
        for task in tasks {
            sum += task.await??;
        }
        println!("pooled {sum}");
        let twice = sqlx::query($insert)
            .bind("Ada")
            .bind(1)
            .execute(&pool)
            .await
            .unwrap_err();
        let twice = twice
            .into_database_error()
            .ok_or("no error of the server's")?;
        println!("unique {}", twice.is_unique_violation());
        pool.close().await;
    }};
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("no URL")?;
    if url.starts_with("mysql") {
        let pool = MySqlPoolOptions::new()
            .max_connections(3)
            .connect(&url)
            .await?;
        exercise!(pool, "INSERT INTO people VALUES (?, ?)", sqlx::MySql);
    } else {
        let pool = PgPoolOptions::new()
            .max_connections(3)
            .connect(&url)
            .await?;
        let row = sqlx::query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            .fetch_one(&pool)
            .await?;
        println!("encrypted {}", row.try_get::<bool, _>(0)?);
        exercise!(pool, "INSERT INTO people VALUES ($1, $2)", sqlx::Postgres);
    }
    Ok(())
}
