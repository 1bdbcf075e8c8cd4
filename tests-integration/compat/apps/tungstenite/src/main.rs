//! A websocket server and client: `tungstenite ws` or `tungstenite wss`. The
//! certificates are in the working directory.

use std::error::Error;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::Message;

type Done = Result<(), Box<dyn Error + Send + Sync>>;

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) -> Done {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    // TLS has an end of its own. The client may be gone already.
    let _ = socket.into_inner().shutdown().await;
    Ok(())
}

async fn client(stream: impl AsyncRead + AsyncWrite + Unpin) -> Done {
    let (mut socket, response) = tokio_tungstenite::client_async("ws://localhost/", stream).await?;
    println!("{}", response.status());
    socket.send(Message::text("hello")).await?;
    println!("{:?}", socket.next().await.ok_or("no answer")??);
    let large: Vec<u8> = (0..1 << 20).map(|n: u32| n as u8).collect();
    socket.send(Message::binary(large.clone())).await?;
    let back = socket.next().await.ok_or("no answer")??;
    println!("1 MiB {}", back.into_data() == large);
    socket.send(Message::Ping("are you there".into())).await?;
    println!("{:?}", socket.next().await.ok_or("no answer")??);
    let bye = CloseFrame {
        code: CloseCode::Normal,
        reason: "done".into(),
    };
    socket.close(Some(bye)).await?;
    while let Some(message) = socket.next().await {
        println!("{:?}", message?);
    }
    println!("closed");
    Ok(())
}

#[tokio::main]
async fn main() -> Done {
    let secure = std::env::args().nth(1).as_deref() == Some("wss");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    if !secure {
        let server = tokio::spawn(async move { serve(listener.accept().await?.0).await });
        client(TcpStream::connect(address).await?).await?;
        return server.await?;
    }
    let chain = vec![CertificateDer::from_pem_slice(&std::fs::read(
        "server.pem",
    )?)?];
    let key = PrivateKeyDer::from_pem_slice(&std::fs::read("server.key")?)?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server =
        tokio::spawn(
            async move { serve(acceptor.accept(listener.accept().await?.0).await?).await },
        );
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&std::fs::read("ca.pem")?)?)?;
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let connector = TlsConnector::from(Arc::new(config));
    client(
        connector
            .connect(ServerName::try_from("localhost")?, stream)
            .await?,
    )
    .await?;
    server.await?
}
