//! Listening for TCP connections.

use std::collections::HashSet;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use behaviour::{kind, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

#[tokio::test]
async fn port_0_becomes_a_real_port() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
    assert_ne!(address.port(), 0);
}

#[tokio::test]
async fn given_port_is_kept() {
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = first.local_addr().unwrap();
    drop(first);
    let second = TcpListener::bind(address).await.unwrap();
    assert_eq!(second.local_addr().unwrap(), address);
}

#[tokio::test]
async fn accept_tells_the_peers_address() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (far, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, near.local_addr().unwrap());
        assert_eq!(far.peer_addr().unwrap(), peer);
        assert_eq!(far.local_addr().unwrap(), listener.local_addr().unwrap());
        assert_eq!(near.peer_addr().unwrap(), listener.local_addr().unwrap());
    })
    .await;
}

#[tokio::test]
async fn every_connection_has_its_own_peer_address() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connected = Vec::new();
        for _ in 0..20 {
            connected.push(TcpStream::connect(address).await.unwrap());
        }
        let expected: HashSet<SocketAddr> =
            connected.iter().map(|s| s.local_addr().unwrap()).collect();
        let mut seen = HashSet::new();
        for _ in 0..20 {
            seen.insert(listener.accept().await.unwrap().1);
        }
        assert_eq!(seen, expected);
    })
    .await;
}

#[tokio::test]
async fn accept_waits_for_a_connection() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let early = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(early.is_err());
        let near = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            TcpStream::connect(address).await.unwrap()
        });
        listener.accept().await.unwrap();
        near.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn accept_can_be_cancelled_and_repeated() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        for _ in 0..20 {
            let _ = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
        }
        let near = TcpStream::connect(address).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, near.local_addr().unwrap());
    })
    .await;
}

#[tokio::test]
async fn connections_made_before_accept_all_arrive() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connected = Vec::new();
        for i in 0..50u8 {
            let mut near = TcpStream::connect(address).await.unwrap();
            near.write_u8(i).await.unwrap();
            connected.push(near);
        }
        let mut seen = HashSet::new();
        for _ in 0..50 {
            let (mut far, _) = listener.accept().await.unwrap();
            seen.insert(far.read_u8().await.unwrap());
        }
        assert_eq!(seen.len(), 50);
    })
    .await;
}

#[tokio::test]
async fn one_readiness_serves_a_burst_of_connections() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            for _ in 0..30 {
                let (mut far, _) = listener.accept().await.unwrap();
                far.write_all(b"x").await.unwrap();
            }
        });
        let connect = |_| async move {
            let mut near = TcpStream::connect(address).await.unwrap();
            assert_eq!(near.read_u8().await.unwrap(), b'x');
        };
        futures::future::join_all((0..30).map(connect)).await;
        server.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn two_tasks_may_poll_one_listener() {
    within(async {
        let listener = std::sync::Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let acceptor = |listener: std::sync::Arc<TcpListener>| {
            tokio::spawn(async move { listener.accept().await.unwrap().1 })
        };
        let (one, two) = (acceptor(listener.clone()), acceptor(listener.clone()));
        tokio::task::yield_now().await;
        let a = TcpStream::connect(address).await.unwrap();
        let b = TcpStream::connect(address).await.unwrap();
        let seen = HashSet::from([one.await.unwrap(), two.await.unwrap()]);
        let expected = HashSet::from([a.local_addr().unwrap(), b.local_addr().unwrap()]);
        assert_eq!(seen, expected);
    })
    .await;
}

#[tokio::test]
async fn poll_accept_is_pending_then_ready() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        poll_fn(|cx| {
            assert!(listener.poll_accept(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        let near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (_, peer) = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
        assert_eq!(peer, near.local_addr().unwrap());
    })
    .await;
}

#[tokio::test]
async fn address_in_use_is_reported() {
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let second = TcpListener::bind(first.local_addr().unwrap()).await;
    assert_eq!(kind(second), ErrorKind::AddrInUse);
}

#[tokio::test]
async fn first_free_address_of_several_is_bound() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken_at = taken.local_addr().unwrap();
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listener = TcpListener::bind(&[taken_at, free][..]).await.unwrap();
    assert_ne!(listener.local_addr().unwrap(), taken_at);
}

#[tokio::test]
async fn address_of_no_local_interface_is_not_available() {
    // 192.0.2.0/24 is kept for documentation: no interface has it.
    let result = TcpListener::bind("192.0.2.1:0").await;
    assert_eq!(kind(result), ErrorKind::AddrNotAvailable);
}

#[tokio::test]
async fn closed_listener_can_be_bound_again_at_once() {
    within(async {
        let mut address: SocketAddr = "127.0.0.1:0".parse().unwrap();
        // The server side closes first, so its port has sockets in TIME_WAIT.
        for _ in 0..5 {
            let listener = TcpListener::bind(address).await.unwrap();
            address = listener.local_addr().unwrap();
            let mut near = TcpStream::connect(address).await.unwrap();
            let (far, _) = listener.accept().await.unwrap();
            drop(far);
            assert_eq!(near.read(&mut [0; 1]).await.unwrap(), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn dropped_listener_refuses_and_resets() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = TcpStream::connect(address).await.unwrap();
        drop(listener);
        // Connected but never accepted: the kernel resets it.
        assert_eq!(
            kind(waiting.read(&mut [0; 1]).await),
            ErrorKind::ConnectionReset
        );
        assert_eq!(
            kind(TcpStream::connect(address).await),
            ErrorKind::ConnectionRefused
        );
    })
    .await;
}

#[tokio::test]
async fn connection_closed_before_accept_is_still_accepted() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut near = TcpStream::connect(address).await.unwrap();
        near.write_all(b"bye").await.unwrap();
        drop(near);
        let (mut far, _) = listener.accept().await.unwrap();
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"bye");
    })
    .await;
}

#[tokio::test]
async fn connection_reset_before_accept_does_not_end_the_listener() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let near = TcpStream::connect(address).await.unwrap();
        near.set_zero_linger().unwrap();
        drop(near);
        let good = TcpStream::connect(address).await.unwrap();
        // Natively the reset connection may or may not be handed out, and an
        // error of it is the caller's to skip. The next one must come.
        loop {
            if let Ok((_, peer)) = listener.accept().await {
                if peer == good.local_addr().unwrap() {
                    break;
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn listener_survives_into_std_and_from_std() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let std = listener.into_std().unwrap();
        let listener = TcpListener::from_std(std).unwrap();
        assert_eq!(listener.local_addr().unwrap(), address);
        let mut near = TcpStream::connect(address).await.unwrap();
        let (mut far, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, near.local_addr().unwrap());
        far.write_u8(9).await.unwrap();
        assert_eq!(near.read_u8().await.unwrap(), 9);
    })
    .await;
}

#[tokio::test]
async fn listener_from_a_socket_has_its_backlog_and_address() {
    within(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let listener = socket.listen(4).unwrap();
        assert_eq!(listener.local_addr().unwrap(), address);
        let near = TcpStream::connect(address).await.unwrap();
        assert_eq!(
            listener.accept().await.unwrap().1,
            near.local_addr().unwrap()
        );
    })
    .await;
}

#[tokio::test]
async fn debug_output_names_the_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    assert!(format!("{listener:?}").contains("TcpListener"));
}

#[tokio::test(flavor = "multi_thread")]
async fn server_with_a_task_per_connection_serves_all() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut far, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let (mut reader, mut writer) = far.split();
                    tokio::io::copy(&mut reader, &mut writer).await.unwrap();
                });
            }
        });
        let clients: Vec<_> = (0..40u32)
            .map(|i| {
                tokio::spawn(async move {
                    let mut near = TcpStream::connect(address).await.unwrap();
                    near.write_u32(i).await.unwrap();
                    assert_eq!(near.read_u32().await.unwrap(), i);
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
    })
    .await;
}
