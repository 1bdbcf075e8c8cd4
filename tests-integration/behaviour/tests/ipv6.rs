//! The same over IPv6.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use behaviour::{closed_port, kind, tcp_pair_at, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

#[tokio::test]
async fn message_goes_there_and_back() {
    within(async {
        let (mut near, mut far) = tcp_pair_at("[::1]:0").await;
        near.write_all(b"ping").await.unwrap();
        let mut got = [0; 4];
        far.read_exact(&mut got).await.unwrap();
        far.write_all(&got).await.unwrap();
        near.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ping");
    })
    .await;
}

#[tokio::test]
async fn addresses_of_both_ends_match() {
    within(async {
        let (near, far) = tcp_pair_at("[::1]:0").await;
        assert_eq!(near.local_addr().unwrap(), far.peer_addr().unwrap());
        assert_eq!(near.peer_addr().unwrap(), far.local_addr().unwrap());
        assert_eq!(near.local_addr().unwrap().ip(), Ipv6Addr::LOCALHOST);
    })
    .await;
}

#[tokio::test]
async fn accept_tells_the_peers_address() {
    within(async {
        let listener = TcpListener::bind("[::1]:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_ne!(address.port(), 0);
        let near = TcpStream::connect(address).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, near.local_addr().unwrap());
    })
    .await;
}

#[tokio::test]
async fn listener_on_every_address_hears_both_families() {
    within(async {
        let listener = TcpListener::bind("[::]:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(address.ip(), Ipv6Addr::UNSPECIFIED);
        let near = TcpStream::connect((Ipv6Addr::LOCALHOST, address.port()))
            .await
            .unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, near.local_addr().unwrap());
        let near = TcpStream::connect(("127.0.0.1", address.port()))
            .await
            .unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        // An IPv4 peer of an IPv6 socket shows as a mapped address.
        let IpAddr::V6(mapped) = peer.ip() else {
            panic!("{peer} is not an IPv6 address");
        };
        assert_eq!(
            mapped.to_ipv4_mapped().map(IpAddr::V4),
            Some(near.local_addr().unwrap().ip())
        );
        assert_eq!(peer.port(), near.local_addr().unwrap().port());
    })
    .await;
}

#[tokio::test]
async fn refused_connect_is_connection_refused() {
    within(async {
        let closed = closed_port("[::1]:0").await;
        assert_eq!(
            kind(TcpStream::connect(closed).await),
            ErrorKind::ConnectionRefused
        );
    })
    .await;
}

#[tokio::test]
async fn taken_port_is_address_in_use() {
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let second = TcpListener::bind(listener.local_addr().unwrap()).await;
    assert_eq!(kind(second), ErrorKind::AddrInUse);
}

#[tokio::test]
async fn address_of_no_local_interface_is_not_available() {
    // 2001:db8::/32 is kept for documentation: no interface has it.
    let result = TcpListener::bind("[2001:db8::1]:0").await;
    assert_eq!(kind(result), ErrorKind::AddrNotAvailable);
}

#[tokio::test]
async fn socket_connects_from_its_bound_address() {
    within(async {
        let listener = TcpListener::bind("[::1]:0").await.unwrap();
        let socket = TcpSocket::new_v6().unwrap();
        socket.bind("[::1]:0".parse().unwrap()).unwrap();
        let bound = socket.local_addr().unwrap();
        let near = socket
            .connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        assert_eq!(near.local_addr().unwrap(), bound);
        assert_eq!(listener.accept().await.unwrap().1, bound);
    })
    .await;
}

#[tokio::test]
async fn datagram_carries_its_senders_address() {
    within(async {
        let a = UdpSocket::bind("[::1]:0").await.unwrap();
        let b = UdpSocket::bind("[::1]:0").await.unwrap();
        a.send_to(b"six", b.local_addr().unwrap()).await.unwrap();
        let mut got = [0; 8];
        let (n, from) = b.recv_from(&mut got).await.unwrap();
        assert_eq!(&got[..n], b"six");
        assert_eq!(from, a.local_addr().unwrap());
    })
    .await;
}

#[tokio::test]
async fn connected_datagram_sockets_know_their_peer() {
    within(async {
        let a = UdpSocket::bind("[::1]:0").await.unwrap();
        let b = UdpSocket::bind("[::1]:0").await.unwrap();
        a.connect(b.local_addr().unwrap()).await.unwrap();
        assert_eq!(a.peer_addr().unwrap(), b.local_addr().unwrap());
        a.send(b"x").await.unwrap();
        assert_eq!(b.recv(&mut [0; 4]).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn refused_datagram_is_connection_refused() {
    within(async {
        let socket = UdpSocket::bind("[::1]:0").await.unwrap();
        let nobody = {
            let other = UdpSocket::bind("[::1]:0").await.unwrap();
            other.local_addr().unwrap()
        };
        socket.connect(nobody).await.unwrap();
        socket.send(b"x").await.unwrap();
        assert_eq!(
            kind(socket.recv(&mut [0; 4]).await),
            ErrorKind::ConnectionRefused
        );
    })
    .await;
}

#[tokio::test]
async fn dual_stack_datagram_socket_answers_both_families() {
    within(async {
        let server = UdpSocket::bind("[::]:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        for local in ["127.0.0.1", "::1"] {
            let local: IpAddr = local.parse().unwrap();
            let client = UdpSocket::bind((local, 0)).await.unwrap();
            client.send_to(b"who?", (local, port)).await.unwrap();
            let mut got = [0; 8];
            let (n, from) = server.recv_from(&mut got).await.unwrap();
            assert_eq!(&got[..n], b"who?");
            server.send_to(b"you", from).await.unwrap();
            let (n, from) = client.recv_from(&mut got).await.unwrap();
            assert_eq!(n, 3);
            assert_eq!(from, SocketAddr::from((local, port)));
        }
    })
    .await;
}

#[tokio::test]
async fn mapped_address_reaches_an_ipv4_listener() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let socket = TcpSocket::new_v6().unwrap();
        let mapped = format!("[::ffff:127.0.0.1]:{port}").parse().unwrap();
        let near = socket.connect(mapped).await.unwrap();
        assert_eq!(near.peer_addr().unwrap(), mapped);
        let (_, peer) = listener.accept().await.unwrap();
        assert!(peer.is_ipv4());
    })
    .await;
}
