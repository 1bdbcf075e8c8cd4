use axum::routing::get;
use socketioxide::{SocketIo, extract::SocketRef};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_default();

    let (layer, io) = SocketIo::new_layer();
    io.ns("/", async |_: SocketRef| {});
    let app = axum::Router::new()
        .route("/", get(|| async { "up\n" }))
        .layer(layer);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;

    axum::serve(listener, app).await?;
    Ok(())
}
