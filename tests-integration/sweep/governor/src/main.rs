use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::{Quota, RateLimiter};

#[tokio::main]
async fn main() {
    let burst = NonZeroU32::new(10).unwrap();
    let limiter = RateLimiter::direct(Quota::per_second(burst));
    let started = Instant::now();
    for _ in 0..12 {
        limiter.until_ready().await;
    }
    println!("waited {}", started.elapsed() >= Duration::from_millis(150));
}
