//! UDP sockets.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use behaviour::{kind, within, Random};
use tokio::io::{Interest, ReadBuf};
use tokio::net::UdpSocket;
use tokio::time::timeout;

async fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

/// An address at which no socket is: it was free a moment ago.
async fn nobody() -> SocketAddr {
    socket().await.local_addr().unwrap()
}

/// Two sockets connected to each other.
async fn connected_pair() -> (UdpSocket, UdpSocket) {
    let (a, b) = (socket().await, socket().await);
    a.connect(b.local_addr().unwrap()).await.unwrap();
    b.connect(a.local_addr().unwrap()).await.unwrap();
    (a, b)
}

#[tokio::test]
async fn port_0_becomes_a_real_port() {
    let address = socket().await.local_addr().unwrap();
    assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
    assert_ne!(address.port(), 0);
}

#[tokio::test]
async fn datagram_carries_its_senders_address() {
    within(async {
        let (a, b) = (socket().await, socket().await);
        assert_eq!(
            a.send_to(b"hello", b.local_addr().unwrap()).await.unwrap(),
            5
        );
        let mut got = [0; 16];
        let (n, from) = b.recv_from(&mut got).await.unwrap();
        assert_eq!(&got[..n], b"hello");
        assert_eq!(from, a.local_addr().unwrap());
        b.send_to(b"back", from).await.unwrap();
        let (n, from) = a.recv_from(&mut got).await.unwrap();
        assert_eq!(&got[..n], b"back");
        assert_eq!(from, b.local_addr().unwrap());
    })
    .await;
}

#[tokio::test]
async fn connected_sockets_send_and_receive() {
    within(async {
        let (a, b) = connected_pair().await;
        assert_eq!(a.peer_addr().unwrap(), b.local_addr().unwrap());
        assert_eq!(b.peer_addr().unwrap(), a.local_addr().unwrap());
        let mut got = [0; 16];
        for i in 0..10u8 {
            assert_eq!(a.send(&[i; 3]).await.unwrap(), 3);
            assert_eq!(b.recv(&mut got).await.unwrap(), 3);
            assert_eq!(got[0], i);
        }
    })
    .await;
}

#[tokio::test]
async fn unconnected_socket_has_no_peer() {
    assert_eq!(kind(socket().await.peer_addr()), ErrorKind::NotConnected);
}

#[tokio::test]
async fn send_without_a_peer_is_an_error() {
    within(async {
        assert!(socket().await.send(b"x").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn connected_socket_hears_only_its_peer() {
    within(async {
        let (a, b) = connected_pair().await;
        let stranger = socket().await;
        stranger
            .send_to(b"noise", b.local_addr().unwrap())
            .await
            .unwrap();
        a.send(b"signal").await.unwrap();
        let mut got = [0; 16];
        let n = b.recv(&mut got).await.unwrap();
        assert_eq!(&got[..n], b"signal");
    })
    .await;
}

#[tokio::test]
async fn connecting_again_changes_the_peer() {
    within(async {
        let (a, b, c) = (socket().await, socket().await, socket().await);
        a.connect(b.local_addr().unwrap()).await.unwrap();
        a.send(b"to b").await.unwrap();
        a.connect(c.local_addr().unwrap()).await.unwrap();
        assert_eq!(a.peer_addr().unwrap(), c.local_addr().unwrap());
        a.send(b"to c").await.unwrap();
        let mut got = [0; 16];
        let n = b.recv(&mut got).await.unwrap();
        assert_eq!(&got[..n], b"to b");
        let n = c.recv(&mut got).await.unwrap();
        assert_eq!(&got[..n], b"to c");
    })
    .await;
}

#[tokio::test]
async fn receive_waits_for_a_datagram() {
    within(async {
        let (a, b) = connected_pair().await;
        let mut got = [0; 4];
        assert!(timeout(Duration::from_millis(40), b.recv(&mut got))
            .await
            .is_err());
        let sender = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            a.send(b"late").await.unwrap();
            a
        });
        assert_eq!(b.recv(&mut got).await.unwrap(), 4);
        sender.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn datagrams_stay_apart_and_in_order() {
    within(async {
        let (a, b) = connected_pair().await;
        for i in 1..=30u8 {
            a.send(&vec![i; i as usize]).await.unwrap();
        }
        let mut got = [0; 64];
        for i in 1..=30u8 {
            assert_eq!(b.recv(&mut got).await.unwrap(), i as usize);
            assert!(got[..i as usize].iter().all(|byte| *byte == i));
        }
    })
    .await;
}

#[tokio::test]
async fn empty_datagram_is_a_datagram() {
    within(async {
        let (a, b) = (socket().await, socket().await);
        assert_eq!(a.send_to(b"", b.local_addr().unwrap()).await.unwrap(), 0);
        let (n, from) = b.recv_from(&mut [0; 4]).await.unwrap();
        assert_eq!((n, from), (0, a.local_addr().unwrap()));
    })
    .await;
}

#[tokio::test]
async fn too_small_a_buffer_cuts_the_datagram() {
    within(async {
        let (a, b) = connected_pair().await;
        a.send(b"0123456789").await.unwrap();
        a.send(b"next").await.unwrap();
        let mut got = [0; 4];
        assert_eq!(b.recv(&mut got).await.unwrap(), 4);
        assert_eq!(&got, b"0123");
        // The rest of the first is gone.
        assert_eq!(b.recv(&mut got).await.unwrap(), 4);
        assert_eq!(&got, b"next");
    })
    .await;
}

#[tokio::test]
async fn largest_datagram_passes_and_a_larger_does_not() {
    within(async {
        let (a, b) = connected_pair().await;
        let data = Random::new(6).bytes(65_507);
        a.send(&data).await.unwrap();
        let mut got = vec![0; 70_000];
        let n = b.recv(&mut got).await.unwrap();
        assert!(got[..n] == data);
        assert!(a.send(&vec![0; 65_508]).await.is_err());
        // The failure is the datagram's, not the socket's.
        a.send(b"ok").await.unwrap();
        assert_eq!(b.recv(&mut got).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn peek_shows_the_datagram_and_leaves_it() {
    within(async {
        let (a, b) = connected_pair().await;
        a.send(b"peeked").await.unwrap();
        let mut got = [0; 16];
        for _ in 0..2 {
            assert_eq!(b.peek(&mut got).await.unwrap(), 6);
            assert_eq!(&got[..6], b"peeked");
        }
        let (n, from) = b.peek_from(&mut got).await.unwrap();
        assert_eq!((n, from), (6, a.local_addr().unwrap()));
        assert_eq!(b.peek_sender().await.unwrap(), a.local_addr().unwrap());
        assert_eq!(b.recv(&mut got).await.unwrap(), 6);
        assert_eq!(kind(b.try_recv(&mut got)), ErrorKind::WouldBlock);
    })
    .await;
}

#[tokio::test]
async fn try_calls_without_data_would_block() {
    within(async {
        let (a, b) = connected_pair().await;
        let mut got = [0; 4];
        assert_eq!(kind(b.try_recv(&mut got)), ErrorKind::WouldBlock);
        assert_eq!(kind(b.try_recv_from(&mut got)), ErrorKind::WouldBlock);
        a.writable().await.unwrap();
        assert_eq!(a.try_send(b"try").unwrap(), 3);
        loop {
            b.readable().await.unwrap();
            match b.try_recv_from(&mut got) {
                Ok((n, from)) => {
                    assert_eq!((n, from), (3, a.local_addr().unwrap()));
                    break;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        let stranger = socket().await;
        stranger.writable().await.unwrap();
        assert_eq!(
            stranger
                .try_send_to(b"to", a.local_addr().unwrap())
                .unwrap(),
            2
        );
    })
    .await;
}

#[tokio::test]
async fn growing_buffers_take_a_datagram() {
    within(async {
        let (a, b) = connected_pair().await;
        a.send(b"first").await.unwrap();
        a.send(b"second").await.unwrap();
        let mut buffer = Vec::with_capacity(32);
        assert_eq!(b.recv_buf(&mut buffer).await.unwrap(), 5);
        let (n, from) = b.recv_buf_from(&mut buffer).await.unwrap();
        assert_eq!((n, from), (6, a.local_addr().unwrap()));
        assert_eq!(buffer, b"firstsecond");
    })
    .await;
}

#[tokio::test]
async fn poll_calls_send_and_receive() {
    within(async {
        let (a, b) = connected_pair().await;
        poll_fn(|cx| a.poll_send(cx, b"polled")).await.unwrap();
        let mut memory = [0; 16];
        let mut buffer = ReadBuf::new(&mut memory);
        let from = poll_fn(|cx| b.poll_recv_from(cx, &mut buffer))
            .await
            .unwrap();
        assert_eq!(from, a.local_addr().unwrap());
        assert_eq!(buffer.filled(), b"polled");
        let pending = poll_fn(|cx| Poll::Ready(b.poll_recv(cx, &mut buffer).is_pending())).await;
        assert!(pending);
        let to = b.local_addr().unwrap();
        let stranger = socket().await;
        poll_fn(|cx| stranger.poll_send_to(cx, b"x", to))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn socket_is_shared_by_sender_and_receiver_tasks() {
    within(async {
        let (a, b) = connected_pair().await;
        let a = Arc::new(a);
        let echo = tokio::spawn(async move {
            let mut got = [0; 16];
            for _ in 0..100 {
                let n = b.recv(&mut got).await.unwrap();
                b.send(&got[..n]).await.unwrap();
            }
        });
        let receiver = {
            let a = a.clone();
            tokio::spawn(async move {
                let mut got = [0; 4];
                for _ in 0..100 {
                    assert_eq!(a.recv(&mut got).await.unwrap(), 4);
                }
            })
        };
        for i in 0..100u32 {
            a.send(&i.to_be_bytes()).await.unwrap();
            // UDP drops what does not fit the buffers: stay below them.
            tokio::task::yield_now().await;
        }
        echo.await.unwrap();
        receiver.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn ready_tells_writable() {
    within(async {
        let socket = socket().await;
        let ready = socket
            .ready(Interest::READABLE | Interest::WRITABLE)
            .await
            .unwrap();
        assert!(ready.is_writable());
        assert!(!ready.is_readable());
    })
    .await;
}

#[tokio::test]
async fn taken_port_is_address_in_use() {
    let first = socket().await;
    let second = UdpSocket::bind(first.local_addr().unwrap()).await;
    assert_eq!(kind(second), ErrorKind::AddrInUse);
}

#[tokio::test]
async fn foreign_address_is_not_available() {
    // 192.0.2.0/24 is kept for documentation: no interface has it.
    let result = UdpSocket::bind("192.0.2.1:0").await;
    assert_eq!(kind(result), ErrorKind::AddrNotAvailable);
}

#[tokio::test]
async fn refused_datagram_is_connection_refused() {
    within(async {
        let socket = socket().await;
        socket.connect(nobody().await).await.unwrap();
        socket.send(b"anyone?").await.unwrap();
        // The port-unreachable message is waiting: reading reports it once.
        assert_eq!(
            kind(socket.recv(&mut [0; 4]).await),
            ErrorKind::ConnectionRefused
        );
    })
    .await;
}

#[tokio::test]
async fn refusal_wakes_a_waiting_receiver_and_the_socket_goes_on() {
    within(async {
        let socket = Arc::new(socket().await);
        let address = nobody().await;
        socket.connect(address).await.unwrap();
        let receiver = {
            let socket = socket.clone();
            tokio::spawn(async move { kind(socket.recv(&mut [0; 4]).await) })
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        socket.send(b"anyone?").await.unwrap();
        assert_eq!(receiver.await.unwrap(), ErrorKind::ConnectionRefused);
        // The error is used up; the same socket serves a peer that comes up.
        let other = UdpSocket::bind(address).await.unwrap();
        socket.send(b"now").await.unwrap();
        let mut got = [0; 4];
        let (n, from) = other.recv_from(&mut got).await.unwrap();
        assert_eq!(n, 3);
        other.send_to(b"yes", from).await.unwrap();
        assert_eq!(socket.recv(&mut got).await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn unread_refusal_does_not_starve_timers_or_tasks() {
    within(async {
        let socket = socket().await;
        socket.connect(nobody().await).await.unwrap();
        let mut got = [0; 4];
        // Interest is registered, then the error comes and is not collected.
        let _ = timeout(Duration::from_millis(5), socket.recv(&mut got)).await;
        socket.send(b"x").await.unwrap();
        let start = std::time::Instant::now();
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert_eq!(
            kind(socket.recv(&mut got).await),
            ErrorKind::ConnectionRefused
        );
    })
    .await;
}

#[tokio::test]
async fn broadcast_is_off_until_asked_for() {
    within(async {
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        assert!(!socket.broadcast().unwrap());
        let to: SocketAddr = "127.255.255.255:9".parse().unwrap();
        assert_eq!(
            kind(socket.send_to(b"x", to).await),
            ErrorKind::PermissionDenied
        );
        socket.set_broadcast(true).unwrap();
        assert!(socket.broadcast().unwrap());
        socket.send_to(b"x", to).await.unwrap();
        socket.set_broadcast(false).unwrap();
        assert!(!socket.broadcast().unwrap());
    })
    .await;
}

#[tokio::test]
async fn socket_survives_into_std_and_from_std() {
    within(async {
        let (a, b) = (socket().await, socket().await);
        let address = a.local_addr().unwrap();
        let a = UdpSocket::from_std(a.into_std().unwrap()).unwrap();
        assert_eq!(a.local_addr().unwrap(), address);
        a.send_to(b"std", b.local_addr().unwrap()).await.unwrap();
        let (n, from) = b.recv_from(&mut [0; 8]).await.unwrap();
        assert_eq!((n, from), (3, address));
    })
    .await;
}

#[tokio::test]
async fn destination_may_be_a_host_name() {
    within(async {
        let (a, b) = (socket().await, socket().await);
        let port = b.local_addr().unwrap().port();
        a.send_to(b"named", ("localhost", port)).await.unwrap();
        let (n, _) = b.recv_from(&mut [0; 8]).await.unwrap();
        assert_eq!(n, 5);
        a.connect(format!("localhost:{port}")).await.unwrap();
        assert_eq!(a.peer_addr().unwrap(), b.local_addr().unwrap());
    })
    .await;
}

#[tokio::test]
async fn take_error_is_none_on_a_healthy_socket() {
    assert!(socket().await.take_error().unwrap().is_none());
}

#[tokio::test]
async fn datagrams_from_many_senders_keep_their_addresses() {
    within(async {
        let server = socket().await;
        let to = server.local_addr().unwrap();
        let mut senders = Vec::new();
        for i in 0..20u8 {
            let sender = socket().await;
            sender.send_to(&[i], to).await.unwrap();
            senders.push(sender);
        }
        for _ in 0..20 {
            let mut got = [0; 1];
            let (_, from) = server.recv_from(&mut got).await.unwrap();
            assert_eq!(from, senders[got[0] as usize].local_addr().unwrap());
        }
    })
    .await;
}
