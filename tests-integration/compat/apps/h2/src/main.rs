//! The h2 crate by itself: requests with flow control, trailers, a reset and a
//! graceful end.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::net::{TcpListener, TcpStream};

type Done = Result<(), Box<dyn Error + Send + Sync>>;

async fn serve(listener: TcpListener) -> Done {
    let (stream, _) = listener.accept().await?;
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(request) = connection.accept().await {
        let (request, mut respond) = request?;
        tokio::spawn(async move {
            if request.uri().path() == "/reset" {
                respond.send_reset(h2::Reason::REFUSED_STREAM);
                return Done::Ok(());
            }
            let mut body = request.into_body();
            let mut received = 0;
            while let Some(chunk) = body.data().await {
                let chunk = chunk?;
                received += chunk.len();
                body.flow_control().release_capacity(chunk.len())?;
            }
            let mut send = respond.send_response(Response::new(()), false)?;
            send.send_data(Bytes::from(format!("{received} bytes came")), false)?;
            let mut trailers = HeaderMap::new();
            trailers.insert("checked", "yes".parse()?);
            send.send_trailers(trailers)?;
            Ok(())
        });
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Done {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(serve(listener));
    let (client, connection) = h2::client::handshake(TcpStream::connect(address).await?).await?;
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await?;
    for size in [0, 10, 500_000] {
        let request = Request::post("http://localhost/count").body(())?;
        let (response, mut send) = client.send_request(request, false)?;
        send.send_data(vec![7; size].into(), true)?;
        let response = response.await?;
        println!("{}", response.status());
        let mut body = response.into_body();
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            println!("{}", String::from_utf8_lossy(&chunk));
            body.flow_control().release_capacity(chunk.len())?;
        }
        println!("{:?}", body.trailers().await?);
    }
    let (response, _) =
        client.send_request(Request::get("http://localhost/reset").body(())?, true)?;
    println!("{}", response.await.unwrap_err());
    drop(client);
    connection.await??;
    server.await??;
    println!("both ended");
    Ok(())
}
