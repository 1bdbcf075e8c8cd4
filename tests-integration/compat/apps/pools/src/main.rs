//! Connection pools: `pools deadpool-redis|bb8-redis|deadpool-postgres ADDRESS`.

use std::error::Error;
use std::time::Duration;

use deadpool_postgres::{ManagerConfig, RecyclingMethod};
use tokio_postgres::NoTls;

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

async fn bb8_redis(address: &str) -> Done {
    use bb8_redis::redis::AsyncCommands;
    let manager = bb8_redis::RedisConnectionManager::new(format!("redis://{address}/"))?;
    let pool = bb8::Pool::builder()
        .max_size(3)
        .connection_timeout(Duration::from_millis(500))
        .build(manager)
        .await?;
    let mut tasks = Vec::new();
    for n in 0..30_u32 {
        let pool = pool.clone();
        tasks.push(tokio::spawn(async move {
            let mut connection = pool.get().await?;
            let () = connection.set(format!("b{n}"), n).await?;
            Done::Ok(connection.get::<_, u32>(format!("b{n}")).await?)
        }));
    }
    let mut sum = 0;
    for task in tasks {
        sum += task.await??;
    }
    println!(
        "sum {sum}, at most 3 connections: {}",
        pool.state().connections <= 3
    );
    let (_a, _b, _c) = (pool.get().await?, pool.get().await?, pool.get().await?);
    println!("{:?}", pool.get().await.err().ok_or("a fourth connection")?);
    Ok(())
}

async fn deadpool_redis(address: &str) -> Done {
    use deadpool_redis::redis::AsyncCommands;
    let config = deadpool_redis::Config::from_url(format!("redis://{address}/"));
    let pool = config
        .builder()?
        .max_size(3)
        .wait_timeout(Some(Duration::from_millis(300)))
        .runtime(deadpool_redis::Runtime::Tokio1)
        .build()?;
    let mut tasks = Vec::new();
    for n in 0..30_u32 {
        let pool = pool.clone();
        tasks.push(tokio::spawn(async move {
            let mut connection = pool.get().await?;
            let () = connection.set(format!("d{n}"), n).await?;
            Done::Ok(connection.get::<_, u32>(format!("d{n}")).await?)
        }));
    }
    let mut sum = 0;
    for task in tasks {
        sum += task.await??;
    }
    println!(
        "sum {sum}, at most 3 connections: {}",
        pool.status().size <= 3
    );
    let (_a, _b, _c) = (pool.get().await?, pool.get().await?, pool.get().await?);
    println!("{}", pool.get().await.err().ok_or("a fourth connection")?);
    Ok(())
}

async fn deadpool_postgres(address: &str) -> Done {
    let (host, port) = address.split_once(':').ok_or("no port")?;
    let mut config = deadpool_postgres::Config::new();
    config.host = Some(host.to_owned());
    config.port = Some(port.parse()?);
    config.user = Some("test".to_owned());
    config.password = Some("secret".to_owned());
    config.dbname = Some("test".to_owned());
    config.manager = Some(ManagerConfig {
        recycling_method: RecyclingMethod::Verified,
    });
    let pool = config.create_pool(Some(deadpool_postgres::Runtime::Tokio1), NoTls)?;
    let mut tasks = Vec::new();
    for n in 0..30_i32 {
        let pool = pool.clone();
        tasks.push(tokio::spawn(async move {
            let client = pool.get().await?;
            let statement = client.prepare_cached("SELECT $1::int + 1").await?;
            Done::Ok(client.query_one(&statement, &[&n]).await?.get::<_, i32>(0))
        }));
    }
    let mut sum = 0;
    for task in tasks {
        sum += task.await??;
    }
    println!("sum {sum}");
    Ok(())
}

#[tokio::main]
async fn main() -> Done {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [which, address] = args.as_slice() else {
        return Err("usage: pools WHICH ADDRESS".into());
    };
    match which.as_str() {
        "bb8-redis" => bb8_redis(address).await,
        "deadpool-redis" => deadpool_redis(address).await,
        "deadpool-postgres" => deadpool_postgres(address).await,
        _ => Err("no such pool".into()),
    }
}
