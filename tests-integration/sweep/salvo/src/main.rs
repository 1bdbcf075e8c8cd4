use salvo::prelude::*;

#[handler]
async fn hi() -> &'static str {
    "hello salvo\n"
}

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).unwrap_or_default();
    let acceptor = TcpListener::new(format!("127.0.0.1:{port}")).bind().await;
    Server::new(acceptor).serve(Router::new().get(hi)).await;
}
