//! A rumqttc client: `mqtt ADDRESS`.

use std::error::Error;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("no address")?;
    let (host, port) = address.split_once(':').ok_or("no port")?;
    let mut options = MqttOptions::new("compat", host, port.parse()?);
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, 10);
    client
        .subscribe("rooms/+/temperature", QoS::ExactlyOnce)
        .await?;
    for (room, quality) in [
        (1, QoS::AtMostOnce),
        (2, QoS::AtLeastOnce),
        (3, QoS::ExactlyOnce),
    ] {
        client
            .publish(
                format!("rooms/{room}/temperature"),
                quality,
                false,
                format!("2{room}"),
            )
            .await?;
    }
    let mut seen = Vec::new();
    while seen.len() < 3 {
        if let Event::Incoming(Packet::Publish(message)) = events.poll().await? {
            seen.push(format!(
                "{} {} {:?}",
                message.topic,
                String::from_utf8_lossy(&message.payload),
                message.qos
            ));
        }
    }
    // Messages of different qualities may overtake each other.
    seen.sort();
    println!("{}", seen.join("\n"));
    Ok(())
}
