//! Takes jobs from an MQTT broker and publishes what came of them. It connects again
//! when the broker goes away.

use std::time::Duration;

use anyhow::{Context as _, Result};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS};

#[tokio::main]
async fn main() -> Result<()> {
    let broker = std::env::args().nth(1);
    let broker = broker.as_deref().unwrap_or("127.0.0.1:1883");
    let (host, port) = broker.rsplit_once(':').context("the broker is HOST:PORT")?;
    let mut options = MqttOptions::new("worker", host, port.parse()?);
    options.set_keep_alive(Duration::from_secs(30));
    // Jobs that come while the worker is away are kept for it.
    options.set_clean_session(false);
    let (client, mut events) = AsyncClient::new(options, 10);

    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        let event = tokio::select! {
            event = events.poll() => event,
            stopped = &mut stop => {
                stopped?;
                break;
            }
        };
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                client.subscribe("jobs/+", QoS::AtLeastOnce).await?;
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => println!("waiting for jobs"),
            Ok(Event::Incoming(Packet::Publish(job))) => {
                // In a task, since the answer is sent by the next `poll`.
                let client = client.clone();
                tokio::spawn(async move {
                    if let Err(error) = work(&client, &job).await {
                        eprintln!("{}: {error:#}", job.topic);
                    }
                });
            }
            Ok(_) => {}
            Err(error) => {
                eprintln!("{broker}: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
    // Tells the broker that this is no accident.
    client.disconnect().await?;
    while events.poll().await.is_ok() {}
    Ok(())
}

/// Counts the words of a text.
async fn work(client: &AsyncClient, job: &Publish) -> Result<()> {
    let text = std::str::from_utf8(&job.payload)?;
    let words = text.split_whitespace().count();
    let name = job.topic.trim_start_matches("jobs/");
    println!("{name}: {words} words");
    let topic = format!("results/{name}");
    client
        .publish(topic, QoS::AtLeastOnce, false, words.to_string())
        .await?;
    Ok(())
}
