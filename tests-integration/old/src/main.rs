//! The argument is a check, which prints what it found.

mod axum_reqwest;
mod hyper_both;
mod sockets;

#[tokio::main]
async fn main() {
    let check = std::env::args().nth(1).expect("the name of a check");
    match check.as_str() {
        "axum" => axum_reqwest::run().await,
        "hyper" => hyper_both::run().await,
        "socket2" => sockets::run().await,
        other => panic!("no check is called {other}"),
    }
}
