//! Notes over HTTP, kept in Postgres.

use anyhow::{Context as _, Result};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;

#[derive(Serialize, sqlx::FromRow)]
struct Note {
    id: i32,
    text: String,
}

#[derive(Deserialize)]
struct NewNote {
    text: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let database = std::env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
    let pool = PgPoolOptions::new()
        .max_connections(5)
        .connect(&database)
        .await
        .context("cannot reach the database")?;
    sqlx::query("CREATE TABLE IF NOT EXISTS notes (id SERIAL PRIMARY KEY, text TEXT NOT NULL)")
        .execute(&pool)
        .await?;

    let app = Router::new()
        .route("/notes", get(list).post(create))
        .route("/notes/{id}", get(read).delete(delete))
        .with_state(pool.clone());
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8080")).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    pool.close().await;
    Ok(())
}

async fn list(State(pool): State<PgPool>) -> Result<Json<Vec<Note>>, Error> {
    let notes = sqlx::query_as("SELECT id, text FROM notes ORDER BY id");
    Ok(Json(notes.fetch_all(&pool).await?))
}

async fn create(
    State(pool): State<PgPool>,
    Json(new): Json<NewNote>,
) -> Result<(StatusCode, Json<Note>), Error> {
    let note = sqlx::query_as("INSERT INTO notes (text) VALUES ($1) RETURNING id, text")
        .bind(new.text)
        .fetch_one(&pool)
        .await?;
    Ok((StatusCode::CREATED, Json(note)))
}

async fn read(State(pool): State<PgPool>, Path(id): Path<i32>) -> Result<Json<Note>, Error> {
    let note = sqlx::query_as("SELECT id, text FROM notes WHERE id = $1").bind(id);
    Ok(Json(note.fetch_one(&pool).await?))
}

async fn delete(State(pool): State<PgPool>, Path(id): Path<i32>) -> Result<StatusCode, Error> {
    let query = sqlx::query("DELETE FROM notes WHERE id = $1").bind(id);
    match query.execute(&pool).await?.rows_affected() {
        0 => Err(sqlx::Error::RowNotFound.into()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// What a handler cannot do.
struct Error(sqlx::Error);

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        Error(error)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let sqlx::Error::RowNotFound = self.0 {
            return (StatusCode::NOT_FOUND, "there is no such note\n").into_response();
        }
        // The reason is for the log, not for whoever asks.
        eprintln!("{}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
