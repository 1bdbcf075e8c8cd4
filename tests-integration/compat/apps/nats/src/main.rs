//! An async-nats client: `nats ADDRESS`.

use std::error::Error;
use std::time::Duration;

use futures_util::StreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let address = std::env::args().nth(1).ok_or("no address")?;
    let client = async_nats::connect(address.as_str()).await?;
    let mut news = client.subscribe("news.*").await?;
    for n in 0..3 {
        client
            .publish(format!("news.{n}"), format!("message {n}").into())
            .await?;
    }
    client.flush().await?;
    for _ in 0..3 {
        let message = news.next().await.ok_or("no message")?;
        println!(
            "{} {}",
            message.subject,
            String::from_utf8_lossy(&message.payload)
        );
    }
    let mut questions = client.subscribe("double").await?;
    let answering = client.clone();
    tokio::spawn(async move {
        while let Some(question) = questions.next().await {
            let number: u32 = String::from_utf8_lossy(&question.payload).parse()?;
            if let Some(reply) = question.reply {
                answering
                    .publish(reply, (2 * number).to_string().into())
                    .await?;
            }
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    });
    let answer = client.request("double", "21".into()).await?;
    println!("answer {}", String::from_utf8_lossy(&answer.payload));
    let nobody = client.request("nobody", "".into());
    let nobody = tokio::time::timeout(Duration::from_secs(5), nobody).await?;
    println!("{}", nobody.unwrap_err());
    Ok(())
}
