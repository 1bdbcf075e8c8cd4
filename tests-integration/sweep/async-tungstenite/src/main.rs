use async_tungstenite::tokio::{accept_async, connect_async};
use async_tungstenite::tungstenite::Message;
use futures::StreamExt as _;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (peer, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(peer).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    });
    let (mut socket, answer) = connect_async(format!("ws://{address}/")).await.unwrap();
    println!("{}", answer.status());
    socket.send(Message::text("hello")).await.unwrap();
    println!("{}", socket.next().await.unwrap().unwrap());
    socket.close(None).await.unwrap();
}
