//! Drives a [`Lookup`] with blocking code. What
//! [`thread::on_wait`](crate::thread::on_wait) was told goes on meanwhile.

use super::message::Answer;
use super::{order, Exchange, Lookup, Step, LONGEST_ANSWER};
use crate::fd::poll::{self, Direction};
use crate::fd::socket;
use crate::net::UdpSocket;
use crate::{abi::SocketType, thread, Errno};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// How long a runtime may wait before the socket is looked at again, which is
/// not among those that it waits for.
const SLICE: Duration = Duration::from_millis(1);

pub(crate) fn drive(mut lookup: Lookup) -> Result<Vec<IpAddr>, Errno> {
    let mut step = lookup.start();
    loop {
        match step {
            Step::Exchange(mut exchange) => {
                // A server that cannot be reached gives no answer; the lookup
                // goes on with the next one.
                let _ = ask(&mut exchange);
                step = lookup.exchanged(exchange);
            }
            Step::Found(mut addrs) => {
                order(&mut addrs, source);
                return Ok(addrs);
            }
            Step::Failed(errno) => return Err(errno),
        }
    }
}

/// The addresses of `name` as one server has them, asked over TCP; IPv4 first.
pub fn ask_server(name: &str, server: SocketAddr, timeout: Duration) -> io::Result<Vec<IpAddr>> {
    let exchange = Exchange::new(name, server, timeout, true);
    let mut exchange = exchange.ok_or(Errno::NO_NAME)?;
    ask(&mut exchange)?;
    let mut found = Vec::new();
    let mut failure = Errno::NO_DATA;
    for answer in exchange.into_answers() {
        match answer {
            Some(Answer::Addresses(addrs)) => found.extend(addrs),
            Some(Answer::NoSuchName) => failure = Errno::NO_NAME,
            Some(Answer::Truncated | Answer::Failed) | None => failure = Errno::TRY_AGAIN,
        }
    }
    if found.is_empty() {
        return Err(failure.into());
    }
    Ok(found)
}

/// From which of the machine's addresses `addr` is reached. Nothing is sent.
pub fn source(addr: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(any_for(addr)).ok()?;
    // The port is of no account, but it must not be 0.
    socket.connect(SocketAddr::new(addr, 53)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Any address of the family of `addr`, and any port.
fn any_for(addr: IpAddr) -> SocketAddr {
    match addr {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

fn ask(exchange: &mut Exchange) -> io::Result<()> {
    let deadline = Instant::now() + exchange.timeout();
    if exchange.is_tcp() {
        ask_over_tcp(exchange, deadline)
    } else {
        ask_over_udp(exchange, deadline)
    }
}

fn ask_over_udp(exchange: &mut Exchange, deadline: Instant) -> io::Result<()> {
    let socket = UdpSocket::bind(any_for(exchange.server().ip()))?;
    socket.connect(exchange.server())?;
    socket.set_nonblocking(true)?;
    for datagram in exchange.datagrams() {
        socket.send(datagram)?;
    }
    let mut buf = [0; LONGEST_ANSWER];
    loop {
        let len = retry(socket.as_fd(), Direction::Read, deadline, || {
            socket.recv(&mut buf)
        })?;
        if exchange.received(&buf[..len]) {
            return Ok(());
        }
    }
}

fn ask_over_tcp(exchange: &mut Exchange, deadline: Instant) -> io::Result<()> {
    let server = exchange.server();
    let fd = socket::open_for(&server, SocketType::Stream, true)?;
    match socket::connect(fd.as_fd(), &server) {
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw().into()) => {
            wait(fd.as_fd(), Direction::Write, deadline)?;
            socket::connect_result(fd.as_fd())?;
        }
        result => result?,
    }
    let questions = exchange.stream();
    let mut sent = 0;
    while sent < questions.len() {
        sent += retry(fd.as_fd(), Direction::Write, deadline, || {
            socket::send(fd.as_fd(), SocketType::Stream, &questions[sent..])
        })?;
    }
    let mut received = Vec::new();
    let mut buf = [0; LONGEST_ANSWER];
    loop {
        let len = retry(fd.as_fd(), Direction::Read, deadline, || {
            socket::recv(fd.as_fd(), SocketType::Stream, &mut buf)
        })?;
        received.extend_from_slice(&buf[..len]);
        if exchange.received_stream(&mut received) {
            return Ok(());
        }
        if len == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Does `operation` until it need not wait any more.
fn retry<T>(
    fd: BorrowedFd<'_>,
    direction: Direction,
    deadline: Instant,
    mut operation: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    loop {
        match operation() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait(fd, direction, deadline)?,
            result => return result,
        }
    }
}

/// Waits for readiness, or for as long as the runtime had something else to do.
fn wait(fd: BorrowedFd<'_>, direction: Direction, deadline: Instant) -> io::Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        if !thread::drive(Some(left.min(SLICE))) {
            poll::wait(fd, direction, Some(left))?;
            return Ok(());
        }
        if poll::wait(fd, direction, Some(Duration::ZERO))? {
            return Ok(());
        }
    }
}
