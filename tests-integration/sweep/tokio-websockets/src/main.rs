use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_websockets::{ClientBuilder, Message, ServerBuilder};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (_, mut socket) = ServerBuilder::new().accept(stream).await.unwrap();
        let message = socket.next().await.unwrap().unwrap();
        socket.send(message).await.unwrap();
    });
    let uri = format!("ws://{address}").parse()?;
    let stream = TcpStream::connect(address).await?;
    let (mut socket, _) = ClientBuilder::from_uri(uri).connect_on(stream).await?;
    socket.send(Message::text("hello")).await?;
    println!("{:?}", socket.next().await.ok_or("no answer")??.as_text());
    Ok(())
}
