use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = std::env::args().nth(1).unwrap_or_default();

    let (host, port) = peer.split_once(':').ok_or("no address")?;
    let (client, mut events) = AsyncClient::new(MqttOptions::new("id", host, port.parse()?), 10);
    client.subscribe("t", QoS::AtLeastOnce).await?;
    client
        .publish("t", QoS::AtLeastOnce, false, "hello")
        .await?;
    loop {
        if let Event::Incoming(Packet::Publish(message)) = events.poll().await? {
            println!("{:?}", message.payload);
            break;
        }
    }
    Ok(())
}
