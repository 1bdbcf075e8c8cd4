use axum::{Router, routing::get};
use axum_server::tls_rustls::RustlsConfig;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_default();

    let config = RustlsConfig::from_pem_file("server.pem", "server.key").await?;
    let app = Router::new().route("/", get(|| async { "over TLS" }));
    let address: std::net::SocketAddr = format!("127.0.0.1:{port}").parse()?;
    axum_server::bind_rustls(address, config)
        .serve(app.into_make_service())
        .await?;
    Ok(())
}
