use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_native_tls::native_tls::{Certificate, TlsConnector};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();
    let authority = Certificate::from_pem(&std::fs::read("ca.pem")?)?;
    let connector = TlsConnector::builder()
        .add_root_certificate(authority)
        .build()?;
    let connector = tokio_native_tls::TlsConnector::from(connector);
    let mut stream = connector
        .connect("localhost", TcpStream::connect(&peer).await?)
        .await?;
    stream.write_all(b"GET /hello HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    println!("{:?}", answer.lines().last());
    Ok(())
}
