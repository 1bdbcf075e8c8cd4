//! Greets over HTTP/1 and, for clients that begin so, HTTP/2.
//!
//! Usage: `hyper-server [ADDRESS]`

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let response = Response::builder().header("x-served-over", format!("{:?}", request.version()));
    let response = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => response
            .header("content-type", "text/plain")
            .body(Full::from("Hello, World!\n")),
        (&Method::POST, "/echo") => match request.into_body().collect().await {
            Ok(body) => response.body(Full::new(body.to_bytes())),
            Err(error) => response
                .status(StatusCode::BAD_REQUEST)
                .body(Full::from(error.to_string())),
        },
        (&Method::GET, "/large") => response.body(Full::from(vec![b'x'; 2 << 20])),
        _ => response.status(StatusCode::NOT_FOUND).body(Full::default()),
    };
    Ok(response.expect("a valid response"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new());
            builder.http2().timer(TokioTimer::new());
            let connection =
                builder.serve_connection_with_upgrades(TokioIo::new(stream), service_fn(answer));
            if let Err(error) = connection.await {
                eprintln!("error serving {peer}: {error:?}");
            }
        });
    }
}
