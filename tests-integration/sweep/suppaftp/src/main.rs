use suppaftp::tokio::AsyncFtpStream;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    println!(
        "closed {}",
        AsyncFtpStream::connect("127.0.0.1:1").await.is_err()
    );

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (peer, _) = listener.accept().await.unwrap();
        let mut peer = BufReader::new(peer);
        peer.write_all(b"220 ready\r\n").await.unwrap();
        let mut line = String::new();
        while peer.read_line(&mut line).await.unwrap() > 0 {
            let answer = match line.split_whitespace().next().unwrap() {
                "USER" => "331 password please",
                "PASS" => "230 welcome",
                "PWD" => "257 \"/home\" is the folder",
                _ => "221 bye",
            };
            peer.write_all(format!("{answer}\r\n").as_bytes())
                .await
                .unwrap();
            line.clear();
        }
    });
    let mut ftp = AsyncFtpStream::connect(address).await.unwrap();
    ftp.login("user", "secret").await.unwrap();
    println!("{}", ftp.pwd().await.unwrap());
    ftp.quit().await.unwrap();
}
