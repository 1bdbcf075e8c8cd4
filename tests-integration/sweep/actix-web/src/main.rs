use actix_web::{App, HttpServer, get, web::Path};

#[get("/{name}")]
async fn hi(name: Path<String>) -> String {
    format!("hello {name}\n")
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    HttpServer::new(|| App::new().service(hi))
        .bind(("127.0.0.1", port.unwrap_or_default()))?
        .run()
        .await
}
