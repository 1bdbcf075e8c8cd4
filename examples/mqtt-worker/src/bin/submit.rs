//! Gives the worker a job and waits for the result: `submit HOST:PORT NAME TEXT`.

use anyhow::{Context as _, Result};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [broker, name, text] = &words[..] else {
        anyhow::bail!("submit HOST:PORT NAME TEXT");
    };
    let (host, port) = broker.rsplit_once(':').context("the broker is HOST:PORT")?;
    let options = MqttOptions::new(format!("submit-{name}"), host, port.parse()?);
    let (client, mut events) = AsyncClient::new(options, 10);
    client
        .subscribe(format!("results/{name}"), QoS::AtLeastOnce)
        .await?;
    loop {
        match events.poll().await? {
            // The result cannot be missed any more.
            Event::Incoming(Packet::SubAck(_)) => {
                client
                    .publish(format!("jobs/{name}"), QoS::AtLeastOnce, false, &text[..])
                    .await?;
            }
            Event::Incoming(Packet::Publish(result)) => {
                println!("{name}: {} words", std::str::from_utf8(&result.payload)?);
                return Ok(());
            }
            _ => {}
        }
    }
}
