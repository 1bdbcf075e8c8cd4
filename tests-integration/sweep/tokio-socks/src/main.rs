use tokio_socks::tcp::Socks5Stream;

#[tokio::main]
async fn main() {
    let closed = Socks5Stream::connect("127.0.0.1:1", "example.org:80").await;
    println!("closed: {:?}", closed.err());
}
