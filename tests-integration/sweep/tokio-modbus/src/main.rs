use tokio_modbus::prelude::*;

#[tokio::main]
async fn main() {
    let address = "127.0.0.1:1".parse().unwrap();
    println!("closed {:?}", tcp::connect(address).await.map(drop));
}
