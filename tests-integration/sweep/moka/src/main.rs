use std::time::Duration;

use moka::future::Cache;

#[tokio::main]
async fn main() {
    let cache: Cache<String, i32> = Cache::builder()
        .max_capacity(10)
        .time_to_live(Duration::from_millis(500))
        .build();
    for i in 0..100 {
        cache.insert(i.to_string(), i).await;
    }
    cache.run_pending_tasks().await;
    println!("entries {}", cache.entry_count());
    let made = cache.get_with("x".into(), async { 42 }).await;
    println!("made {made}");
    tokio::time::sleep(Duration::from_millis(700)).await;
    println!("expired {:?}", cache.get("x").await);
}
