use poem::{Route, Server, get, handler, listener::TcpListener, web::Path};

#[handler]
fn hello(Path(name): Path<String>) -> String {
    format!("hello {name}\n")
}

#[tokio::main]
async fn main() -> Result<(), std::io::Error> {
    let port = std::env::args().nth(1).unwrap_or_default();
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"));
    Server::new(listener)
        .run(Route::new().at("/:name", get(hello)))
        .await
}
