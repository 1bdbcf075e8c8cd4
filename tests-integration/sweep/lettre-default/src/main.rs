use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tls = std::env::args().nth(1).unwrap_or_default();
    let (_, port) = tls.split_once(':').ok_or("no address")?;
    let mail = Message::builder()
        .from("a@b.c".parse()?)
        .to("d@e.f".parse()?)
        .subject("x")
        .body("y".to_owned())?;
    let closed = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(1)
        .build();
    println!("closed {}", closed.send(mail.clone()).await.is_err());
    let untrusted = AsyncSmtpTransport::<Tokio1Executor>::relay("localhost")?
        .port(port.parse()?)
        .build();
    println!("untrusted {}", untrusted.send(mail).await.is_err());
    Ok(())
}
