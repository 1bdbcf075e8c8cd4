//! A warp server. Prints its address; curl talks to it.

use warp::Filter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hello = warp::path!("hello" / String).map(|name| format!("hello {name}"));
    let echo = warp::path("echo")
        .and(warp::post())
        .and(warp::body::content_length_limit(1 << 20))
        .and(warp::body::json())
        .map(|json: Vec<u32>| warp::reply::json(&json));
    let routes = hello.or(echo);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    warp::serve(routes).incoming(listener).run().await;
    Ok(())
}
