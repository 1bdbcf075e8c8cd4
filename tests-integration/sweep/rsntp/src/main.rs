use rsntp::{AsyncSntpClient, Config};
use std::time::Duration;
use tokio::net::UdpSocket;

#[tokio::main]
async fn main() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut packet = [0; 48];
        let (_, peer) = server.recv_from(&mut packet).await.unwrap();
        let sent: [u8; 8] = packet[40..].try_into().unwrap();
        packet[0] = 0b00_100_100;
        packet[1] = 1;
        packet[24..32].copy_from_slice(&sent);
        packet[32..40].copy_from_slice(&sent);
        server.send_to(&packet, peer).await.unwrap();
    });
    let bind = "127.0.0.1:0".parse().unwrap();
    let config = Config::default()
        .bind_address(bind)
        .timeout(Duration::from_secs(2));
    let client = AsyncSntpClient::with_config(config);
    let result = client
        .synchronize(format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    println!("stratum {}", result.stratum());
    println!("near {}", result.clock_offset().as_secs_f64().abs() < 1.0);
}
