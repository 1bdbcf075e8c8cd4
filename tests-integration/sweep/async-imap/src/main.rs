use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"* OK ready\r\n").await.unwrap();
        let mut bytes = [0; 200];
        let length = stream.read(&mut bytes).await.unwrap();
        let tag = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let tag = tag.split(' ').next().unwrap_or_default();
        let refused = format!("{tag} NO not you\r\n");
        stream.write_all(refused.as_bytes()).await.unwrap();
        // The command comes in several writes; who closes before the last one resets it.
        while stream.read(&mut bytes).await.is_ok_and(|length| length > 0) {}
    });
    let mut client = async_imap::Client::new(TcpStream::connect(address).await?);
    println!("{}", client.read_response().await?.is_some());
    let refused = client.login("a", "b").await.map_err(|(error, _)| error);
    println!("{}", refused.err().ok_or("let in")?);
    Ok(())
}
