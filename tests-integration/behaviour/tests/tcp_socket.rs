//! TCP sockets that are set up before they connect or listen.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use behaviour::{closed_port, kind, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

#[tokio::test]
async fn socket_connects() {
    within(async {
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        let mut near = socket
            .connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut far, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, near.local_addr().unwrap());
        near.write_u8(3).await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn bound_socket_connects_from_its_address() {
    within(async {
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        // All of 127.0.0.0/8 is this machine.
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let bound = socket.local_addr().unwrap();
        assert_eq!(bound.ip(), Ipv4Addr::new(127, 0, 0, 2));
        assert_ne!(bound.port(), 0);
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
async fn refused_connect_of_a_socket_is_connection_refused() {
    within(async {
        let closed = closed_port("127.0.0.1:0").await;
        let socket = TcpSocket::new_v4().unwrap();
        assert_eq!(
            kind(socket.connect(closed).await),
            ErrorKind::ConnectionRefused
        );
    })
    .await;
}

#[tokio::test]
async fn unbound_socket_has_the_unspecified_address() {
    let socket = TcpSocket::new_v4().unwrap();
    assert_eq!(
        socket.local_addr().unwrap(),
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
    );
    let socket = TcpSocket::new_v6().unwrap();
    assert_eq!(
        socket.local_addr().unwrap(),
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
    );
}

#[tokio::test]
async fn binding_twice_is_invalid_input() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(loopback()).unwrap();
    assert_eq!(kind(socket.bind(loopback())), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn binding_to_a_taken_port_is_address_in_use() {
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    let result = socket.bind(listener.local_addr().unwrap());
    assert_eq!(kind(result), ErrorKind::AddrInUse);
}

#[tokio::test]
async fn binding_to_a_foreign_address_is_not_available() {
    let socket = TcpSocket::new_v4().unwrap();
    // 192.0.2.0/24 is kept for documentation: no interface has it.
    let result = socket.bind("192.0.2.1:0".parse().unwrap());
    assert_eq!(kind(result), ErrorKind::AddrNotAvailable);
}

#[tokio::test]
async fn socket_of_the_other_family_does_not_connect() {
    within(async {
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(TcpSocket::new_v6().unwrap().connect(address).await.is_err());
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
        assert!(TcpSocket::new_v4().unwrap().connect(v6).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn connect_waits_while_the_backlog_is_full() {
    within(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(loopback()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        // More than fit: at least the last is left without an answer.
        let mut connected = Vec::new();
        let mut waited = false;
        for _ in 0..8 {
            let connect = TcpStream::connect(address);
            match tokio::time::timeout(Duration::from_millis(150), connect).await {
                Ok(stream) => connected.push(stream.unwrap()),
                Err(elapsed) => {
                    // What a user's code turns into an error has that kind.
                    let error = std::io::Error::from(elapsed);
                    assert_eq!(error.kind(), ErrorKind::TimedOut);
                    waited = true;
                    break;
                }
            }
        }
        assert!(waited, "{} connections fit a backlog of 1", connected.len());
        for _ in 0..connected.len() {
            listener.accept().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn waiting_connect_succeeds_once_there_is_room() {
    within(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(loopback()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let connects = (0..6).map(|_| tokio::spawn(TcpStream::connect(address)));
        let connects: Vec<_> = connects.collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let server = tokio::spawn(async move {
            let mut kept = Vec::new();
            for _ in 0..6 {
                kept.push(listener.accept().await.unwrap());
            }
            kept
        });
        for connect in connects {
            connect.await.unwrap().unwrap();
        }
        server.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn abandoned_connect_leaves_nothing_behind() {
    within(async {
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        for _ in 0..20 {
            let socket = TcpSocket::new_v4().unwrap();
            // Polled at most once, then dropped.
            let _ = tokio::time::timeout(Duration::ZERO, socket.connect(address)).await;
        }
        let near = TcpStream::connect(address).await.unwrap();
        let local = near.local_addr().unwrap();
        while listener.accept().await.unwrap().1 != local {}
    })
    .await;
}

#[tokio::test]
async fn socket_from_std_stream_keeps_its_descriptor() {
    within(async {
        use std::os::fd::AsRawFd;
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        let fd = socket.as_raw_fd();
        let near = socket
            .connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        assert_eq!(near.as_raw_fd(), fd);
    })
    .await;
}
