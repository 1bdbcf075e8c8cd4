//! hickory-resolver, asking a name server in the same program.

use std::error::Error;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record};
use hickory_proto::serialize::binary::{BinDecodable, BinEncodable};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::TokioResolver;
use tokio::net::UdpSocket;

async fn name_server(socket: UdpSocket) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut buffer = [0; 1500];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        let mut message = Message::from_bytes(&buffer[..length])?.into_response();
        let question = message.queries.first().cloned().ok_or("no question")?;
        match question.name().to_ascii().as_str() {
            "many.test." => {
                for last in 1..=3 {
                    let address = RData::A(A(Ipv4Addr::new(192, 0, 2, last)));
                    message.add_answer(Record::from_rdata(question.name().clone(), 60, address));
                }
            }
            "slow.test." => tokio::time::sleep(Duration::from_millis(300)).await,
            _ => message.metadata.response_code = ResponseCode::NXDomain,
        }
        socket.send_to(&message.to_bytes()?, from).await?;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let address = socket.local_addr()?;
    tokio::spawn(name_server(socket));
    let mut connection = ConnectionConfig::udp();
    connection.port = address.port();
    let server = NameServerConfig::new(address.ip(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let resolver =
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build()?;
    let mut found: Vec<String> = resolver
        .ipv4_lookup("many.test.")
        .await?
        .answers()
        .iter()
        .map(|record| record.data.to_string())
        .collect();
    found.sort();
    println!("{found:?}");
    let absent = resolver.ipv4_lookup("absent.test.").await.unwrap_err();
    println!("absent {}", absent.is_nx_domain());
    // Timers go on while an answer is awaited.
    let start = Instant::now();
    let lookup = resolver.ipv4_lookup("slow.test.");
    let mut ticks = 0;
    let ticking = async {
        let mut interval = tokio::time::interval(Duration::from_millis(50));
        while start.elapsed() < Duration::from_millis(290) {
            interval.tick().await;
            ticks += 1;
        }
    };
    let (lookup, ()) = tokio::join!(lookup, ticking);
    println!("slow {} ticks {}", lookup.is_err(), ticks >= 5);
    Ok(())
}
