use tokio::net::TcpStream;
use tokio_retry::Retry;
use tokio_retry::strategy::{ExponentialBackoff, jitter};

#[tokio::main]
async fn main() {
    let strategy = ExponentialBackoff::from_millis(5).map(jitter).take(3);
    let connected = Retry::spawn(strategy, || TcpStream::connect("127.0.0.1:1")).await;
    println!("closed {:?}", connected.map(drop));
}
