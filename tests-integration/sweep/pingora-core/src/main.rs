fn main() {
    let mut server = pingora_core::server::Server::new(None).unwrap();
    server.bootstrap();
    println!("up");
}
