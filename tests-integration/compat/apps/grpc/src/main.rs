//! tonic, with the services that are published with it: a unary call and a
//! stream from the server (health), streams both ways (reflection).

use std::error::Error;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::StreamExt;
use tonic::transport::{Endpoint, Server};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::ServingStatus;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::ServerReflectionRequest;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("shop", ServingStatus::Serving)
        .await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    tokio::spawn(
        Server::builder()
            .add_service(health)
            .add_service(reflection)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let channel = Endpoint::from_shared(format!("http://{address}"))?
        .connect()
        .await?;

    let mut client = HealthClient::new(channel.clone());
    let ask = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    println!(
        "{:?}",
        client.check(ask("shop")).await?.into_inner().status()
    );
    println!(
        "{:?}",
        client.check(ask("absent")).await.unwrap_err().code()
    );

    let mut watch = client.watch(ask("shop")).await?.into_inner();
    println!(
        "watch {:?}",
        watch.next().await.ok_or("no state")??.status()
    );
    reporter
        .set_service_status("shop", ServingStatus::NotServing)
        .await;
    println!(
        "watch {:?}",
        watch.next().await.ok_or("no state")??.status()
    );

    let mut client = ServerReflectionClient::new(channel);
    let request = |message| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message),
    };
    let requests = tokio_stream::iter([
        request(MessageRequest::ListServices(String::new())),
        request(MessageRequest::FileContainingSymbol("absent".to_owned())),
    ]);
    let mut answers = client.server_reflection_info(requests).await?.into_inner();
    while let Some(answer) = answers.next().await {
        match answer.map(|answer| answer.message_response) {
            Ok(Some(MessageResponse::ListServicesResponse(list))) => {
                let mut names: Vec<String> = list
                    .service
                    .into_iter()
                    .map(|service| service.name)
                    .collect();
                names.sort();
                println!("{names:?}");
            }
            Ok(Some(MessageResponse::ErrorResponse(error))) => {
                println!("error {}", error.error_code)
            }
            Ok(other) => println!("{other:?}"),
            Err(status) => println!("{:?}", status.code()),
        }
    }
    Ok(())
}
