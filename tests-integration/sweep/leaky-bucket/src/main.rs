use leaky_bucket::RateLimiter;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() {
    let limiter = RateLimiter::builder()
        .initial(2)
        .refill(1)
        .interval(Duration::from_millis(20))
        .build();
    let start = Instant::now();
    for _ in 0..5 {
        limiter.acquire_one().await;
    }
    println!(
        "three waited {}",
        start.elapsed() >= Duration::from_millis(50)
    );
    println!("left {}", limiter.balance());
}
