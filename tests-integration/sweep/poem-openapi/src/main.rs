use poem::{Route, Server, listener::TcpListener};
use poem_openapi::{OpenApi, OpenApiService, param::Query, payload::PlainText};

struct Api;

#[OpenApi]
impl Api {
    #[oai(path = "/hi", method = "get")]
    async fn hi(&self, name: Query<String>) -> PlainText<String> {
        PlainText(format!("hello {}\n", name.0))
    }
}

#[tokio::main]
async fn main() -> Result<(), std::io::Error> {
    let port = std::env::args().nth(1).unwrap_or_default();
    let service = OpenApiService::new(Api, "Hi", "1.0");
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"));
    Server::new(listener)
        .run(Route::new().nest("/", service))
        .await
}
