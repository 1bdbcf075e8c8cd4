//! Options that libraries set through socket2, on tokio's own sockets.

use std::net::SocketAddr;
use std::time::Duration;

use behaviour::{not_plain, tcp_pair, within};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

#[tokio::test]
async fn options_of_a_stream_are_reached() {
    within(async {
        let (near, _far) = tcp_pair().await;
        let socket = SockRef::from(&near);
        assert!(!socket.keepalive().unwrap());
        socket.set_keepalive(true).unwrap();
        assert!(socket.keepalive().unwrap());
        socket.set_linger(Some(Duration::from_secs(2))).unwrap();
        assert_eq!(socket.linger().unwrap(), Some(Duration::from_secs(2)));
        socket.set_linger(None).unwrap();
        assert_eq!(near.linger().unwrap(), None);
        assert_eq!(socket.r#type().unwrap(), Type::STREAM);
    })
    .await;
}

#[tokio::test]
async fn addresses_are_those_of_the_stream() {
    within(async {
        let (near, _far) = tcp_pair().await;
        let socket = SockRef::from(&near);
        assert_eq!(
            socket.local_addr().unwrap().as_socket(),
            Some(near.local_addr().unwrap())
        );
        assert_eq!(
            socket.peer_addr().unwrap().as_socket(),
            Some(near.peer_addr().unwrap())
        );
    })
    .await;
}

#[tokio::test]
async fn only_v6_is_set_or_unsupported() {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP)).unwrap();
    not_plain(socket.set_only_v6(true));
    if let Some(on) = not_plain(socket.only_v6()) {
        assert!(on);
    }
}

#[tokio::test]
async fn listener_made_by_socket2_serves_tokio() {
    within(async {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&any.into()).unwrap();
        socket.listen(16).unwrap();
        let listener = TcpListener::from_std(socket.into()).unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, near.local_addr().unwrap());
    })
    .await;
}

#[tokio::test]
async fn datagram_socket_made_by_socket2_serves_tokio() {
    within(async {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&any.into()).unwrap();
        let a = UdpSocket::from_std(socket.into()).unwrap();
        let b = UdpSocket::bind(any).await.unwrap();
        b.send_to(b"hi", a.local_addr().unwrap()).await.unwrap();
        let (n, from) = a.recv_from(&mut [0; 4]).await.unwrap();
        assert_eq!((n, from), (2, b.local_addr().unwrap()));
    })
    .await;
}

#[tokio::test]
async fn buffer_sizes_agree() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(32_768).unwrap();
    let other = SockRef::from(&socket);
    assert_eq!(
        other.recv_buffer_size().unwrap(),
        socket.recv_buffer_size().unwrap() as usize
    );
}
