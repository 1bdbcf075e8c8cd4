use tonic::transport::{Endpoint, Server};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_health::{ServingStatus, server::health_reporter};

#[tokio::main]
async fn main() {
    let (reporter, service) = health_reporter();
    reporter
        .set_service_status("app", ServingStatus::Serving)
        .await;
    let address = "127.0.0.1:50873".parse().unwrap();
    tokio::spawn(Server::builder().add_service(service).serve(address));

    let channel = loop {
        let endpoint = Endpoint::from_static("http://127.0.0.1:50873");
        if let Ok(channel) = endpoint.connect().await {
            break channel;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let mut client = HealthClient::new(channel);
    for service in ["app", "other"] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        match client.check(request).await {
            Ok(answer) => println!("{service} {:?}", answer.into_inner().status()),
            Err(status) => println!("{service} {:?}", status.code()),
        }
    }
}
