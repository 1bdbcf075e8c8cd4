use utoipa_axum::{router::OpenApiRouter, routes};

#[utoipa::path(get, path = "/hi", responses((status = 200, body = String)))]
async fn hi() -> &'static str {
    "hi\n"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_default();

    let (router, api) = OpenApiRouter::new().routes(routes!(hi)).split_for_parts();
    let api = api.paths.paths.len().to_string();
    let router = router.route("/paths", axum::routing::get(|| async { api }));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;

    axum::serve(listener, router).await?;
    Ok(())
}
