//! Write coalescing on the host's sockets; the selector above it is played here.

#![cfg(target_os = "wasi")]

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};
use wasmedge_host::abi::SocketType;
use wasmedge_host::coalesce::{self, Backlog, Sent};
use wasmedge_host::fd::socket;
use wasmedge_host::net::{Shutdown, TcpListener, TcpStream};
use wasmedge_host::{ready, shut};

/// Two ends of a connection, in non-blocking mode.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let near = TcpStream::connect(address).unwrap();
    let (far, _) = listener.accept().unwrap();
    for stream in [&near, &far] {
        stream.set_nonblocking(true).unwrap();
    }
    near.set_nodelay(true).unwrap();
    (near, far)
}

/// As a selector has it written.
fn write(mut near: &TcpStream, data: &[u8]) -> std::io::Result<usize> {
    coalesce::within(near.as_raw_fd(), || near.write(data))
}

/// Reading as a selector does it: nothing is sent first.
fn arrived(mut far: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = coalesce::within(far.as_raw_fd(), || far.read(&mut buffer)) {
        all.extend_from_slice(&buffer[..n]);
    }
    all
}

/// What is held last.
const BACKLOG: [u8; coalesce::MAX_HELD_BYTES] = [b'r'; coalesce::MAX_HELD_BYTES];

/// Writes until the kernel does not take what is held.
fn leave_a_rest(mut near: &TcpStream) -> usize {
    socket::set_send_buffer_size(near.as_fd(), 4096).unwrap();
    let mut sent = 0;
    // It may take much more than its buffer's size, and more after a while.
    loop {
        while let Ok(n) = near.write(&[b'x'; 4096]) {
            sent += n;
        }
        sent += write(near, &BACKLOG).unwrap();
        if coalesce::flush() {
            return sent;
        }
    }
}

fn backlogs() -> Vec<Backlog> {
    let mut backlogs = Vec::new();
    coalesce::backlogs(&mut backlogs);
    backlogs
}

#[test]
fn writes_within_a_selector_are_sent_together() {
    let (near, far) = pair();
    for part in [&b"one "[..], b"two ", b"three"] {
        assert_eq!(write(&near, part).unwrap(), part.len());
    }
    assert_eq!(arrived(&far), b"");
    assert!(!coalesce::flush());
    assert_eq!(arrived(&far), b"one two three");
}

#[test]
fn who_was_not_asked_sends_the_first_of_a_turn_at_once() {
    let (near, far) = pair();
    near.set_nodelay(false).unwrap();
    for _ in 0..3 {
        assert_eq!(write(&near, b"a").unwrap(), 1);
        assert_eq!(arrived(&far), b"a");
        assert_eq!(write(&near, b"b").unwrap(), 1);
        assert_eq!(write(&near, b"c").unwrap(), 1);
        assert_eq!(arrived(&far), b"");
        assert!(!coalesce::flush());
        assert_eq!(arrived(&far), b"bc");
    }
    // Of another one's write between nothing is known but that it was there.
    let (other, _far) = pair();
    other.set_nodelay(false).unwrap();
    assert_eq!(write(&near, b"a").unwrap(), 1);
    assert_eq!(write(&other, b"x").unwrap(), 1);
    assert_eq!(write(&near, b"b").unwrap(), 1);
    assert_eq!(arrived(&far), b"ab");
}

#[test]
fn a_write_after_shutting_fails_though_one_before_it_went_out() {
    let (near, far) = pair();
    near.set_nodelay(false).unwrap();
    assert_eq!(write(&near, b"a").unwrap(), 1);
    near.shutdown(Shutdown::Write).unwrap();
    let error = write(&near, b"b").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(arrived(&far), b"a");
}

#[test]
fn whatever_else_writes_sends_first() {
    let (near, far) = pair();
    assert_eq!(write(&near, b"a").unwrap(), 1);
    assert_eq!((&near).write(b"b").unwrap(), 1);
    assert_eq!(write(&near, b"c").unwrap(), 1);
    let fd = near.as_fd();
    // As the facade of libc does it.
    let sent = coalesce::within(near.as_raw_fd(), || {
        socket::send(fd, SocketType::Datagram, b"d")
    });
    assert_eq!(sent.unwrap(), 1);
    assert_eq!(arrived(&far), b"abcd");
}

#[test]
fn whatever_may_wait_sends_first() {
    type Waits = fn(&TcpStream);
    let waits: [(&str, Waits); 6] = [
        ("sleep", |_| std::thread::sleep(Duration::from_millis(1))),
        ("yield", |_| std::thread::yield_now()),
        ("read", |_| {
            let (idle, _far) = pair();
            assert!((&idle).read(&mut [0]).is_err());
        }),
        ("shutdown", |near| near.shutdown(Shutdown::Write).unwrap()),
        ("mode", |near| near.set_nonblocking(true).unwrap()),
        ("delay", |near| near.set_nodelay(false).unwrap()),
    ];
    for (what, wait) in waits {
        let (near, far) = pair();
        assert_eq!(write(&near, b"a").unwrap(), 1, "{what}");
        wait(&near);
        assert_eq!(arrived(&far), b"a", "{what}");

        let (near, far) = pair();
        near.set_nodelay(false).unwrap();
        assert_eq!(write(&near, b"a").unwrap(), 1, "{what}");
        assert_eq!(write(&near, b"b").unwrap(), 1, "{what}");
        wait(&near);
        assert_eq!(arrived(&far), b"ab", "not asked, {what}");
    }
}

#[test]
fn a_rest_goes_out_before_anything_else_and_shutting_after_it() {
    let (near, far) = pair();
    let sent = leave_a_rest(&near);
    let fd = near.as_raw_fd();
    let backlog = |is_fresh| Backlog {
        fd,
        is_orphan: false,
        is_fresh,
    };
    assert_eq!(backlogs(), [backlog(true)]);
    assert_eq!(backlogs(), [backlog(false)]);

    ready::take_exhausted();
    let refused = write(&near, b"more").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    assert!(ready::take_exhausted().is_write());
    near.shutdown(Shutdown::Write).unwrap();
    // It is told all the same: natively it would be shut by now.
    let mut told = Vec::new();
    shut::take(|other| other == fd, &mut told);
    assert_eq!(told, [(fd, Shutdown::Write)]);
    let shut = write(&near, b"more").unwrap_err();
    assert_eq!(shut.kind(), ErrorKind::BrokenPipe);

    let mut received = arrived(&far);
    while coalesce::send_backlog(fd) != Sent::All {
        received.extend(arrived(&far));
        std::thread::sleep(Duration::from_millis(1));
    }
    far.set_nonblocking(false).unwrap();
    (&far).read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), sent);
    assert!(received.ends_with(&BACKLOG));
    assert_eq!(backlogs(), []);
}

#[test]
fn a_socket_that_is_closed_stays_open_for_its_rest() {
    let (near, far) = pair();
    let sent = leave_a_rest(&near);
    let fd = near.as_raw_fd();
    drop(near);
    assert_eq!(backlogs().len(), 1);
    coalesce::set_adopted(fd, true);

    let mut received = arrived(&far);
    while coalesce::send_backlog(fd) != Sent::All {
        received.extend(arrived(&far));
        std::thread::sleep(Duration::from_millis(1));
    }
    // Its selector closes it.
    assert_eq!(backlogs().len(), 1);
    coalesce::set_adopted(fd, false);
    assert_eq!(backlogs(), []);
    far.set_nonblocking(false).unwrap();
    (&far).read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), sent);
    assert!(received.ends_with(&BACKLOG));
}

#[test]
fn a_socket_that_lingers_for_no_time_takes_its_rest_with_it() {
    let (near, far) = pair();
    leave_a_rest(&near);
    near.set_linger(Some(Duration::ZERO)).unwrap();
    drop(near);
    assert_eq!(backlogs(), []);
    let mut byte = [0; 1];
    let mut result = (&far).read(&mut byte);
    while matches!(result, Ok(1)) {
        result = (&far).read(&mut byte);
    }
    assert_eq!(result.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn who_hands_a_socket_on_waits_for_its_rest_and_not_for_ever() {
    let (near, _far) = pair();
    leave_a_rest(&near);
    let start = Instant::now();
    let fd = OwnedFd::from(near);
    let took = start.elapsed();
    // The kernel may find room after all.
    assert!(
        took >= coalesce::LAST_DRAIN || backlogs().is_empty(),
        "{took:?}"
    );
    assert!(took < 2 * coalesce::LAST_DRAIN, "{took:?}");
    drop(TcpStream::from(fd));
}

#[test]
fn a_reset_is_told_once_by_the_operation_after_it() {
    let (near, far) = pair();
    assert_eq!(write(&near, b"first").unwrap(), 5);
    coalesce::flush();
    far.set_linger(Some(Duration::ZERO)).unwrap();
    drop(far);
    assert_eq!(write(&near, b"anyone?").unwrap(), 7);
    coalesce::flush();
    let told = write(&near, b"anyone?").unwrap_err();
    assert!(
        matches!(
            told.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ),
        "{told}"
    );
    // It does not coalesce any more.
    let told = write(&near, b"anyone?").unwrap_err();
    assert_eq!(told.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn a_socket_that_is_not_connected_does_not_coalesce() {
    let fd = socket::open(
        wasmedge_host::abi::AddressFamily::Inet4,
        SocketType::Stream,
        true,
    );
    let stream = TcpStream::from(fd.unwrap());
    stream.set_nodelay(true).unwrap();
    assert!(write(&stream, b"anyone?").is_err());
}
