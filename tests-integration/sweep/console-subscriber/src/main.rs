#[tokio::main]
async fn main() {
    console_subscriber::init();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    println!("up");
}
