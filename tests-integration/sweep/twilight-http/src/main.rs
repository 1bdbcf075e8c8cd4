use twilight_http::Client;

#[tokio::main]
async fn main() {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("the first one");
    let peer = std::env::args().nth(1).unwrap_or_default();
    let client = Client::builder()
        .proxy(peer, true)
        .ratelimiter(None)
        .build();
    println!("{}", client.current_user().await.is_err());
}
