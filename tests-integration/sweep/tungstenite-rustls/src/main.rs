use tokio_tungstenite::connect_async;

#[tokio::main]
async fn main() {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("the first one");
    let mut args = std::env::args().skip(1);
    let (peer, tls) = (
        args.next().unwrap_or_default(),
        args.next().unwrap_or_default(),
    );
    println!(
        "untrusted {}",
        connect_async(format!("wss://{tls}/")).await.is_err()
    );
    println!(
        "http {:?}",
        connect_async(format!("ws://{peer}/hello"))
            .await
            .err()
            .map(|error| error.to_string())
    );
    println!(
        "closed {:?}",
        connect_async("ws://127.0.0.1:1/").await.err()
    );
}
