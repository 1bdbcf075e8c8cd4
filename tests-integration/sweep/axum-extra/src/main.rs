use axum::{Router, routing::get};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;

async fn visit(jar: CookieJar) -> (CookieJar, String) {
    let seen = jar.get("seen").is_some();
    (jar.add(Cookie::new("seen", "yes")), format!("{seen}\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_default();
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;

    axum::serve(listener, Router::new().route("/", get(visit))).await?;
    Ok(())
}
