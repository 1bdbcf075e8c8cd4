use serenity::http::HttpBuilder;

#[tokio::main]
async fn main() {
    let peer = std::env::args().nth(1).unwrap_or_default();
    let http = HttpBuilder::new("x")
        .proxy(format!("http://{peer}"))
        .ratelimiter_disabled(true)
        .build();
    println!("{}", http.get_current_user().await.is_err());
}
