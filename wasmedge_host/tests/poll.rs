//! Polling, and what the host gets wrong about it. WasmEdge only.
#![cfg(target_os = "wasi")]

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};
use wasmedge_host::abi::{Event, EventType, SocketType, Subscription};
use wasmedge_host::fd::poll::{poll_oneoff, processor_time, wait, Direction};
use wasmedge_host::net::{TcpListener, TcpStream, UdpSocket};
use wasmedge_host::{fd::socket, Errno};

const SHORT: Duration = Duration::from_millis(60);
const SOON: Duration = Duration::from_secs(5);

fn pair() -> (TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    (listener, client, server)
}

#[test]
fn an_empty_poll_never_reaches_the_host() {
    assert_eq!(poll_oneoff(&[], &mut []), Err(Errno::INVAL));
    assert_eq!(poll_oneoff(&[], &mut [Event::EMPTY]), Err(Errno::INVAL));
}

#[test]
fn there_must_be_room_for_every_event() {
    let clock = Subscription::clock_relative(0, 0);
    assert_eq!(poll_oneoff(&[clock], &mut []), Err(Errno::INVAL));
    assert_eq!(
        poll_oneoff(&[clock, clock], &mut [Event::EMPTY]),
        Err(Errno::INVAL)
    );
}

#[test]
fn a_clock_fires_in_time() {
    let start = Instant::now();
    let clock = Subscription::clock_relative(77, SHORT.as_nanos() as u64);
    let mut events = [Event::EMPTY; 1];
    assert_eq!(poll_oneoff(&[clock], &mut events), Ok(1));
    assert!(start.elapsed() >= SHORT && start.elapsed() < SOON);
    assert_eq!(events[0].userdata(), 77);
    assert_eq!(events[0].event_type(), EventType::CLOCK);
    assert_eq!(events[0].error(), Errno::SUCCESS);
}

#[test]
fn events_come_in_the_order_of_their_subscriptions() {
    let (_listener, client, mut server) = pair();
    server.write_all(b"x").unwrap();
    assert!(wait(client.as_fd(), Direction::Read, Some(SOON)).unwrap());
    let fd = client.as_raw_fd();
    let subs = [Subscription::write(1, fd), Subscription::read(2, fd)];
    let mut events = [Event::EMPTY; 2];
    assert_eq!(poll_oneoff(&subs, &mut events), Ok(2));
    assert_eq!(events.map(|e| e.userdata()), [1, 2]);
    assert_eq!(
        events.map(|e| e.event_type()),
        [EventType::WRITE, EventType::READ]
    );
}

/// With the plugin as without it, whatever else is waited for.
#[test]
fn a_clock_ends_the_wait_for_a_silent_socket() {
    let (_listener, client, mut server) = pair();
    let subs = [
        Subscription::read(1, client.as_raw_fd()),
        Subscription::clock_relative(2, SHORT.as_nanos() as u64),
    ];
    let mut events = [Event::EMPTY; 2];
    let start = Instant::now();
    assert_eq!(poll_oneoff(&subs, &mut events), Ok(1));
    assert!(start.elapsed() >= SHORT && start.elapsed() < SOON);
    assert_eq!(events[0].userdata(), 2);
    assert_eq!(events[0].event_type(), EventType::CLOCK);

    server.write_all(b"x").unwrap();
    assert!(wait(client.as_fd(), Direction::Read, Some(SOON)).unwrap());
    let never = [subs[0], Subscription::clock_relative(2, u64::MAX)];
    assert_eq!(poll_oneoff(&never, &mut events), Ok(1));
    assert_eq!(events[0].userdata(), 1);
}

#[test]
fn what_is_not_open_is_an_error_beside_a_clock() {
    let (_listener, client, _server) = pair();
    let gone = client.as_raw_fd();
    drop(client);
    let subs = [
        Subscription::read(1, gone),
        Subscription::clock_relative(2, SHORT.as_nanos() as u64),
    ];
    let mut events = [Event::EMPTY; 2];
    let count = poll_oneoff(&subs, &mut events).unwrap();
    let told = events[..count].iter().find(|event| event.userdata() == 1);
    assert_eq!(told.unwrap().error(), Errno::BADF);
}

#[test]
fn waiting_ends_with_data_or_with_time() {
    let (_listener, client, mut server) = pair();
    let start = Instant::now();
    assert!(!wait(client.as_fd(), Direction::Read, Some(SHORT)).unwrap());
    assert!(start.elapsed() >= SHORT);
    assert!(wait(client.as_fd(), Direction::Write, None).unwrap());
    server.write_all(b"x").unwrap();
    assert!(wait(client.as_fd(), Direction::Read, None).unwrap());
    assert!(wait(client.as_fd(), Direction::Read, Some(Duration::ZERO)).unwrap());
}

#[test]
fn a_refused_attempt_is_ready_and_says_why() {
    let addr = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let fd = socket::open_for(&addr, SocketType::Stream, true).unwrap();
    let started = socket::connect(fd.as_fd(), &addr);
    if let Err(error) = started {
        assert_eq!(
            error.raw_os_error(),
            Some(i32::from(Errno::INPROGRESS.raw()))
        );
    }
    assert!(wait(fd.as_fd(), Direction::Write, Some(SOON)).unwrap());
    let error = socket::connect_result(fd.as_fd()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    socket::connect_result(fd.as_fd()).unwrap();
}

/// The host answers "no event" at once, for ever.
#[test]
fn a_full_buffer_and_a_peer_that_has_ended_do_not_spin() {
    let (_listener, mut client, server) = pair();
    client.set_nonblocking(true).unwrap();
    while client.write(&[0; 1 << 16]).is_ok() {}
    server.shutdown(Shutdown::Write).unwrap();
    assert!(wait(client.as_fd(), Direction::Read, Some(SOON)).unwrap());
    assert_eq!(client.read(&mut [0; 4]).unwrap(), 0);
    let start = Instant::now();
    assert!(!wait(client.as_fd(), Direction::Write, Some(SHORT)).unwrap());
    assert!(start.elapsed() >= SHORT && start.elapsed() < SOON);
}

/// The host answers "no event" at once, until the error is fetched.
#[test]
fn an_error_of_a_datagram_socket_wakes_its_reader() {
    let a = UdpSocket::bind("127.0.0.1:0").unwrap();
    let deserted = {
        let b = UdpSocket::bind("127.0.0.1:0").unwrap();
        b.local_addr().unwrap()
    };
    a.connect(deserted).unwrap();
    a.send(b"x").unwrap();
    assert!(wait(a.as_fd(), Direction::Read, Some(SOON)).unwrap());
    a.set_nonblocking(true).unwrap();
    assert_eq!(
        a.recv(&mut [0; 4]).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    assert!(!wait(a.as_fd(), Direction::Read, Some(SHORT)).unwrap());
}

#[test]
fn processor_time_passes_with_work_and_not_with_sleep() {
    let before = processor_time().unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(50) {
        std::hint::black_box(0);
    }
    let worked = processor_time().unwrap();
    assert!(worked > before);
    std::thread::sleep(Duration::from_millis(100));
    let slept = processor_time().unwrap() - worked;
    assert!(slept < 50_000_000, "{slept} ns in a sleep");
}
