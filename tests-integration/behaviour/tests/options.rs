//! Socket options.

use std::net::Ipv4Addr;
use std::time::Duration;

use behaviour::{not_plain, tcp_pair, within};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, UdpSocket};

#[tokio::test]
async fn nodelay_says_what_was_asked() {
    within(async {
        let (near, far) = tcp_pair().await;
        for stream in [&near, &far] {
            assert!(!stream.nodelay().unwrap());
            stream.set_nodelay(true).unwrap();
            assert!(stream.nodelay().unwrap());
            stream.set_nodelay(false).unwrap();
            assert!(!stream.nodelay().unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn nodelay_of_one_stream_is_not_that_of_another() {
    within(async {
        let (near, far) = tcp_pair().await;
        near.set_nodelay(true).unwrap();
        assert!(!far.nodelay().unwrap());
        drop((near, far));
        // Nor of one that comes after, whatever descriptor it gets.
        for _ in 0..20 {
            let (near, far) = tcp_pair().await;
            assert!(!near.nodelay().unwrap());
            assert!(!far.nodelay().unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn nodelay_of_a_socket_stays_with_its_stream() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        assert!(!socket.nodelay().unwrap());
        socket.set_nodelay(true).unwrap();
        assert!(socket.nodelay().unwrap());
        let near = socket
            .connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        assert!(near.nodelay().unwrap());
    })
    .await;
}

#[tokio::test]
async fn linger_is_off_until_set() {
    within(async {
        let (near, _far) = tcp_pair().await;
        assert_eq!(near.linger().unwrap(), None);
        #[allow(deprecated)] // It blocks on drop; here it is only set and read.
        for value in [Some(Duration::from_secs(3)), None] {
            near.set_linger(value).unwrap();
            assert_eq!(near.linger().unwrap(), value);
        }
        near.set_zero_linger().unwrap();
        assert_eq!(near.linger().unwrap(), Some(Duration::ZERO));
    })
    .await;
}

#[tokio::test]
async fn linger_of_a_socket_is_set_and_read() {
    let socket = TcpSocket::new_v4().unwrap();
    assert_eq!(socket.linger().unwrap(), None);
    socket.set_zero_linger().unwrap();
    assert_eq!(socket.linger().unwrap(), Some(Duration::ZERO));
}

#[tokio::test]
async fn zero_linger_resets() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        near.set_zero_linger().unwrap();
        drop(near);
        let error = far.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    })
    .await;
}

#[tokio::test]
async fn keepalive_is_off_until_set() {
    let socket = TcpSocket::new_v4().unwrap();
    assert!(!socket.keepalive().unwrap());
    socket.set_keepalive(true).unwrap();
    assert!(socket.keepalive().unwrap());
    socket.set_keepalive(false).unwrap();
    assert!(!socket.keepalive().unwrap());
}

#[tokio::test]
async fn reuseaddr_is_off_until_set() {
    let socket = TcpSocket::new_v4().unwrap();
    assert!(!socket.reuseaddr().unwrap());
    socket.set_reuseaddr(true).unwrap();
    assert!(socket.reuseaddr().unwrap());
    socket.set_reuseaddr(false).unwrap();
    assert!(!socket.reuseaddr().unwrap());
}

#[tokio::test]
async fn buffer_sizes_are_set_and_read() {
    let socket = TcpSocket::new_v4().unwrap();
    // Linux doubles what is asked, for its own bookkeeping.
    let factor = if cfg!(any(target_os = "linux", target_os = "wasi")) {
        2
    } else {
        1
    };
    for size in [16 * 1024, 65_536] {
        socket.set_send_buffer_size(size).unwrap();
        assert_eq!(socket.send_buffer_size().unwrap(), size * factor);
        socket.set_recv_buffer_size(size).unwrap();
        assert_eq!(socket.recv_buffer_size().unwrap(), size * factor);
    }
}

#[tokio::test]
async fn unset_buffer_sizes_are_the_systems() {
    let socket = TcpSocket::new_v4().unwrap();
    assert!(socket.send_buffer_size().unwrap() >= 4096);
    assert!(socket.recv_buffer_size().unwrap() >= 4096);
}

#[tokio::test]
async fn small_send_buffer_fills_early() {
    within(async {
        let listen = TcpSocket::new_v4().unwrap();
        listen.set_recv_buffer_size(8192).unwrap();
        listen.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = listen.listen(1).unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(8192).unwrap();
        let near = socket
            .connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let mut sent = 0;
        near.writable().await.unwrap();
        while let Ok(n) = near.try_write(&[0; 1024]) {
            sent += n;
            assert!(sent < 1 << 20, "a small buffer took {sent} bytes");
        }
    })
    .await;
}

#[tokio::test]
async fn ttl_is_set_or_unsupported() {
    within(async {
        let (near, _far) = tcp_pair().await;
        not_plain(near.set_ttl(42));
        if let Some(ttl) = not_plain(near.ttl()) {
            assert_eq!(ttl, 42);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        not_plain(listener.set_ttl(43));
        if let Some(ttl) = not_plain(listener.ttl()) {
            assert_eq!(ttl, 43);
        }
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        not_plain(socket.set_ttl(44));
        if let Some(ttl) = not_plain(socket.ttl()) {
            assert_eq!(ttl, 44);
        }
    })
    .await;
}

#[tokio::test]
async fn multicast_is_set_or_unsupported() {
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    not_plain(socket.set_multicast_loop_v4(false));
    if let Some(on) = not_plain(socket.multicast_loop_v4()) {
        assert!(!on);
    }
    not_plain(socket.set_multicast_ttl_v4(5));
    if let Some(ttl) = not_plain(socket.multicast_ttl_v4()) {
        assert_eq!(ttl, 5);
    }
    let group = Ipv4Addr::new(239, 1, 2, 3);
    not_plain(socket.join_multicast_v4(group, Ipv4Addr::LOCALHOST));
    not_plain(socket.leave_multicast_v4(group, Ipv4Addr::LOCALHOST));
}

#[tokio::test]
async fn multicast_over_ipv6_is_set_or_unsupported() {
    let socket = UdpSocket::bind("[::]:0").await.unwrap();
    not_plain(socket.set_multicast_loop_v6(false));
    if let Some(on) = not_plain(socket.multicast_loop_v6()) {
        assert!(!on);
    }
    let group = "ff02::123".parse().unwrap();
    // Interface 1 is the loopback interface.
    not_plain(socket.join_multicast_v6(&group, 1));
    not_plain(socket.leave_multicast_v6(&group, 1));
}

#[tokio::test]
async fn unsupported_option_leaves_the_socket_usable() {
    within(async {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let _ = a.set_ttl(9);
        let _ = a.multicast_loop_v4();
        a.send_to(b"x", b.local_addr().unwrap()).await.unwrap();
        assert_eq!(b.recv(&mut [0; 2]).await.unwrap(), 1);
    })
    .await;
}
