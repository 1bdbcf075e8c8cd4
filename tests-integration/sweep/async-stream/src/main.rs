use std::time::Duration;

use async_stream::stream;
use futures::{StreamExt as _, pin_mut};

#[tokio::main]
async fn main() {
    let numbers = stream! {
        for n in 0..3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            yield n;
        }
    };
    pin_mut!(numbers);
    while let Some(n) = numbers.next().await {
        println!("{n}");
    }
}
