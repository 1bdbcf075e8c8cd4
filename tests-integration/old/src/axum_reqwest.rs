//! A server on axum, asked with reqwest.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, Path};
use axum::http::{header, HeaderMap};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
struct Sum {
    of: Vec<i64>,
    is: i64,
}

fn router() -> Router {
    Router::new()
        .route(
            "/hello/:name",
            get(|Path(name): Path<String>| async move { format!("hello {name}") }),
        )
        .route(
            "/from",
            get(|ConnectInfo(from): ConnectInfo<SocketAddr>| async move { from.ip().to_string() }),
        )
        .route(
            "/sum",
            post(|Json(of): Json<Vec<i64>>| async move {
                let is = of.iter().sum();
                Json(Sum { of, is })
            }),
        )
        .route(
            "/set",
            get(|| async { ([(header::SET_COOKIE, "a=1")], Redirect::to("/cookie")) }),
        )
        .route(
            "/cookie",
            get(|headers: HeaderMap| async move { format!("{:?}", headers.get(header::COOKIE)) }),
        )
        .route(
            "/slow",
            get(|| tokio::time::sleep(Duration::from_secs(3600))),
        )
}

pub async fn run() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let service = router().into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::Server::bind(&any).serve(service);
    let port = server.local_addr().port();
    tokio::spawn(server);

    let client = reqwest::Client::builder()
        .cookie_store(true)
        .build()
        .unwrap();
    let url = |host: &str, path: &str| format!("http://{host}:{port}{path}");
    for path in ["/hello/Ada", "/from", "/set", "/absent"] {
        let response = client.get(url("localhost", path)).send().await.unwrap();
        let status = response.status();
        println!("{path}: {status} {}", response.text().await.unwrap());
    }
    let sum: Sum = client
        .post(url("127.0.0.1", "/sum"))
        .json(&[1, 2, 39])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    println!("{sum:?}");
    let slow = client.get(url("127.0.0.1", "/slow"));
    let slow = slow.timeout(Duration::from_millis(200)).send().await;
    println!("in time: {}", !slow.unwrap_err().is_timeout());
    let refused = client.get("http://nobody.invalid/").send().await;
    println!("connect: {}", refused.unwrap_err().is_connect());
}
