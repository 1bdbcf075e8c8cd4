use mail_send::{SmtpClientBuilder, mail_builder::MessageBuilder};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (peer, _) = listener.accept().await.unwrap();
        let mut peer = BufReader::new(peer);
        peer.write_all(b"220 ready\r\n").await.unwrap();
        let (mut line, mut data, mut subject) = (String::new(), false, String::new());
        while peer.read_line(&mut line).await.unwrap() > 0 {
            let word = line.trim_end().to_owned();
            line.clear();
            let answer = match word.split([' ', ':']).next().unwrap() {
                "Subject" => {
                    subject = word;
                    continue;
                }
                "." => {
                    data = false;
                    "250 taken"
                }
                _ if data => continue,
                "DATA" => {
                    data = true;
                    "354 go on"
                }
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            peer.write_all(format!("{answer}\r\n").as_bytes())
                .await
                .unwrap();
            if word == "QUIT" {
                break;
            }
        }
        subject
    });
    let message = MessageBuilder::new()
        .from(("One", "one@example.com"))
        .to(vec![("Two", "two@example.com")])
        .subject("Hi!")
        .text_body("Hello world!");
    let builder = SmtpClientBuilder::new("127.0.0.1", port).implicit_tls(false);
    let mut client = builder.connect_plain().await.unwrap();
    client.send(message).await.unwrap();
    client.quit().await.unwrap();
    println!("{}", server.await.unwrap());
}
