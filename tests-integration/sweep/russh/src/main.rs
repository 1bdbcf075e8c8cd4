use std::sync::Arc;

use russh::{client, keys::PublicKeyOrCertificate};

struct Client;

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

#[tokio::main]
async fn main() {
    let config = Arc::new(client::Config::default());
    let closed = client::connect(config, ("127.0.0.1", 1), Client).await;
    println!("closed {:?}", closed.err());
}
