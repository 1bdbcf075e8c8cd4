use thirtyfour::prelude::*;

#[tokio::main]
async fn main() {
    let driver = WebDriver::new("http://127.0.0.1:1", DesiredCapabilities::chrome()).await;
    println!("closed {}", driver.is_err());
}
