use zbus::connection::Builder;

#[tokio::main]
async fn main() {
    let connection = Builder::address("tcp:host=127.0.0.1,port=1").build();
    println!("closed {}", connection.await.is_err());
}
