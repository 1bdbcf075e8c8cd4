//! UDP, natively on std and under WasmEdge on this crate: the same results.

// Natively, the conversions from and to std's types change nothing.
#![cfg_attr(not(target_os = "wasi"), allow(clippy::useless_conversion))]

use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use wasmedge_host::net::{SocketAddr, UdpSocket};

const LOOPBACKS: [&str; 2] = ["127.0.0.1:0", "[::1]:0"];
/// Keeps a test that would hang from hanging.
const SOON: Duration = Duration::from_secs(5);

fn bind(loopback: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(loopback).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

#[test]
fn the_sender_is_known() {
    for loopback in LOOPBACKS {
        let ((a, a_addr), (b, b_addr)) = (bind(loopback), bind(loopback));
        assert_eq!(a.send_to(b"hello", b_addr).unwrap(), 5);
        let mut buf = [0; 16];
        assert_eq!(b.peek_from(&mut buf).unwrap(), (5, a_addr));
        assert_eq!(b.recv_from(&mut buf).unwrap(), (5, a_addr));
        assert_eq!(&buf[..5], b"hello");
    }
}

#[test]
fn connected_sockets() {
    for loopback in LOOPBACKS {
        let ((a, a_addr), (b, b_addr), (c, _)) = (bind(loopback), bind(loopback), bind(loopback));
        assert_eq!(a.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
        a.connect(b_addr).unwrap();
        assert_eq!(a.peer_addr().unwrap(), b_addr);
        assert_eq!(a.send(b"one").unwrap(), 3);
        let mut buf = [0; 16];
        assert_eq!(b.recv_from(&mut buf).unwrap(), (3, a_addr));

        // Datagrams of others are not received.
        c.send_to(b"stranger", a_addr).unwrap();
        b.send_to(b"two!", a_addr).unwrap();
        assert_eq!(a.peek(&mut buf).unwrap(), 4);
        assert_eq!(a.recv(&mut buf).unwrap(), 4);
        assert_eq!(&buf[..4], b"two!");

        // To another address and back.
        let (d, d_addr) = bind(loopback);
        a.connect(d_addr).unwrap();
        a.send(b"three").unwrap();
        assert_eq!(d.recv(&mut buf).unwrap(), 5);
    }
}

#[test]
fn what_does_not_fit_is_lost() {
    let ((a, _), (b, b_addr)) = (bind(LOOPBACKS[0]), bind(LOOPBACKS[0]));
    a.send_to(b"long datagram", b_addr).unwrap();
    a.send_to(b"next", b_addr).unwrap();
    let mut buf = [0; 4];
    assert_eq!(b.recv(&mut buf).unwrap(), 4);
    assert_eq!(&buf, b"long");
    assert_eq!(b.recv(&mut buf).unwrap(), 4);
    assert_eq!(&buf, b"next");
}

#[test]
fn empty_datagrams() {
    let ((a, a_addr), (b, b_addr)) = (bind(LOOPBACKS[0]), bind(LOOPBACKS[0]));
    assert_eq!(a.send_to(b"", b_addr).unwrap(), 0);
    assert_eq!(b.recv_from(&mut [0; 4]).unwrap(), (0, a_addr));
    a.connect(b_addr).unwrap();
    assert_eq!(a.send(b"").unwrap(), 0);
    assert_eq!(b.recv(&mut [0; 4]).unwrap(), 0);
}

#[test]
fn non_blocking() {
    let ((a, a_addr), (b, b_addr)) = (bind(LOOPBACKS[0]), bind(LOOPBACKS[0]));
    b.set_nonblocking(true).unwrap();
    let mut buf = [0; 4];
    for error in [
        b.recv_from(&mut buf).unwrap_err(),
        b.recv(&mut buf).unwrap_err(),
        b.peek(&mut buf).unwrap_err(),
        b.peek_from(&mut buf).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
    a.send_to(b"x", b_addr).unwrap();
    assert_eq!(b.recv_from(&mut buf).unwrap(), (1, a_addr));
}

#[test]
fn blocking_receive_times_out() {
    let (a, _) = bind(LOOPBACKS[0]);
    let timeout = Duration::from_millis(60);
    a.set_read_timeout(Some(timeout)).unwrap();
    a.set_write_timeout(Some(SOON)).unwrap();
    assert_eq!(a.write_timeout().unwrap(), Some(SOON));
    let start = Instant::now();
    let error = a.recv_from(&mut [0; 4]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(start.elapsed() >= timeout / 2, "{:?}", start.elapsed());
}

#[test]
fn nobody_there_is_an_error_of_the_next_call() {
    let (a, _) = bind(LOOPBACKS[0]);
    let deserted = bind(LOOPBACKS[0]).1;
    a.connect(deserted).unwrap();
    a.send(b"x").unwrap();
    assert_eq!(
        a.recv(&mut [0; 4]).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );

    a.send(b"x").unwrap();
    let start = Instant::now();
    let pending = loop {
        if let Some(error) = a.take_error().unwrap() {
            break error;
        }
        assert!(start.elapsed() < SOON);
    };
    assert_eq!(pending.kind(), ErrorKind::ConnectionRefused);
    assert!(a.take_error().unwrap().is_none());
}

#[test]
fn too_large() {
    let ((a, _), (_b, b_addr)) = (bind(LOOPBACKS[0]), bind(LOOPBACKS[0]));
    let datagram = vec![0; 65_508];
    let error = a.send_to(&datagram, b_addr).unwrap_err();
    assert!(error.raw_os_error().is_some(), "{error:?}");
    assert_eq!(a.send_to(&datagram[1..], b_addr).unwrap(), 65_507);
}

#[test]
fn broadcast_needs_leave() {
    let (a, _) = bind(LOOPBACKS[0]);
    assert!(!a.broadcast().unwrap());
    let error = a.send_to(b"x", "255.255.255.255:9").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    a.set_broadcast(true).unwrap();
    assert!(a.broadcast().unwrap());
}

#[test]
fn addresses() {
    let ((a, _), (b, b_addr)) = (bind(LOOPBACKS[0]), bind(LOOPBACKS[0]));
    let again = UdpSocket::bind(b_addr).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AddrInUse);
    let foreign = UdpSocket::bind("192.0.2.1:0").unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::AddrNotAvailable);
    let nowhere: &[SocketAddr] = &[];
    let error = a.send_to(b"x", nowhere).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    a.send_to(b"x", ("localhost", b_addr.port())).unwrap_or(0);
    drop(b);
}

#[test]
fn families_do_not_mix() {
    let ((v4, v4_addr), (v6, v6_addr)) = (bind(LOOPBACKS[0]), bind(LOOPBACKS[1]));
    assert!(v4.send_to(b"x", v6_addr).is_err());
    assert!(v4.connect(v6_addr).is_err());
    assert!(v6.connect(v4_addr).is_err());
}

#[test]
fn mapped_addresses() {
    let v6 = UdpSocket::bind("[::]:0").unwrap();
    let (v4, v4_addr) = bind(LOOPBACKS[0]);
    let mapped = SocketAddr::from((
        std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped(),
        v4_addr.port(),
    ));
    v6.send_to(b"x", mapped).unwrap();
    let (_, from) = v4.recv_from(&mut [0; 4]).unwrap();
    assert_eq!(from.port(), v6.local_addr().unwrap().port());
    v4.send_to(b"yy", from).unwrap();
    v6.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(v6.recv_from(&mut [0; 4]).unwrap(), (2, mapped));
}

#[test]
fn conversions_and_debug() {
    let (a, a_addr) = bind(LOOPBACKS[0]);
    let fd = a.as_raw_fd();
    let a = UdpSocket::from(std::net::UdpSocket::from(a));
    assert_eq!(a.as_raw_fd(), fd);
    assert_eq!(
        format!("{a:?}"),
        format!("UdpSocket {{ addr: {a_addr}, fd: {fd} }}")
    );
    let (b, b_addr) = bind(LOOPBACKS[0]);
    b.send_to(b"abc", a_addr).unwrap();
    assert_eq!(a.recv_from(&mut [0; 4]).unwrap(), (3, b_addr));
}

#[cfg(target_os = "wasi")]
mod mode;

/// Where the host falls short of a native one, without the plugin.
#[cfg(target_os = "wasi")]
mod wasmedge {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::os::fd::OwnedFd;
    use wasmedge_host::net::{TcpListener, TcpStream};

    #[test]
    fn options_need_the_plugin() {
        let (a, _) = bind(LOOPBACKS[0]);
        let (v6, _) = bind(LOOPBACKS[1]);
        let (group, near) = (Ipv4Addr::new(224, 0, 0, 251), Ipv4Addr::LOCALHOST);
        let group6 = Ipv6Addr::from(0xff02 << 112 | 0xfb);
        let results = [
            ("ttl", a.set_ttl(3)),
            ("ttl", a.ttl().map(drop)),
            ("multicast_loop_v4", a.set_multicast_loop_v4(false)),
            ("multicast_loop_v4", a.multicast_loop_v4().map(drop)),
            ("multicast_ttl_v4", a.set_multicast_ttl_v4(3)),
            ("multicast_ttl_v4", a.multicast_ttl_v4().map(drop)),
            ("multicast_loop_v6", v6.set_multicast_loop_v6(false)),
            ("multicast_loop_v6", v6.multicast_loop_v6().map(drop)),
            ("join_multicast_v4", a.join_multicast_v4(&group, &near)),
            ("leave_multicast_v4", a.leave_multicast_v4(&group, &near)),
            // Interface 1 is the loopback interface.
            ("join_multicast_v6", v6.join_multicast_v6(&group6, 1)),
            ("leave_multicast_v6", v6.leave_multicast_v6(&group6, 1)),
            ("try_clone", a.try_clone().map(drop)),
        ];
        if mode::plugin() {
            for (option, result) in results {
                result.expect(option);
            }
            assert_eq!((a.ttl().unwrap(), a.multicast_ttl_v4().unwrap()), (3, 3));
            assert!(!a.multicast_loop_v4().unwrap());
            assert!(!v6.multicast_loop_v6().unwrap());
            let same = a.try_clone().unwrap().local_addr().unwrap();
            assert_eq!(same, a.local_addr().unwrap());
            return;
        }
        for (option, result) in results {
            let error = result.expect_err(option);
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{option}");
            assert!(
                error.to_string().starts_with(&format!("{option}: ")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_stream_is_not_asked_for_its_sender() {
        use std::io::Write;
        let listener = TcpListener::bind(LOOPBACKS[0]).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(b"abc").unwrap();
        let stream = UdpSocket::from(OwnedFd::from(client));
        let error = stream.recv_from(&mut [0; 4]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(stream.recv(&mut [0; 4]).unwrap(), 3);
    }
}
