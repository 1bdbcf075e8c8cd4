use futures::StreamExt as _;
use reqwest_eventsource::{Event, EventSource};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        peer.read(&mut request).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        peer.write_all(head.as_bytes()).await.unwrap();
        for number in 1..=3 {
            peer.write_all(format!("event: tick\ndata: {number}\n\n").as_bytes())
                .await
                .unwrap();
        }
    });
    let mut events = EventSource::get(format!("http://{address}/"));
    let mut ticks = 0;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Open) => println!("open"),
            Ok(Event::Message(message)) => {
                println!("{} {}", message.event, message.data);
                ticks += 1;
                if ticks == 3 {
                    events.close();
                }
            }
            Err(error) => println!("{error}"),
        }
    }
}
