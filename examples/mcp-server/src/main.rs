//! Tools for an assistant, by the Model Context Protocol over HTTP (`/mcp`).

use std::time::Duration;

use anyhow::Result;
use axum::Router;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::transport::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::{tool, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone)]
struct Tools;

#[derive(Deserialize, JsonSchema)]
struct Count {
    /// The text whose words are counted
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct Probe {
    /// HOST:PORT
    address: String,
}

#[tool_router(server_handler)]
impl Tools {
    #[tool(description = "Count the words of a text")]
    async fn count_words(&self, Parameters(count): Parameters<Count>) -> String {
        count.text.split_whitespace().count().to_string()
    }

    #[tool(description = "Say whether a server accepts connections")]
    async fn probe(&self, Parameters(probe): Parameters<Probe>) -> Result<String, String> {
        let connecting = TcpStream::connect(&probe.address);
        match tokio::time::timeout(Duration::from_secs(5), connecting).await {
            Ok(Ok(_)) => Ok(format!("{} accepts connections", probe.address)),
            Ok(Err(error)) => Err(format!("{}: {}", probe.address, error.kind())),
            Err(_) => Err(format!("{} does not answer", probe.address)),
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    // Without sessions, any instance of several can answer any request.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let stop = config.cancellation_token.clone();
    let sessions = LocalSessionManager::default();
    let service = StreamableHttpService::new(|| Ok(Tools), sessions.into(), config);

    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8080")).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, Router::new().nest_service("/mcp", service))
        .with_graceful_shutdown(async move {
            let _ = tokio::signal::ctrl_c().await;
            stop.cancel();
        })
        .await?;
    Ok(())
}
