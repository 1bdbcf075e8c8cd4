use axum::body::Body;
use axum::http::{Request, header};
use axum::{Router, routing::get};
use tower::ServiceExt as _;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

async fn count(session: Session) -> String {
    let count: u32 = session.get("count").await.unwrap().unwrap_or(0) + 1;
    session.insert("count", count).await.unwrap();
    format!("visit {count}")
}

#[tokio::main]
async fn main() {
    let layer = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let app = Router::new().route("/", get(count)).layer(layer);
    let mut cookie = String::new();
    for _ in 0..3 {
        let request = Request::get("/")
            .header(header::COOKIE, &cookie)
            .body(Body::empty())
            .unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        if let Some(set) = answer.headers().get(header::SET_COOKIE) {
            cookie = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        let body = axum::body::to_bytes(answer.into_body(), 1024)
            .await
            .unwrap();
        println!("{}", String::from_utf8_lossy(&body));
    }
}
