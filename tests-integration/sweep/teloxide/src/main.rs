use teloxide::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let bot = Bot::new("1:x").set_api_url(format!("http://{peer}").parse()?);
    println!("{}", bot.get_me().await.is_err());
    Ok(())
}
