//! Panics where servers have them: in tasks, in blocking closures, in handlers.
//!
//! `unwinding`: some of each, with what comes of them. `unwinding serve`: a server, whose
//! `/panics` does.

use axum::routing::get;
use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower_http::catch_panic::CatchPanicLayer;

fn words(payload: Box<dyn std::any::Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(words) => *words,
        Err(payload) => payload
            .downcast::<&str>()
            .map_or("?".into(), |words| (*words).into()),
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    std::panic::set_hook(Box::new(|_| {}));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    if std::env::args().nth(1).as_deref() == Some("serve") {
        println!("listening on {address}");
        return axum::serve(listener, app()).await;
    }
    tasks().await;
    let server = tokio::spawn(async move { axum::serve(listener, app()).await });
    for path in ["/", "/panics", "/", "/caught", "/"] {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer).await;
        let status = answer.lines().next().unwrap_or("nothing");
        println!(
            "{path}: {status}{}",
            if read.is_err() { ", reset" } else { "" }
        );
    }
    println!("the server goes on: {}", !server.is_finished());
    Ok(())
}

fn app() -> Router {
    let caught = Router::new()
        .route("/caught", get(|| async { panics("a handler") }))
        .layer(CatchPanicLayer::new());
    Router::new()
        .route("/", get(|| async { "well" }))
        .route("/panics", get(|| async { panics("a handler") }))
        .merge(caught)
}

fn panics(what: &str) -> &'static str {
    if std::env::args().count() > 0 {
        panic!("{what} panics");
    }
    "not reached"
}

async fn tasks() {
    let error = tokio::spawn(async { panics("a task") }).await.unwrap_err();
    println!("{}: {}", error.is_panic(), words(error.into_panic()));
    let error = tokio::task::spawn_blocking(|| panics("a closure"))
        .await
        .unwrap_err();
    println!("{}: {}", error.is_panic(), words(error.into_panic()));
    let mut set = JoinSet::new();
    for n in 0..4 {
        set.spawn(async move {
            tokio::task::yield_now().await;
            if n == 2 {
                panics("one of a set").len()
            } else {
                n
            }
        });
    }
    let (mut sum, mut panicked) = (0, 0);
    while let Some(joined) = set.join_next().await {
        match joined {
            Ok(n) => sum += n,
            Err(error) => panicked += usize::from(error.is_panic()),
        }
    }
    println!("of a set: {sum}, {panicked} panicked");
    let shared = std::sync::Arc::new(std::sync::Mutex::new(0));
    let theirs = shared.clone();
    let task = tokio::spawn(async move {
        let _held = theirs.lock();
        panics("whoever holds a lock");
    });
    println!(
        "{}, poisoned: {}",
        task.await.is_err(),
        shared.is_poisoned()
    );
    let local = tokio::task::LocalSet::new();
    let error = local
        .run_until(async { tokio::task::spawn_local(async { panics("a local task") }).await })
        .await;
    println!("{}", words(error.unwrap_err().into_panic()));
}
