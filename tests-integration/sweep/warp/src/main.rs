use warp::Filter as _;

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let hello = warp::path!("hi" / String).map(|name| format!("hello {name}\n"));
    warp::serve(hello)
        .run(([127, 0, 0, 1], port.expect("a port")))
        .await;
}
