use deadpool_redis::{Config, Runtime, redis::cmd};

#[tokio::main]
async fn main() {
    let closed = Config::from_url("redis://127.0.0.1:1")
        .create_pool(Some(Runtime::Tokio1))
        .unwrap();
    println!("closed {}", closed.get().await.is_err());

    let peer = std::env::args().nth(1).unwrap_or_default();
    let pool = Config::from_url(format!("redis://{peer}"))
        .create_pool(Some(Runtime::Tokio1))
        .unwrap();
    let mut connection = pool.get().await.unwrap();
    cmd("SET")
        .arg(&["deadpool", "42"])
        .query_async::<()>(&mut connection)
        .await
        .unwrap();
    let value: String = cmd("GET")
        .arg("deadpool")
        .query_async(&mut connection)
        .await
        .unwrap();
    println!("value {value}");
}
