//! A gRPC server: a unary call, and a stream of replies.

use std::pin::Pin;
use std::time::Duration;

use anyhow::Result;
use greeter::greeter_server::{Greeter, GreeterServer};
use greeter::{CountDownReply, CountDownRequest, GreetReply, GreetRequest};
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

struct Service;

#[tonic::async_trait]
impl Greeter for Service {
    async fn greet(&self, request: Request<GreetRequest>) -> Result<Response<GreetReply>, Status> {
        let name = request.into_inner().name;
        if name.is_empty() {
            return Err(Status::invalid_argument("whom am I to greet?"));
        }
        let text = format!("Hello {name}!");
        Ok(Response::new(GreetReply { text }))
    }

    type CountDownStream = Pin<Box<dyn Stream<Item = Result<CountDownReply, Status>> + Send>>;

    async fn count_down(
        &self,
        request: Request<CountDownRequest>,
    ) -> Result<Response<Self::CountDownStream>, Status> {
        let from = request.into_inner().from;
        let replies = tokio_stream::iter((0..=from).rev())
            .throttle(Duration::from_millis(100))
            .map(|left| Ok(CountDownReply { left }));
        Ok(Response::new(Box::pin(replies)))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:50051").parse()?;
    let incoming = TcpIncoming::bind(address)?;
    println!("listening on {}", incoming.local_addr()?);
    Server::builder()
        .add_service(GreeterServer::new(Service))
        .serve_with_incoming_shutdown(incoming, async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
