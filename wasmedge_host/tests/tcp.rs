//! TCP, natively on std and under WasmEdge on this crate: the same results.
//!
//! One thread must do: a connection to a listener of one's own is there before
//! it is accepted.

// Natively, the conversions from and to std's types change nothing.
#![cfg_attr(not(target_os = "wasi"), allow(clippy::useless_conversion))]

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::time::{Duration, Instant};
use wasmedge_host::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

const LOOPBACKS: [&str; 2] = ["127.0.0.1:0", "[::1]:0"];
/// Keeps a test that would hang from hanging.
const SOON: Duration = Duration::from_secs(5);

fn pair(loopback: &str) -> (TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind(loopback).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, peer) = listener.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
    }
    (listener, client, server)
}

/// An address where nobody listens.
fn deserted() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[test]
fn both_ends_know_both_addresses() {
    for loopback in LOOPBACKS {
        let (listener, client, server) = pair(loopback);
        let addr = listener.local_addr().unwrap();
        assert_eq!(
            addr.ip(),
            loopback.parse::<SocketAddr>().unwrap().ip(),
            "{loopback}"
        );
        assert_ne!(addr.port(), 0);
        assert_eq!(client.peer_addr().unwrap(), addr);
        assert_eq!(server.local_addr().unwrap(), addr);
        assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
    }
}

#[test]
fn data_go_both_ways() {
    for loopback in LOOPBACKS {
        let (_listener, mut client, mut server) = pair(loopback);
        let mut buf = [0; 16];
        client.write_all(b"ping").unwrap();
        let n = server.read(&mut buf).unwrap();
        assert_eq!(&buf[..n], b"ping");
        server.write_all(b"pong!").unwrap();
        let n = client.read(&mut buf).unwrap();
        assert_eq!(&buf[..n], b"pong!");
    }
}

#[test]
fn vectored_io() {
    let (_listener, mut client, mut server) = pair(LOOPBACKS[0]);
    let sent = client
        .write_vectored(&[
            IoSlice::new(b"head"),
            IoSlice::new(b""),
            IoSlice::new(b"and body"),
        ])
        .unwrap();
    assert_eq!(sent, 12);
    let (mut a, mut b) = ([0; 6], [0; 32]);
    let n = server
        .read_vectored(&mut [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)])
        .unwrap();
    assert_eq!(n, 12);
    assert_eq!(&a, b"headan");
    assert_eq!(&b[..6], b"d body");
}

#[test]
fn many_buffers_are_cut_to_what_one_call_takes() {
    let (_listener, mut client, mut server) = pair(LOOPBACKS[0]);
    let bytes: Vec<u8> = (0..2000).map(|i| i as u8).collect();
    let slices: Vec<_> = bytes.chunks(1).map(IoSlice::new).collect();
    assert_eq!(client.write_vectored(&slices).unwrap(), 1024);
    assert_eq!(client.write_vectored(&slices[1024..]).unwrap(), 976);
    let mut received = vec![0; 2000];
    server.read_exact(&mut received).unwrap();
    assert_eq!(received, bytes);

    client.write_all(&bytes).unwrap();
    let mut places = vec![[0u8]; 2000];
    let mut bufs: Vec<_> = places.iter_mut().map(|p| IoSliceMut::new(p)).collect();
    assert_eq!(server.read_vectored(&mut bufs).unwrap(), 1024);
    assert!(places[..1024].iter().flatten().eq(&bytes[..1024]));
}

#[test]
fn peek_leaves_the_data() {
    let (_listener, mut client, mut server) = pair(LOOPBACKS[0]);
    client.write_all(b"abc").unwrap();
    let mut buf = [0; 2];
    assert_eq!(server.peek(&mut buf).unwrap(), 2);
    assert_eq!(&buf, b"ab");
    let mut buf = [0; 8];
    assert_eq!(server.read(&mut buf).unwrap(), 3);
    assert_eq!(&buf[..3], b"abc");
}

#[test]
fn half_close() {
    let (_listener, mut client, mut server) = pair(LOOPBACKS[0]);
    client.write_all(b"last").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    server.read_to_string(&mut text).unwrap();
    assert_eq!(text, "last");
    server.write_all(b"answer").unwrap();
    let mut buf = [0; 16];
    assert_eq!(client.read(&mut buf).unwrap(), 6);
    assert_eq!(
        client.write(b"more").unwrap_err().kind(),
        ErrorKind::BrokenPipe
    );
}

#[test]
fn non_blocking() {
    let (listener, mut client, mut server) = pair(LOOPBACKS[0]);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    server.set_nonblocking(true).unwrap();
    let mut buf = [0; 4];
    assert_eq!(
        server.read(&mut buf).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(
        server.peek(&mut buf).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    client.write_all(b"x").unwrap();
    server.set_nonblocking(false).unwrap();
    assert_eq!(server.read(&mut buf).unwrap(), 1);

    client.set_nonblocking(true).unwrap();
    let chunk = [0; 1 << 16];
    let mut sent = 0;
    let error = loop {
        match client.write(&chunk) {
            Ok(n) => sent += n,
            Err(error) => break error,
        }
        assert!(sent < 1 << 30, "nobody reads, and yet there is room");
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn accepted_streams_block_though_the_listener_does_not() {
    let listener = TcpListener::bind(LOOPBACKS[0]).unwrap();
    listener.set_nonblocking(true).unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let timeout = Duration::from_millis(60);
    server.set_read_timeout(Some(timeout)).unwrap();
    let start = Instant::now();
    let error = server.read(&mut [0; 4]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(start.elapsed() >= timeout / 2, "{:?}", start.elapsed());
    // And the listener still does not.
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn timeouts_are_kept_as_given() {
    let (_listener, client, _server) = pair(LOOPBACKS[0]);
    client.set_read_timeout(None).unwrap();
    client
        .set_write_timeout(Some(Duration::from_secs(3)))
        .unwrap();
    assert_eq!(client.read_timeout().unwrap(), None);
    assert_eq!(
        client.write_timeout().unwrap(),
        Some(Duration::from_secs(3))
    );
    let zero = client.set_read_timeout(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(zero.kind(), ErrorKind::InvalidInput);
    // Rounded up, not down to "without end".
    client
        .set_read_timeout(Some(Duration::from_nanos(1)))
        .unwrap();
    assert!(client.read_timeout().unwrap().is_some());
}

#[test]
fn refused() {
    let addr = deserted();
    let error = TcpStream::connect(addr).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.raw_os_error().is_some());
    let error = TcpStream::connect_timeout(&addr, SOON).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn connect_timeout() {
    let listener = TcpListener::bind(LOOPBACKS[0]).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut client = TcpStream::connect_timeout(&addr, SOON).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    // The stream blocks: the bytes come later than the read begins, or not.
    server.write_all(b"x").unwrap();
    client.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(client.read(&mut [0; 4]).unwrap(), 1);

    let zero = TcpStream::connect_timeout(&addr, Duration::ZERO).map(|_| ());
    // Loopback may connect before there is anything to wait for.
    if let Err(error) = zero {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn connect_times_out_when_nobody_accepts() {
    let listener = TcpListener::bind(LOOPBACKS[0]).unwrap();
    let addr = listener.local_addr().unwrap();
    let timeout = Duration::from_millis(300);
    let mut waiting = Vec::new();
    let (error, took) = loop {
        let start = Instant::now();
        match TcpStream::connect_timeout(&addr, timeout) {
            Ok(stream) => waiting.push(stream),
            Err(error) => break (error, start.elapsed()),
        }
        assert!(waiting.len() < 400, "the queue of a listener has no end");
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(took >= timeout && took < SOON, "{took:?}");
    // One more than asked for, as Linux counts.
    assert_eq!(waiting.len(), 129);
}

#[test]
fn reset() {
    let (_listener, mut client, server) = pair(LOOPBACKS[0]);
    // Closed with data unread, a socket resets the connection.
    client.write_all(b"unread").unwrap();
    server.peek(&mut [0; 1]).unwrap();
    drop(server);
    let error = client.read(&mut [0; 4]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(client.read(&mut [0; 4]).unwrap(), 0);
    assert_eq!(
        client.write(b"x").unwrap_err().kind(),
        ErrorKind::BrokenPipe
    );
}

#[test]
fn writing_to_a_peer_that_is_gone_is_an_error_and_no_more() {
    let (_listener, mut client, server) = pair(LOOPBACKS[0]);
    drop(server);
    let start = Instant::now();
    let error = loop {
        match client.write(b"x") {
            Ok(sent) => assert!(sent == 1 && start.elapsed() < SOON),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(
            error.kind(),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
        ),
        "{error:?}"
    );
    let error = client
        .write_vectored(&[IoSlice::new(b"x"), IoSlice::new(b"y")])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn addresses_that_cannot_be_bound() {
    let listener = TcpListener::bind(LOOPBACKS[0]).unwrap();
    let again = TcpListener::bind(listener.local_addr().unwrap()).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AddrInUse);
    // Of the block kept for documentation: no machine has it.
    let foreign = TcpListener::bind("192.0.2.1:0").unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::AddrNotAvailable);
}

#[test]
fn a_listener_can_be_bound_where_connections_still_end() {
    let (listener, client, server) = pair(LOOPBACKS[0]);
    let addr = listener.local_addr().unwrap();
    // The server's side closes first, so the old port is the one that waits.
    drop(server);
    drop(client);
    drop(listener);
    TcpListener::bind(addr).unwrap();
}

#[test]
fn not_connected() {
    let (_listener, client, _server) = pair(LOOPBACKS[0]);
    client.shutdown(Shutdown::Both).unwrap();
    drop(_server);
    let start = Instant::now();
    while client.peer_addr().is_ok() {
        assert!(start.elapsed() < SOON);
    }
    assert_eq!(
        client.peer_addr().unwrap_err().kind(),
        ErrorKind::NotConnected
    );
    assert_eq!(
        client.shutdown(Shutdown::Both).unwrap_err().kind(),
        ErrorKind::NotConnected
    );
}

#[test]
fn addresses_are_tried_in_order() {
    let listener = TcpListener::bind(LOOPBACKS[0]).unwrap();
    let addr = listener.local_addr().unwrap();
    let stream = TcpStream::connect(&[deserted(), addr][..]).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), addr);
    let error = TcpStream::connect(&[][..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "could not resolve to any addresses");
}

#[test]
fn connect_by_name() {
    let listener = TcpListener::bind(LOOPBACKS[0]).unwrap();
    let port = listener.local_addr().unwrap().port();
    TcpStream::connect(("localhost", port)).unwrap();
    TcpStream::connect(format!("localhost:{port}")).unwrap();
    TcpStream::connect((String::from("127.0.0.1"), port)).unwrap();
}

#[test]
fn nodelay_is_what_was_asked() {
    let (_listener, client, server) = pair(LOOPBACKS[0]);
    assert!(!client.nodelay().unwrap());
    client.set_nodelay(true).unwrap();
    assert!(client.nodelay().unwrap());
    assert!(!server.nodelay().unwrap());

    // Also through a bare descriptor, and through std's type.
    let fd = client.into_raw_fd();
    // SAFETY: the line above gave up the descriptor.
    #[allow(unsafe_code)]
    let client = unsafe { TcpStream::from_raw_fd(fd) };
    assert!(client.nodelay().unwrap());
    let client = TcpStream::from(OwnedFd::from(std::net::TcpStream::from(client)));
    assert!(client.nodelay().unwrap());
    client.set_nodelay(false).unwrap();
    assert!(!client.nodelay().unwrap());
}

#[test]
fn descriptors_stay_the_same_through_conversions() {
    let (listener, client, mut server) = pair(LOOPBACKS[0]);
    let fd = client.as_raw_fd();
    let client = std::net::TcpStream::from(client);
    assert_eq!(client.as_raw_fd(), fd);
    let mut client = TcpStream::from(client);
    assert_eq!(client.as_raw_fd(), fd);
    client.write_all(b"x").unwrap();
    assert_eq!(server.read(&mut [0; 4]).unwrap(), 1);

    let addr = listener.local_addr().unwrap();
    let fd = listener.as_raw_fd();
    let listener = TcpListener::from(std::net::TcpListener::from(listener));
    assert_eq!(listener.as_raw_fd(), fd);
    assert_eq!(listener.local_addr().unwrap(), addr);
}

#[test]
fn debug_reads_as_std() {
    let (listener, client, _server) = pair(LOOPBACKS[0]);
    let addr = listener.local_addr().unwrap();
    assert_eq!(
        format!("{listener:?}"),
        format!(
            "TcpListener {{ addr: {addr}, fd: {} }}",
            listener.as_raw_fd()
        )
    );
    assert_eq!(
        format!("{client:?}"),
        format!(
            "TcpStream {{ addr: {}, peer: {addr}, fd: {} }}",
            client.local_addr().unwrap(),
            client.as_raw_fd()
        )
    );
}

#[test]
fn incoming() {
    let listener = TcpListener::bind(LOOPBACKS[0]).unwrap();
    let addr = listener.local_addr().unwrap();
    let clients: Vec<_> = (0..3).map(|_| TcpStream::connect(addr).unwrap()).collect();
    let accepted = listener.incoming().take(3);
    for (server, client) in accepted.zip(&clients) {
        assert_eq!(
            server.unwrap().peer_addr().unwrap(),
            client.local_addr().unwrap()
        );
    }
}

#[test]
fn no_error_is_pending() {
    let (listener, client, _server) = pair(LOOPBACKS[0]);
    assert!(client.take_error().unwrap().is_none());
    assert!(listener.take_error().unwrap().is_none());
}

#[test]
fn a_hundred_connections() {
    let listener = TcpListener::bind(LOOPBACKS[0]).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut open = Vec::new();
    for i in 0..100u32 {
        let client = TcpStream::connect(addr).unwrap();
        let (server, _) = listener.accept().unwrap();
        open.push((client, server, i));
        if i % 3 == 0 {
            open.swap_remove(i as usize * 7 % open.len());
        }
    }
    for (client, server, i) in &mut open {
        client.write_all(&i.to_le_bytes()).unwrap();
        let mut buf = [0; 4];
        server.read_exact(&mut buf).unwrap();
        assert_eq!(u32::from_le_bytes(buf), *i);
    }
}

#[cfg(target_os = "wasi")]
mod mode;

/// Where the host falls short of a native one, without the plugin.
#[cfg(target_os = "wasi")]
mod wasmedge {
    use super::*;

    #[test]
    #[allow(deprecated)]
    fn options_need_the_plugin() {
        let (listener, client, mut server) = pair(LOOPBACKS[0]);
        if mode::plugin() {
            client.set_ttl(3).unwrap();
            listener.set_ttl(4).unwrap();
            assert_eq!((client.ttl().unwrap(), listener.ttl().unwrap()), (3, 4));
            // Bound to an address of IPv6, it is for that alone, and stays so.
            let (v6, ..) = pair(LOOPBACKS[1]);
            assert!(v6.only_v6().unwrap());
            let late = v6.set_only_v6(true);
            assert_eq!(late.unwrap_err().kind(), ErrorKind::InvalidInput);
            let same = listener.try_clone().unwrap();
            assert_eq!(same.local_addr().unwrap(), listener.local_addr().unwrap());
            client.try_clone().unwrap().write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
            return;
        }
        let errors = [
            client.set_ttl(3).unwrap_err(),
            client.ttl().unwrap_err(),
            listener.set_ttl(3).unwrap_err(),
            listener.ttl().unwrap_err(),
            listener.set_only_v6(true).unwrap_err(),
            listener.only_v6().unwrap_err(),
        ];
        for (error, option) in errors.iter().zip(["ttl", "ttl", "ttl", "ttl", "only_v6"]) {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(
                error.to_string().starts_with(&format!("{option}: ")),
                "{error}"
            );
        }
        assert_eq!(
            client.try_clone().unwrap_err().kind(),
            ErrorKind::Unsupported
        );
        assert_eq!(
            listener.try_clone().unwrap_err().kind(),
            ErrorKind::Unsupported
        );
    }

    #[test]
    fn scoped_addresses_need_the_plugin() {
        // There is no such interface.
        let scoped = "[fe80::1%7777]:80".parse::<SocketAddr>().unwrap();
        for error in [
            TcpStream::connect(scoped).unwrap_err(),
            TcpListener::bind(scoped).unwrap_err(),
        ] {
            // With the plugin the system says so.
            let is_unsupported = error.kind() == ErrorKind::Unsupported;
            assert_eq!(is_unsupported, !mode::plugin(), "{error:?}");
        }
    }

    #[test]
    fn a_peer_that_has_reset_before_it_is_accepted_has_an_address_with_the_plugin() {
        for loopback in LOOPBACKS {
            let listener = TcpListener::bind(loopback).unwrap();
            let addr = listener.local_addr().unwrap();
            let client = TcpStream::connect(addr).unwrap();
            client.set_linger(Some(Duration::ZERO)).unwrap();
            assert_eq!(client.linger().unwrap(), Some(Duration::ZERO));
            let its_own = client.local_addr().unwrap();
            drop(client);
            let (mut server, peer) = listener.accept().unwrap();
            if mode::plugin() {
                assert_eq!(peer, its_own);
            } else {
                assert!(peer.ip().is_unspecified() && peer.port() == 0, "{peer}");
            }
            assert_eq!(peer.is_ipv4(), addr.is_ipv4());
            let error = server.read(&mut [0; 4]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
    }
}
