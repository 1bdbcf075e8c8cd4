use backon::{ExponentialBuilder, Retryable as _};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() {
    let connect = || TcpStream::connect("127.0.0.1:1");
    let delays = ExponentialBuilder::default().with_min_delay(std::time::Duration::from_millis(5));
    println!("closed {:?}", connect.retry(delays).await.map(drop));
}
