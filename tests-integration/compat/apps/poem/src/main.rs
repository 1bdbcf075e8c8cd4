//! A poem server. Prints its address; curl talks to it.

use poem::listener::{Acceptor, Listener, TcpListener};
use poem::web::{Json, Path};
use poem::{get, handler, post, Route, Server};

#[handler]
fn hello(Path(name): Path<String>) -> String {
    format!("hello {name}")
}

#[handler]
fn echo(Json(json): Json<Vec<u32>>) -> Json<Vec<u32>> {
    Json(json)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    let address = acceptor.local_addr().remove(0);
    println!(
        "listening on {}",
        address.as_socket_addr().ok_or("no address")?
    );
    let app = Route::new()
        .at("/hello/:name", get(hello))
        .at("/echo", post(echo));
    Server::new_with_acceptor(acceptor).run(app).await?;
    Ok(())
}
