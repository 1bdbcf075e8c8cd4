//! A JSON service that shuts down when it is asked to.
//!
//! Usage: `axum-app [ADDRESS]`

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Notify;

#[derive(Default)]
struct Service {
    next: AtomicU64,
    stop: Notify,
}

#[derive(Deserialize)]
struct NewUser {
    name: String,
}

#[derive(Serialize)]
struct User {
    id: u64,
    name: String,
}

#[derive(Deserialize)]
struct Wait {
    ms: u64,
}

async fn create(
    State(service): State<Arc<Service>>,
    Json(new): Json<NewUser>,
) -> (StatusCode, Json<User>) {
    let id = service.next.fetch_add(1, Ordering::Relaxed) + 1;
    (StatusCode::CREATED, Json(User { id, name: new.name }))
}

async fn show(Path(id): Path<u64>) -> Json<User> {
    Json(User {
        id,
        name: format!("user {id}"),
    })
}

async fn slow(Query(wait): Query<Wait>) -> String {
    tokio::time::sleep(Duration::from_millis(wait.ms)).await;
    format!("waited {} ms\n", wait.ms)
}

async fn shutdown(State(service): State<Arc<Service>>) -> &'static str {
    service.stop.notify_one();
    "stopping\n"
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let service = Arc::new(Service::default());
    let app = Router::new()
        .route("/users", post(create))
        .route("/users/{id}", get(show))
        .route("/slow", get(slow))
        .route("/shutdown", post(shutdown))
        .with_state(service.clone());
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            tokio::select! {
                () = service.stop.notified() => {}
                result = tokio::signal::ctrl_c() => result.expect("a signal handler"),
            }
        })
        .await?;
    println!("stopped");
    Ok(())
}
