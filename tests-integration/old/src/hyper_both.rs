//! hyper's server and its client, with tokio's runtime.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::client::HttpConnector;
use hyper::server::conn::AddrStream;
use hyper::service::{make_service_fn, service_fn};
use hyper::{body, Body, Client, Request, Response, Server};

async fn count(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let version = request.version();
    let bytes = body::to_bytes(request.into_body()).await.unwrap();
    Ok(Response::new(
        format!("{version:?}: {}", bytes.len()).into(),
    ))
}

pub async fn run() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let service = make_service_fn(|stream: &AddrStream| {
        println!("from {}", stream.remote_addr().ip());
        async { Ok::<_, Infallible>(service_fn(count)) }
    });
    let server = Server::bind(&any)
        .tcp_nodelay(true)
        .tcp_keepalive(Some(Duration::from_secs(60)))
        .serve(service);
    let address = server.local_addr();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(server.with_graceful_shutdown(async {
        stopped.await.unwrap();
    }));
    let taken = Server::try_bind(&address).map(|_| ()).unwrap_err();
    let taken = taken.source().unwrap().downcast_ref::<io::Error>();
    println!("{:?}", taken.unwrap().kind());

    let connector = || {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_secs(20)));
        connector.set_nodelay(true);
        connector.set_keepalive(Some(Duration::from_secs(60)));
        connector
    };
    let get = |host: &str, size: usize| {
        let uri = format!("http://{host}:{}/", address.port());
        let body = vec![b'x'; size];
        Request::post(uri).body(Body::from(body)).unwrap()
    };
    let client = Client::builder().build::<_, Body>(connector());
    for host in ["127.0.0.1", "localhost", "nobody.invalid"] {
        match client.request(get(host, 300_000)).await {
            Ok(response) => {
                let status = response.status();
                let body = body::to_bytes(response.into_body()).await.unwrap();
                println!("{host}: {status} {body:?}");
            }
            Err(error) => println!("{host}: {}", error.is_connect()),
        }
    }
    drop(client);
    let client = Client::builder()
        .http2_only(true)
        .build::<_, Body>(connector());
    let response = client.request(get("127.0.0.1", 5)).await.unwrap();
    println!("{:?}", body::to_bytes(response.into_body()).await.unwrap());
    drop(client);

    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    let closed = Client::new().request(get("127.0.0.1", 0)).await;
    println!("{}", closed.unwrap_err().is_connect());
}
