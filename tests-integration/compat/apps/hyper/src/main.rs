//! A hyper server and a hyper client on one runtime: `hyper h1` or `hyper h2`.

use std::convert::Infallible;
use std::error::Error;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

async fn serve(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    Ok(match (parts.method, parts.uri.path()) {
        (Method::GET, "/") => Response::new(Full::from("hello")),
        (Method::POST, "/echo") => Response::new(Full::from(body)),
        _ => {
            let mut response = Response::new(Full::from("nothing here"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let http2 = std::env::args().nth(1).as_deref() == Some("h2");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let service = hyper::service::service_fn(serve);
        if http2 {
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await?;
        } else {
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await?;
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    });
    let io = TokioIo::new(TcpStream::connect(address).await?);
    let requests = [
        ("GET", "/", Bytes::new()),
        ("POST", "/echo", Bytes::from_static(b"some words")),
        ("POST", "/echo", Bytes::from(vec![b'x'; 1 << 20])),
        ("GET", "/absent", Bytes::new()),
    ];
    let request = |method: &str, path: &str, body: Bytes| {
        Request::builder()
            .method(method)
            .uri(format!("http://localhost{path}"))
            .body(Full::new(body))
    };
    if http2 {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
        let connection = tokio::spawn(connection);
        let mut streams = Vec::new();
        for (method, path, body) in requests {
            // All at once, on one connection.
            streams.push(sender.send_request(request(method, path, body)?));
        }
        for stream in streams {
            show(stream.await?).await?;
        }
        drop(sender);
        connection.await??;
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        let connection = tokio::spawn(connection);
        for (method, path, body) in requests {
            let mut request = request(method, path, body)?;
            request.headers_mut().insert("host", "localhost".parse()?);
            sender.ready().await?;
            show(sender.send_request(request).await?).await?;
        }
        drop(sender);
        connection.await??;
    }
    server.await??;
    println!("both ended");
    Ok(())
}

async fn show(response: Response<Incoming>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (status, version) = (response.status(), response.version());
    let body = response.into_body().collect().await?.to_bytes();
    println!(
        "{status} {version:?} {} bytes {:?}",
        body.len(),
        String::from_utf8_lossy(&body[..body.len().min(12)])
    );
    Ok(())
}
