//! Failures have the kinds that native failures have.

use std::io::{self, ErrorKind};
use std::time::Duration;

use behaviour::{closed_port, kind, tcp_pair, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

/// Resets the connection: closing with a linger time of 0 sends a reset.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

#[tokio::test]
async fn refused_connect_is_connection_refused() {
    within(async {
        let closed = closed_port("127.0.0.1:0").await;
        for _ in 0..10 {
            assert_eq!(
                kind(TcpStream::connect(closed).await),
                ErrorKind::ConnectionRefused
            );
        }
    })
    .await;
}

#[tokio::test]
async fn refused_connect_fails_fast() {
    within(async {
        let closed = closed_port("127.0.0.1:0").await;
        let start = std::time::Instant::now();
        TcpStream::connect(closed).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(2));
    })
    .await;
}

#[tokio::test]
async fn refused_connect_has_a_readable_message() {
    within(async {
        let closed = closed_port("127.0.0.1:0").await;
        let error = TcpStream::connect(closed).await.unwrap_err();
        let message = error.to_string();
        assert!(message.contains("refused"), "{message:?}");
    })
    .await;
}

#[tokio::test]
async fn many_refused_connects_at_once_all_fail() {
    within(async {
        let closed = closed_port("127.0.0.1:0").await;
        let attempts = (0..50).map(|_| TcpStream::connect(closed));
        for result in futures::future::join_all(attempts).await {
            assert_eq!(kind(result), ErrorKind::ConnectionRefused);
        }
    })
    .await;
}

#[tokio::test]
async fn address_in_use_has_a_readable_message() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = TcpListener::bind(listener.local_addr().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains("in use"), "{error}");
}

#[tokio::test]
async fn read_after_the_peers_reset_is_connection_reset() {
    within(async {
        let (mut near, far) = tcp_pair().await;
        reset(far);
        assert_eq!(
            kind(near.read(&mut [0; 8]).await),
            ErrorKind::ConnectionReset
        );
        // The error is told once; what follows is the end.
        assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn reset_wakes_a_waiting_reader() {
    within(async {
        let (mut near, far) = tcp_pair().await;
        let reader = tokio::spawn(async move { kind(near.read(&mut [0; 8]).await) });
        tokio::time::sleep(Duration::from_millis(20)).await;
        reset(far);
        assert_eq!(reader.await.unwrap(), ErrorKind::ConnectionReset);
    })
    .await;
}

#[tokio::test]
async fn unread_data_turns_a_close_into_a_reset() {
    within(async {
        let (mut near, far) = tcp_pair().await;
        near.write_all(b"never read").await.unwrap();
        far.readable().await.unwrap();
        drop(far);
        assert_eq!(
            kind(near.read(&mut [0; 8]).await),
            ErrorKind::ConnectionReset
        );
    })
    .await;
}

#[tokio::test]
async fn write_after_the_peers_reset_fails_then_is_a_broken_pipe() {
    within(async {
        let (mut near, far) = tcp_pair().await;
        reset(far);
        near.readable().await.unwrap();
        assert_eq!(kind(near.write(b"x").await), ErrorKind::ConnectionReset);
        assert_eq!(kind(near.write(b"x").await), ErrorKind::BrokenPipe);
        assert_eq!(kind(near.write(b"x").await), ErrorKind::BrokenPipe);
    })
    .await;
}

#[tokio::test]
async fn reset_in_the_middle_of_a_large_write_ends_it() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let writer = tokio::spawn(async move {
            let block = vec![0; 1 << 20];
            loop {
                if let Err(error) = near.write_all(&block).await {
                    return error.kind();
                }
            }
        });
        far.read_exact(&mut vec![0; 3 << 20]).await.unwrap();
        reset(far);
        let ended = writer.await.unwrap();
        assert!(
            matches!(ended, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            "{ended:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn reset_wakes_a_writer_stuck_on_a_full_buffer() {
    within(async {
        let (mut near, far) = tcp_pair().await;
        let writer = tokio::spawn(async move {
            let block = vec![0; 1 << 20];
            loop {
                if let Err(error) = near.write_all(&block).await {
                    return error.kind();
                }
            }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!writer.is_finished());
        reset(far);
        let ended = writer.await.unwrap();
        assert!(
            matches!(ended, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            "{ended:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn write_after_ones_own_shutdown_is_a_broken_pipe() {
    within(async {
        let (mut near, _far) = tcp_pair().await;
        near.shutdown().await.unwrap();
        assert_eq!(kind(near.write(b"x").await), ErrorKind::BrokenPipe);
    })
    .await;
}

#[tokio::test]
async fn broken_pipe_has_a_readable_message() {
    within(async {
        let (mut near, _far) = tcp_pair().await;
        near.shutdown().await.unwrap();
        let error = near.write(b"x").await.unwrap_err();
        assert!(error.to_string().contains("roken pipe"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn write_to_a_closed_peer_fails_in_the_end() {
    within(async {
        let (mut near, far) = tcp_pair().await;
        drop(far);
        // The first write goes out and is answered with a reset.
        let ended = loop {
            match near.write(b"x").await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => break error.kind(),
            }
        };
        assert!(
            matches!(ended, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            "{ended:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn shutdown_after_the_peers_reset_is_fine() {
    within(async {
        let (mut near, far) = tcp_pair().await;
        reset(far);
        assert!(near.read(&mut [0; 8]).await.is_err());
        near.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn shutdown_twice_is_fine() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        near.shutdown().await.unwrap();
        near.shutdown().await.unwrap();
        assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0);
        far.shutdown().await.unwrap();
        near.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn take_error_tells_and_clears_a_reset() {
    within(async {
        let (near, far) = tcp_pair().await;
        reset(far);
        near.readable().await.unwrap();
        let error = near.take_error().unwrap().expect("a pending error");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(near.take_error().unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn peer_address_after_a_reset_is_not_connected() {
    within(async {
        let (mut near, far) = tcp_pair().await;
        let local = near.local_addr().unwrap();
        reset(far);
        assert!(near.read(&mut [0; 8]).await.is_err());
        assert_eq!(kind(near.peer_addr()), ErrorKind::NotConnected);
        assert_eq!(near.local_addr().unwrap().port(), local.port());
    })
    .await;
}

#[tokio::test]
async fn unreachable_network_is_network_unreachable() {
    within(async {
        // A stream cannot go to a group of hosts: with or without a route,
        // the kernel says that the network is unreachable.
        for group in ["224.0.0.1:9", "[ff02::1]:9"] {
            let error = TcpStream::connect(group).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NetworkUnreachable, "{group}");
        }
    })
    .await;
}

#[tokio::test]
async fn address_that_cannot_be_parsed_is_invalid_input() {
    within(async {
        for text in [
            "localhost",
            "",
            ":",
            "127.0.0.1",
            "127.0.0.1:http!",
            "a:70000",
        ] {
            let result = TcpStream::connect(text).await;
            assert_eq!(kind(result), ErrorKind::InvalidInput, "{text:?}");
        }
        assert_eq!(
            kind(TcpListener::bind("no port").await),
            ErrorKind::InvalidInput
        );
        assert_eq!(
            kind(UdpSocket::bind("no port").await),
            ErrorKind::InvalidInput
        );
    })
    .await;
}

#[tokio::test]
async fn elapsed_timeout_becomes_timed_out() {
    within(async {
        let (mut near, _far) = tcp_pair().await;
        let result: io::Result<usize> = async {
            tokio::time::timeout(Duration::from_millis(10), near.read(&mut [0; 1])).await?
        }
        .await;
        assert_eq!(kind(result), ErrorKind::TimedOut);
    })
    .await;
}

#[tokio::test]
async fn listening_on_a_connected_port_is_address_in_use() {
    within(async {
        let (near, _far) = tcp_pair().await;
        let socket = TcpSocket::new_v4().unwrap();
        let result = socket.bind(near.local_addr().unwrap());
        assert_eq!(kind(result), ErrorKind::AddrInUse);
    })
    .await;
}

#[tokio::test]
async fn error_of_one_connection_leaves_the_others_alone() {
    within(async {
        let (mut a, mut b) = tcp_pair().await;
        for _ in 0..20 {
            let (mut near, far) = tcp_pair().await;
            reset(far);
            assert!(near.read(&mut [0; 1]).await.is_err());
        }
        a.write_u32(1).await.unwrap();
        assert_eq!(b.read_u32().await.unwrap(), 1);
    })
    .await;
}
