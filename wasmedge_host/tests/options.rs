//! Options reached through descriptors. WasmEdge only: natively std has no such
//! interface.
#![cfg(target_os = "wasi")]

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::time::Duration;
use wasmedge_host::abi::{AddressFamily, SocketType};
use wasmedge_host::fd::socket;
use wasmedge_host::net::{TcpListener, TcpStream};

#[test]
fn flags_are_kept() {
    let fd = socket::open(AddressFamily::Inet4, SocketType::Stream, false).unwrap();
    let fd = fd.as_fd();
    for on in [true, false] {
        socket::set_reuse_address(fd, on).unwrap();
        assert_eq!(socket::reuse_address(fd).unwrap(), on);
        socket::set_keepalive(fd, on).unwrap();
        assert_eq!(socket::keepalive(fd).unwrap(), on);
        socket::set_broadcast(fd, on).unwrap();
        assert_eq!(socket::broadcast(fd).unwrap(), on);
        socket::set_out_of_band_inline(fd, on).unwrap();
        assert_eq!(socket::out_of_band_inline(fd).unwrap(), on);
        socket::set_nonblocking(fd, on).unwrap();
        assert_eq!(socket::nonblocking(fd).unwrap(), on);
    }
}

#[test]
fn buffers_are_at_least_as_large_as_asked() {
    let fd = socket::open(AddressFamily::Inet6, SocketType::Stream, true).unwrap();
    let fd = fd.as_fd();
    assert!(socket::nonblocking(fd).unwrap());
    socket::set_send_buffer_size(fd, 32_768).unwrap();
    assert!(socket::send_buffer_size(fd).unwrap() >= 32_768);
    socket::set_recv_buffer_size(fd, 32_768).unwrap();
    assert!(socket::recv_buffer_size(fd).unwrap() >= 32_768);
    let error = socket::set_recv_buffer_size(fd, 1 << 31).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    socket::set_recv_low_water(fd, 7).unwrap();
    assert_eq!(socket::recv_low_water(fd).unwrap(), 7);
}

#[test]
fn linger_counts_seconds() {
    let fd = socket::open(AddressFamily::Inet4, SocketType::Stream, false).unwrap();
    let fd = fd.as_fd();
    assert_eq!(socket::linger(fd).unwrap(), None);
    let linger = Some(Duration::from_secs(9));
    socket::set_linger(fd, linger).unwrap();
    assert_eq!(socket::linger(fd).unwrap(), linger);
    socket::set_linger(fd, None).unwrap();
    assert_eq!(socket::linger(fd).unwrap(), None);
}

#[test]
fn sockets_know_what_they_are() {
    let tcp = socket::open(AddressFamily::Inet4, SocketType::Stream, false).unwrap();
    let udp = socket::open(AddressFamily::Inet6, SocketType::Datagram, false).unwrap();
    let of = |fd| socket::socket_type(fd).unwrap();
    assert_eq!(of(tcp.as_fd()), Some(SocketType::Stream));
    assert_eq!(of(udp.as_fd()), Some(SocketType::Datagram));
    assert!(!socket::is_listener(tcp.as_fd()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(socket::is_listener(listener.as_fd()).unwrap());
}

#[test]
fn accept_sets_the_mode_of_the_new_socket_only() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    for nonblocking in [true, false] {
        let client = TcpStream::connect(addr).unwrap();
        let (server, peer) = socket::accept(listener.as_fd(), nonblocking).unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert_eq!(socket::nonblocking(server.as_fd()).unwrap(), nonblocking);
        assert!(!socket::nonblocking(listener.as_fd()).unwrap());
    }
}

#[test]
fn the_nodelay_hint_goes_with_the_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    // More than are kept before closed ones are looked for.
    for _ in 0..200 {
        let stream = TcpStream::connect(addr).unwrap();
        assert!(!stream.nodelay().unwrap());
        socket::set_nodelay(stream.as_fd(), true).unwrap();
        assert!(stream.nodelay().unwrap());
        // Closed without the stream's knowing.
        drop(std::os::fd::OwnedFd::from(stream));
        drop(listener.accept().unwrap());
    }
    let kept = TcpStream::connect(addr).unwrap();
    kept.set_nodelay(true).unwrap();
    for _ in 0..200 {
        let fd = socket::open(AddressFamily::Inet4, SocketType::Stream, false).unwrap();
        assert!(!socket::nodelay(fd.as_fd()).unwrap());
        socket::set_nodelay(fd.as_fd(), true).unwrap();
    }
    assert!(kept.nodelay().unwrap());
}
