use axum::Router;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

#[derive(Clone)]
struct Handler;

impl rmcp::ServerHandler for Handler {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_default();

    let sessions = LocalSessionManager::default();
    let service = StreamableHttpService::new(|| Ok(Handler), sessions.into(), Default::default());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;

    axum::serve(listener, Router::new().nest_service("/mcp", service)).await?;
    Ok(())
}
