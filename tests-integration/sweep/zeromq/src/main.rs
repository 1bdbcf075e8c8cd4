use zeromq::{RepSocket, ReqSocket, Socket as _, SocketRecv as _, SocketSend as _};

#[tokio::main]
async fn main() {
    let mut server = RepSocket::new();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    tokio::spawn(async move {
        loop {
            let request: String = server.recv().await.unwrap().try_into().unwrap();
            server
                .send(format!("{request} world").into())
                .await
                .unwrap();
        }
    });
    let mut client = ReqSocket::new();
    client.connect(&endpoint.to_string()).await.unwrap();
    client.send("hello".into()).await.unwrap();
    let answer: String = client.recv().await.unwrap().try_into().unwrap();
    println!("{answer}");
}
