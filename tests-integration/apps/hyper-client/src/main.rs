//! Fetches a URL and prints the status, the headers and the body.
//!
//! Usage: `hyper-client [--http2] URL`

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{stdout, AsyncWriteExt};
use tokio::net::TcpStream;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut http2 = false;
    let mut url = None;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--http2" => http2 = true,
            _ => url = Some(argument.parse::<hyper::Uri>()?),
        }
    }
    let url = url.ok_or("usage: hyper-client [--http2] URL")?;
    let host = url.host().ok_or("the URL has no host")?;
    let stream = TcpStream::connect((host, url.port_u16().unwrap_or(80))).await?;
    let io = TokioIo::new(stream);

    let request = Request::get(if http2 {
        url.to_string()
    } else {
        url.path().to_owned()
    })
    .header(
        hyper::header::HOST,
        url.authority().map_or("", |a| a.as_str()),
    )
    .body(Empty::<Bytes>::new())?;
    let response = if http2 {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
        tokio::spawn(connection);
        sender.send_request(request).await?
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection);
        sender.send_request(request).await?
    };

    println!("{:?} {}", response.version(), response.status());
    for (name, value) in response.headers() {
        println!("{name}: {}", value.to_str()?);
    }
    println!();
    let mut body = response.into_body();
    let mut out = stdout();
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            out.write_all(data).await?;
        }
    }
    out.flush().await?;
    Ok(())
}
