//! The notes that socket operations leave for a selector. WasmEdge only: off
//! WASI the types are std's.
#![cfg(target_os = "wasi")]

use std::io::{IoSlice, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;
use wasmedge_host::abi::SocketType;
use wasmedge_host::fd::poll::{self, Direction};
use wasmedge_host::net::{TcpListener, TcpStream, UdpSocket};
use wasmedge_host::ready::{take_exhausted, Exhausted};
use wasmedge_host::{fd::socket, Errno};

/// The notes of `f` alone.
fn noted<T>(f: impl FnOnce() -> T) -> Exhausted {
    take_exhausted();
    f();
    take_exhausted()
}

fn pair() -> (TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    for stream in [&client, &server] {
        stream.set_nonblocking(true).unwrap();
    }
    listener.set_nonblocking(true).unwrap();
    (listener, client, server)
}

fn wait(fd: impl AsFd) {
    let soon = Some(Duration::from_secs(5));
    assert!(poll::wait(fd.as_fd(), Direction::Read, soon).unwrap());
}

#[test]
fn would_block_uses_up_reading() {
    let (listener, mut client, _server) = pair();
    assert_eq!(noted(|| client.read(&mut [0; 4])), Exhausted::READ);
    assert_eq!(noted(|| client.peek(&mut [0; 4])), Exhausted::READ);
    assert_eq!(noted(|| listener.accept()), Exhausted::READ);
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    assert_eq!(noted(|| udp.recv(&mut [0; 4])), Exhausted::READ);
    assert_eq!(noted(|| udp.recv_from(&mut [0; 4])), Exhausted::READ);
    assert_eq!(noted(|| udp.peek_from(&mut [0; 4])), Exhausted::READ);
}

#[test]
fn a_short_read_uses_up_a_stream_only() {
    let (_listener, mut client, mut server) = pair();
    server.write_all(b"abcdef").unwrap();
    wait(&client);
    assert_eq!(noted(|| client.peek(&mut [0; 64])), Exhausted::NONE);
    assert_eq!(noted(|| client.read(&mut [0; 4])), Exhausted::FULL);
    assert_eq!(noted(|| client.read(&mut [0; 4])), Exhausted::READ);
    drop(server);
    wait(&client);
    // The end of a stream can be read again and again.
    assert_eq!(noted(|| client.read(&mut [0; 4])), Exhausted::END);
    assert_eq!(noted(|| client.read(&mut [0; 4])), Exhausted::END);
    assert_eq!(noted(|| client.read(&mut [])), Exhausted::NONE);

    let (a, b) = (
        UdpSocket::bind("127.0.0.1:0").unwrap(),
        UdpSocket::bind("127.0.0.1:0").unwrap(),
    );
    a.send_to(b"x", b.local_addr().unwrap()).unwrap();
    a.send_to(b"x", b.local_addr().unwrap()).unwrap();
    assert_eq!(noted(|| b.peek_from(&mut [0; 64])), Exhausted::NONE);
    assert_eq!(noted(|| b.recv(&mut [0; 64])), Exhausted::TAKEN);
    assert_eq!(noted(|| b.recv_from(&mut [0; 64])), Exhausted::TAKEN);
}

#[test]
fn a_full_buffer_uses_up_writing() {
    let (_listener, mut client, server) = pair();
    // Small, to be filled soon.
    socket::set_send_buffer_size(client.as_fd(), 1 << 14).unwrap();
    socket::set_recv_buffer_size(server.as_fd(), 1 << 14).unwrap();
    assert_eq!(noted(|| client.write(b"x")), Exhausted::NONE);
    assert_eq!(
        noted(|| client.write_vectored(&[IoSlice::new(b"x"), IoSlice::new(b"y")])),
        Exhausted::NONE
    );
    // More than the buffers hold: part of it is taken, and then nothing.
    let much = vec![0; 1 << 20];
    take_exhausted();
    let sent = client.write(&much).unwrap();
    assert!(sent > 0 && sent < much.len(), "{sent}");
    assert_eq!(take_exhausted(), Exhausted::WRITE);
    while client.write(&much).is_ok() {}
    assert_eq!(noted(|| client.write(&much)), Exhausted::WRITE);
    assert_eq!(
        noted(|| client.write_vectored(&[IoSlice::new(b"x")])),
        Exhausted::WRITE
    );
}

#[test]
fn an_attempt_in_the_background_uses_up_writing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let fd = socket::open_for(&addr, SocketType::Stream, true).unwrap();
    take_exhausted();
    let error = socket::connect(fd.as_fd(), &addr).unwrap_err();
    assert_eq!(
        error.raw_os_error(),
        Some(i32::from(Errno::INPROGRESS.raw()))
    );
    assert_eq!(take_exhausted(), Exhausted::WRITE);
    let soon = Some(Duration::from_secs(5));
    assert!(poll::wait(fd.as_fd(), Direction::Write, soon).unwrap());
    socket::connect_result(fd.as_fd()).unwrap();
    assert_eq!(socket::peer_addr(fd.as_fd()).unwrap(), addr);
}

#[test]
fn a_probe_takes_nothing_and_notes_nothing() {
    let (listener, mut client, mut server) = pair();
    let probe = |stream: &TcpStream| socket::probe(stream.as_fd());
    assert_eq!(noted(|| probe(&client)), Exhausted::NONE);
    assert_eq!(probe(&client), socket::Probe::Nothing);
    assert_eq!(socket::probe(listener.as_fd()), socket::Probe::NoConnection);
    server.write_all(b"ab").unwrap();
    wait(&client);
    assert_eq!(probe(&client), socket::Probe::Something);
    let mut got = [0; 4];
    assert_eq!(client.read(&mut got).unwrap(), 2);
    assert_eq!(probe(&client), socket::Probe::Nothing);
    drop(server);
    wait(&client);
    assert_eq!(probe(&client), socket::Probe::Something);
    assert_eq!(client.read(&mut got).unwrap(), 0);
}

#[test]
fn an_error_that_a_probe_met_is_told_to_the_next_operation() {
    for operation in ["read", "write", "take_error"] {
        let (_listener, mut client, server) = pair();
        // Closed with data unread: the peer is reset.
        client.write_all(b"unread").unwrap();
        wait(&server);
        drop(server);
        wait(&client);
        assert_eq!(socket::probe(client.as_fd()), socket::Probe::Something);
        let error = match operation {
            "read" => client.read(&mut [0]).unwrap_err(),
            "write" => client.write(b"x").unwrap_err(),
            _ => client.take_error().unwrap().expect("an error"),
        };
        assert_eq!(
            error.kind(),
            std::io::ErrorKind::ConnectionReset,
            "{operation}"
        );
        // Told once, as by the kernel.
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}
