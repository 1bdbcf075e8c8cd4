use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, Config};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let client = Client::try_from(Config::new(format!("http://{peer}").parse()?))?;
    let pods = Api::<Pod>::default_namespaced(client)
        .list(&Default::default())
        .await;
    println!("no API {}", pods.is_err());
    Ok(())
}
