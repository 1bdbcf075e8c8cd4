use tonic::transport::{
    Certificate, Channel, ClientTlsConfig, Endpoint, Identity, Server, ServerTlsConfig,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_default();

    let identity = Identity::from_pem(std::fs::read("server.pem")?, std::fs::read("server.key")?);
    let address = format!("127.0.0.1:{port}").parse()?;
    let tls = ServerTlsConfig::new().identity(identity);
    tokio::spawn(async move {
        Server::builder()
            .tls_config(tls)
            .unwrap()
            .add_routes(tonic::service::Routes::default())
            .serve(address)
            .await
            .unwrap();
    });
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let authority = Certificate::from_pem(std::fs::read("ca.pem")?);
    let tls = ClientTlsConfig::new().ca_certificate(authority);
    Endpoint::from_shared(format!("https://localhost:{port}"))?
        .tls_config(tls)?
        .connect()
        .await?;
    println!("connected");
    let closed = Channel::from_static("http://127.0.0.1:1").connect().await;
    println!("closed {}", closed.is_err());
    Ok(())
}
