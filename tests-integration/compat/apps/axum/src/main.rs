//! An axum server with tower-http's layers. Prints its address; curl talks to it.

use std::time::Duration;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use std::collections::BTreeMap;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let app =
        Router::new()
            .route(
                "/hello/{name}",
                get(|Path(name): Path<String>| async move { format!("hello {name}") }),
            )
            .route(
                "/query",
                get(|Query(query): Query<BTreeMap<String, String>>| async move { Json(query) }),
            )
            .route(
                "/sum",
                post(|Json(numbers): Json<Vec<i64>>| async move {
                    numbers.iter().sum::<i64>().to_string()
                }),
            )
            .route(
                "/long",
                get(|| async { "the same words again and again\n".repeat(2000) }),
            )
            .route(
                "/slow",
                get(|| async {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    "too late"
                }),
            )
            .nest_service("/files", ServeDir::new("www"))
            .fallback(|| async { (StatusCode::NOT_FOUND, "no such page") })
            .layer(CompressionLayer::new())
            .layer(TimeoutLayer::with_status_code(
                StatusCode::REQUEST_TIMEOUT,
                Duration::from_millis(300),
            ))
            .layer(TraceLayer::new_for_http());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
