//! Short names for long addresses, kept in Redis.
//!
//! POST an address to `/` and get its name; GET `/NAME` leads there, and `/NAME/visits`
//! says how often it did.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let redis = std::env::var("REDIS_URL");
    let redis = redis.as_deref().unwrap_or("redis://127.0.0.1:6379");
    // All handlers share one connection. It is opened again when it breaks.
    let redis = redis::Client::open(redis)?
        .get_connection_manager()
        .await
        .with_context(|| format!("cannot reach {redis}"))?;

    let app = Router::new()
        .route("/", post(shorten))
        .route("/{name}", get(follow))
        .route("/{name}/visits", get(visits))
        .with_state(redis);
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8080")).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

async fn shorten(
    State(mut redis): State<ConnectionManager>,
    address: String,
) -> Result<Response, Error> {
    if !address.starts_with("https://") && !address.starts_with("http://") {
        return Ok((StatusCode::BAD_REQUEST, "that is no address\n").into_response());
    }
    let number: u64 = redis.incr("shortener:last", 1).await?;
    let name = format!("{number:x}");
    let () = redis
        .hset(key(&name), "address", address.trim_end())
        .await?;
    Ok((StatusCode::CREATED, format!("/{name}\n")).into_response())
}

async fn follow(
    State(mut redis): State<ConnectionManager>,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    let address: Option<String> = redis.hget(key(&name), "address").await?;
    let Some(address) = address else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let () = redis.hincr(key(&name), "visits", 1).await?;
    Ok(Redirect::temporary(&address).into_response())
}

async fn visits(
    State(mut redis): State<ConnectionManager>,
    Path(name): Path<String>,
) -> Result<String, Error> {
    let visits: Option<u64> = redis.hget(key(&name), "visits").await?;
    Ok(format!("{}\n", visits.unwrap_or(0)))
}

fn key(name: &str) -> String {
    format!("shortener:name:{name}")
}

/// What Redis cannot do.
struct Error(redis::RedisError);

impl From<redis::RedisError> for Error {
    fn from(error: redis::RedisError) -> Error {
        Error(error)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        // The reason is for the log, not for whoever asks.
        eprintln!("{}", self.0);
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}
