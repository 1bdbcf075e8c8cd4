//! tokio-rustls with ring. The certificates are in the working directory.
//!
//! * `rustls alone`: client and server, mutual TLS, resumption, refusals;
//! * `rustls client ADDRESS`: asks a foreign server;
//! * `rustls server`: echoes lines, prints its address.

use std::error::Error;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn certificates(file: &str) -> Done<Vec<CertificateDer<'static>>> {
    Ok(CertificateDer::pem_slice_iter(&std::fs::read(file)?).collect::<Result<_, _>>()?)
}

fn key(file: &str) -> Done<PrivateKeyDer<'static>> {
    Ok(PrivateKeyDer::from_pem_slice(&std::fs::read(file)?)?)
}

fn roots(file: &str) -> Done<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate)?;
    }
    Ok(roots)
}

fn server_config(wants_client: bool) -> Done<Arc<ServerConfig>> {
    let builder = match wants_client {
        true => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots("ca.pem")?)).build()?;
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
        false => ServerConfig::builder().with_no_client_auth(),
    };
    Ok(Arc::new(builder.with_single_cert(
        certificates("server.pem")?,
        key("server.key")?,
    )?))
}

fn client_config(ca: &str, with_certificate: bool) -> Done<Arc<ClientConfig>> {
    let builder = ClientConfig::builder().with_root_certificates(roots(ca)?);
    Ok(Arc::new(match with_certificate {
        true => builder.with_client_auth_cert(certificates("client.pem")?, key("client.key")?)?,
        false => builder.with_no_client_auth(),
    }))
}

/// One connection; gives what came back and how the handshake went.
async fn ask(
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    name: &'static str,
) -> Done<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut stream = TlsAcceptor::from(server).accept(stream).await?;
        let mut word = [0; 5];
        stream.read_exact(&mut word).await?;
        stream.write_all(&word).await?;
        stream.shutdown().await?;
        Done::Ok(stream.get_ref().1.peer_certificates().is_some())
    });
    let stream = TcpStream::connect(address).await?;
    let mut stream = TlsConnector::from(client)
        .connect(ServerName::try_from(name)?, stream)
        .await?;
    stream.write_all(b"hello").await?;
    let mut back = String::new();
    stream.read_to_string(&mut back).await?;
    let connection = stream.get_ref().1;
    let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
    let version = connection.protocol_version().ok_or("no version")?;
    let known = serving.await??;
    Ok(format!(
        "{back} {version:?}, client known {known}, resumed {resumed}"
    ))
}

async fn alone() -> Done {
    let (server, client) = (server_config(false)?, client_config("ca.pem", false)?);
    println!(
        "{}",
        ask(server.clone(), client.clone(), "localhost").await?
    );
    println!("{}", ask(server.clone(), client, "localhost").await?);
    println!(
        "{}",
        ask(
            server_config(true)?,
            client_config("ca.pem", true)?,
            "localhost"
        )
        .await?
    );
    let nobody = ask(
        server_config(true)?,
        client_config("ca.pem", false)?,
        "localhost",
    )
    .await;
    println!("no client certificate: {}", nobody.unwrap_err());
    let other = ask(
        server.clone(),
        client_config("other-ca.pem", false)?,
        "localhost",
    )
    .await;
    println!("other authority: {}", other.unwrap_err());
    let name = ask(server, client_config("ca.pem", false)?, "example.com").await;
    println!(
        "wrong name: {}",
        name.unwrap_err().to_string().contains("not valid for name")
    );
    Ok(())
}

async fn client(address: &str) -> Done {
    let stream = TcpStream::connect(address).await?;
    let connector = TlsConnector::from(client_config("ca.pem", false)?);
    let mut stream = connector
        .connect(ServerName::try_from("localhost")?, stream)
        .await?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    println!("{}", page.lines().next().ok_or("nothing came back")?);
    println!(
        "{:?}",
        stream.get_ref().1.protocol_version().ok_or("no version")?
    );
    Ok(())
}

async fn server() -> Done {
    let acceptor = TlsAcceptor::from(server_config(false)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(acceptor.accept(stream).await?);
            let mut line = String::new();
            while lines.read_line(&mut line).await? > 0 {
                lines.write_all(line.to_uppercase().as_bytes()).await?;
                lines.flush().await?;
                line.clear();
            }
            Done::Ok(())
        });
    }
}

#[tokio::main]
async fn main() -> Done {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["alone"] => alone().await,
        ["client", address] => client(address).await,
        ["server"] => server().await,
        _ => Err("usage: rustls alone | client ADDRESS | server".into()),
    }
}
