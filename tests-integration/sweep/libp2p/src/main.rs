use std::error::Error;
use std::time::Duration;

use futures::StreamExt as _;
use libp2p::swarm::{Swarm, SwarmEvent, dummy};
use libp2p::{Multiaddr, SwarmBuilder, noise, tcp, yamux};

fn swarm() -> Result<Swarm<dummy::Behaviour>, Box<dyn Error>> {
    Ok(SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )?
        .with_behaviour(|_| dummy::Behaviour)?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(10)))
        .build())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_default();

    let (mut server, mut client) = (swarm()?, swarm()?);
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse()?;
    server.listen_on(address.clone())?;
    client.dial(address)?;
    loop {
        tokio::select! {
            _ = server.next() => {}
            event = client.next() => {
                if let Some(SwarmEvent::ConnectionEstablished { .. }) = event {
                    println!("connected");
                    break;
                }
            }
        }
    }
    Ok(())
}
