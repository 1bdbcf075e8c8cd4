use hickory_server::{Server, zone_handler::Catalog};
use tokio::net::UdpSocket;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let address = socket.local_addr()?;
    let mut server = Server::new(Catalog::new());
    server.register_socket(socket);
    let client = UdpSocket::bind("127.0.0.1:0").await?;
    // A question for `a.`, type A.
    let question = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1];
    client.send_to(&question, address).await?;
    let mut answer = [0; 512];
    let (length, _) = client.recv_from(&mut answer).await?;
    println!("{:?}", &answer[..length.min(4)]);
    Ok(())
}
