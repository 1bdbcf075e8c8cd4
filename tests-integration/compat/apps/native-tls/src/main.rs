//! OpenSSL, by way of native-tls and of reqwest's default features; and the
//! certificates that the machine trusts. Those of the test are in the working directory.
//!
//! * `native-tls alone`: client and server, a refusal, the machine's authorities;
//! * `native-tls client ADDRESS`: asks a foreign server.

use std::error::Error;

use native_tls::{Certificate, Identity, TlsAcceptor, TlsConnector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// What came back from an echo over TLS, or why nothing did.
async fn echo(authority: &str) -> Done<String> {
    let identity =
        Identity::from_pkcs8(&std::fs::read("server.pem")?, &std::fs::read("server.key")?)?;
    let acceptor = tokio_native_tls::TlsAcceptor::from(TlsAcceptor::new(identity)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut stream = acceptor.accept(stream).await?;
        let mut word = [0; 5];
        stream.read_exact(&mut word).await?;
        stream.write_all(&word).await?;
        stream.shutdown().await?;
        Done::Ok(())
    });
    let root = Certificate::from_pem(&std::fs::read(authority)?)?;
    let connector = TlsConnector::builder().add_root_certificate(root).build()?;
    let connector = tokio_native_tls::TlsConnector::from(connector);
    let stream = TcpStream::connect(address).await?;
    let mut stream = connector.connect("localhost", stream).await?;
    stream.write_all(b"hello").await?;
    let mut back = String::new();
    stream.read_to_string(&mut back).await?;
    serving.await??;
    Ok(back)
}

async fn alone() -> Done {
    println!("{}", echo("ca.pem").await?);
    println!(
        "other authority is refused: {}",
        echo("other-ca.pem").await.is_err()
    );
    let found = rustls_native_certs::load_native_certs();
    println!(
        "authorities: {}, errors: {}",
        found.certs.len(),
        found.errors.len()
    );
    if found.certs.is_empty() {
        return Err("the machine trusts nobody".into());
    }
    Ok(())
}

async fn client(address: &str) -> Done {
    let root = reqwest::Certificate::from_pem(&std::fs::read("ca.pem")?)?;
    let url = format!("https://{address}/");
    let client = reqwest::Client::builder()
        .add_root_certificate(root)
        .build()?;
    let answer = client.get(&url).send().await?;
    println!("{}", answer.status());
    let page = answer.text().await?;
    println!("TLS 1.3: {}", page.contains("TLSv1.3"));
    println!("unknown authority: {}", reqwest::get(&url).await.is_err());
    Ok(())
}

#[tokio::main]
async fn main() -> Done {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["alone"] => alone().await,
        ["client", address] => client(address).await,
        _ => Err("usage: native-tls alone | client ADDRESS".into()),
    }
}
