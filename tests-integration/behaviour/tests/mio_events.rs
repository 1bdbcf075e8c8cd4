//! What mio itself tells, without tokio on top: tokio keeps what it was told, others act
//! on each event.
//!
//! Each row brings a registered source into a state, lets something happen and says what
//! is told of it. mio promises less than Linux keeps; Linux is what programs are written
//! on. What WasmEdge cannot tell without the plugin stands beside it, with the reason.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use behaviour::{is_plain, LIMIT};
use mio::event::Source;
use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::{Events, Interest, Poll, Token};

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

const ANY: &str = "127.0.0.1:0";

fn any() -> SocketAddr {
    ANY.parse().unwrap()
}

/// A poll with one source.
struct Watch {
    poll: Poll,
    events: Events,
}

impl Watch {
    fn new(source: &mut impl Source, interest: Interest) -> Watch {
        let poll = Poll::new().unwrap();
        poll.registry()
            .register(source, Token(1), interest)
            .unwrap();
        Watch {
            poll,
            events: Events::with_capacity(16),
        }
    }

    /// What is told: `r` readable, `w` writable, `R` read closed, `W` write closed, `e`
    /// error. Waits until it is what is expected, and then whether there is more.
    fn told(&mut self, expected: &str) -> String {
        let start = Instant::now();
        let mut told = [false; 5];
        let mut pause = Duration::from_millis(20);
        loop {
            self.poll.poll(&mut self.events, Some(pause)).unwrap();
            for event in &self.events {
                assert_eq!(event.token(), Token(1));
                told[0] |= event.is_readable();
                told[1] |= event.is_writable();
                told[2] |= event.is_read_closed();
                told[3] |= event.is_write_closed();
                told[4] |= event.is_error();
            }
            let names = "rwRWe".chars().zip(told);
            let names: String = names.filter_map(|(name, is)| is.then_some(name)).collect();
            let is_quiet = self.events.is_empty();
            if (names == expected && is_quiet) || start.elapsed() > LIMIT / 4 {
                return names;
            }
            pause = Duration::from_millis(10);
        }
    }
}

/// Repeats what is `WouldBlock` for as long as the peer's kernel takes.
fn soon<T>(mut f: impl FnMut() -> std::io::Result<T>) -> T {
    let start = Instant::now();
    loop {
        match f() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(start.elapsed() < LIMIT, "nothing came");
                std::thread::sleep(Duration::from_millis(1));
            }
            result => return result.unwrap(),
        }
    }
}

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(any()).unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let far = soon(|| listener.accept()).0;
    far.set_nodelay(true).unwrap();
    (near, far)
}

/// Where a stream stands when something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Nothing has come in.
    Silent,
    /// Something has, and is told, and nobody has read it.
    Unread,
    /// A part of it was read, as much as there was room for.
    Part,
    /// All was read, as much as there was room for.
    Full,
    /// All was read, and there was room for more.
    Short,
    /// The next read was `WouldBlock`.
    Drained,
    /// The peer has ended its direction, and the end was read.
    Ended,
}

use Before::*;

/// The near end of a connection, watched; its far end.
struct Connection {
    near: TcpStream,
    far: Option<TcpStream>,
    watch: Watch,
}

impl Connection {
    fn new(before: Before, interest: Interest) -> Connection {
        let (mut near, mut far) = pair();
        let mut watch = Watch::new(&mut near, interest);
        watch.told(if interest.is_writable() { "w" } else { "" });
        match before {
            Silent => {}
            Ended => {
                far.shutdown(Shutdown::Write).unwrap();
                assert_eq!(soon(|| near.read(&mut [0; 8])), 0);
                let closed = if is_plain() { "" } else { "rwR" };
                watch.told(closed);
            }
            _ => {
                far.write_all(b"hello").unwrap();
                let all = if interest.is_writable() { "rw" } else { "r" };
                assert_eq!(watch.told(all), all);
            }
        }
        let room = match before {
            Part => 3,
            Full | Drained => 5,
            Short => 64,
            Silent | Unread | Ended => 0,
        };
        if room > 0 {
            assert_eq!(near.read(&mut [0; 64][..room]).unwrap(), room.min(5));
        }
        if before == Drained {
            let empty = near.read(&mut [0; 8]).unwrap_err();
            assert_eq!(empty.kind(), ErrorKind::WouldBlock);
        }
        // WasmEdge has no edges. It is asked again, since there may be more, and says so.
        let again = match before {
            Part if is_plain() => "rw",
            _ => "",
        };
        if before != Ended {
            assert_eq!(watch.told(again), again, "{before:?}");
        }
        Connection {
            near,
            far: Some(far),
            watch,
        }
    }

    fn far(&mut self) -> &mut TcpStream {
        self.far.as_mut().unwrap()
    }

    fn shut(&mut self, how: Shutdown) {
        self.near.shutdown(how).unwrap();
    }
}

/// For each of the states, what is told once `happens`.
fn rows(what: &str, rows: &[(Before, &str)], happens: fn(&mut Connection)) {
    for &(before, expected) in rows {
        let mut connection = Connection::new(before, BOTH);
        happens(&mut connection);
        let told = connection.watch.told(expected);
        assert_eq!(told, expected, "{what}, {before:?}");
    }
}

/// WasmEdge cannot be asked whether there is more than what was told and not touched since.
fn untold(native: &'static str) -> &'static str {
    if is_plain() {
        ""
    } else {
        native
    }
}

/// WasmEdge does not tell that the peer has ended its direction: a read does.
fn end() -> &'static str {
    if is_plain() {
        "rw"
    } else {
        "rwR"
    }
}

#[test]
fn what_comes_in_is_told_with_all_that_is_ready() {
    rows(
        "more comes in",
        &[
            (Silent, "rw"),
            (Full, "rw"),
            (Short, "rw"),
            (Drained, "rw"),
            (Unread, untold("rw")),
            (Part, untold("rw")),
        ],
        |connection| connection.far().write_all(b"more").unwrap(),
    );
}

#[test]
fn the_peers_end_is_told() {
    rows(
        "the peer closes",
        &[
            (Silent, end()),
            (Full, end()),
            (Short, end()),
            (Drained, end()),
            (Unread, untold(end())),
        ],
        |connection| drop(connection.far.take()),
    );
}

#[test]
fn a_reset_is_told_as_an_error() {
    rows(
        "the peer resets",
        &[
            (Silent, "rwRWe"),
            (Full, "rwRWe"),
            (Short, "rwRWe"),
            (Drained, "rwRWe"),
            (Unread, untold("rwRWe")),
        ],
        |connection| {
            connection.near.write_all(b"x").unwrap();
            // Closed with something unread, a connection is reset.
            let far = connection.far.take().unwrap();
            soon(|| far.peek(&mut [0; 8]));
        },
    );
    let (mut near, mut far) = pair();
    let mut watch = Watch::new(&mut near, BOTH);
    assert_eq!(watch.told("w"), "w");
    far.write_all(b"y").unwrap();
    near.write_all(b"x").unwrap();
    soon(|| far.peek(&mut [0; 8]));
    soon(|| near.read(&mut [0; 8]));
    drop(far);
    watch.told("rwRWe");
    // The error is told once more, by the operation that meets it.
    assert_eq!(
        near.read(&mut [0; 8]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
}

const ALL: [Before; 6] = [Silent, Unread, Part, Full, Short, Drained];

#[test]
fn ones_own_shutdown_of_both_directions_is_told() {
    rows(
        "both shut",
        &ALL.map(|before| (before, "rwRW")),
        |connection| {
            connection.shut(Shutdown::Both);
        },
    );
}

#[test]
fn ones_own_shutdown_of_reading_is_told() {
    rows(
        "reading shut",
        &ALL.map(|before| (before, "rwR")),
        |connection| {
            connection.shut(Shutdown::Read);
        },
    );
}

#[test]
fn ones_own_shutdown_of_writing_is_told_with_what_is_unread() {
    let told = ALL.map(|before| match before {
        Unread | Part => (before, "rw"),
        _ => (before, "w"),
    });
    rows("writing shut", &told, |connection| {
        connection.shut(Shutdown::Write);
    });
}

#[test]
fn each_shutdown_is_told_and_one_after_the_other_ends_the_connection() {
    for (first, told, second, then) in [
        (Shutdown::Read, "rwR", Shutdown::Read, "rwR"),
        (Shutdown::Write, "w", Shutdown::Write, "w"),
        (Shutdown::Read, "rwR", Shutdown::Write, "rwRW"),
        (Shutdown::Write, "w", Shutdown::Read, "rwRW"),
    ] {
        let mut connection = Connection::new(Drained, BOTH);
        connection.shut(first);
        assert_eq!(connection.watch.told(told), told, "{first:?}");
        connection.shut(second);
        let all = connection.watch.told(then);
        assert_eq!(all, then, "{first:?}, then {second:?}");
    }
}

#[test]
fn a_shutdown_after_the_peers_ends_the_connection() {
    let mut connection = Connection::new(Ended, BOTH);
    connection.shut(Shutdown::Write);
    assert_eq!(connection.watch.told("rwRW"), "rwRW");

    let mut connection = Connection::new(Drained, BOTH);
    connection.shut(Shutdown::Write);
    assert_eq!(connection.watch.told("w"), "w");
    connection.far.take();
    assert_eq!(connection.watch.told("rwRW"), "rwRW");
}

#[test]
fn a_shutdown_of_what_is_of_no_interest_is_told_as_far_as_it_matters() {
    for (interest, how, expected) in [
        (Interest::READABLE, Shutdown::Read, "rR"),
        (Interest::READABLE, Shutdown::Write, ""),
        (Interest::READABLE, Shutdown::Both, "rRW"),
        (Interest::WRITABLE, Shutdown::Read, "w"),
        (Interest::WRITABLE, Shutdown::Write, "w"),
        (Interest::WRITABLE, Shutdown::Both, "wRW"),
    ] {
        let mut connection = Connection::new(Silent, interest);
        connection.shut(how);
        let told = connection.watch.told(expected);
        assert_eq!(told, expected, "{interest:?}, {how:?}");
    }
}

#[test]
fn registering_anew_tells_all_that_is_ready() {
    for (before, how, expected) in [
        (Silent, None, "w"),
        (Unread, None, "rw"),
        (Part, None, "rw"),
        (Drained, None, "w"),
        (Drained, Some(Shutdown::Read), "rwR"),
        (Drained, Some(Shutdown::Both), "rwRW"),
    ] {
        for is_new in [false, true] {
            let mut connection = Connection::new(before, BOTH);
            if let Some(how) = how {
                connection.shut(how);
                connection.watch.told(expected);
            }
            let registry = connection.watch.poll.registry();
            let near = &mut connection.near;
            if is_new {
                registry.deregister(near).unwrap();
                registry.register(near, Token(1), BOTH).unwrap();
            } else {
                registry.reregister(near, Token(1), BOTH).unwrap();
            }
            // WasmEdge tells of a new registration of a socket whose reading is shut that
            // it can be read, and not that it is shut.
            let expected = match how {
                Some(Shutdown::Read) if is_new && is_plain() => "rw",
                _ => expected,
            };
            let told = connection.watch.told(expected);
            assert_eq!(told, expected, "{before:?}, {how:?}, new: {is_new}");
        }
    }
}

#[test]
fn a_refused_connection_is_told_as_an_error() {
    let nobody = TcpListener::bind(any()).unwrap().local_addr().unwrap();
    // Natively it may be refused at once.
    if let Ok(mut stream) = TcpStream::connect(nobody) {
        let mut watch = Watch::new(&mut stream, BOTH);
        assert_eq!(watch.told("rwRWe"), "rwRWe");
        let error = stream.take_error().unwrap().unwrap();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(stream.take_error().unwrap().is_none());
    }
}

/// As many programs do, which works on Linux as long as they come one by one.
#[test]
fn who_takes_one_thing_per_event_is_told_of_the_next() {
    let mut near = UdpSocket::bind(any()).unwrap();
    let far = UdpSocket::bind(any()).unwrap();
    let address = near.local_addr().unwrap();
    let mut watch = Watch::new(&mut near, BOTH);
    assert_eq!(watch.told("w"), "w");
    for _ in 0..3 {
        far.send_to(b"x", address).unwrap();
        assert_eq!(watch.told("rw"), "rw", "a datagram");
        near.recv_from(&mut [0; 8]).unwrap();
        assert_eq!(watch.told(""), "");
    }

    let mut listener = TcpListener::bind(any()).unwrap();
    let address = listener.local_addr().unwrap();
    let mut watch = Watch::new(&mut listener, Interest::READABLE);
    for _ in 0..3 {
        let _stream = TcpStream::connect(address).unwrap();
        assert_eq!(watch.told("r"), "r", "a connection");
        listener.accept().unwrap();
        assert_eq!(watch.told(""), "");
    }

    let mut connection = Connection::new(Silent, BOTH);
    for _ in 0..3 {
        connection.far().write_all(b"12345678").unwrap();
        assert_eq!(connection.watch.told("rw"), "rw", "a message");
        assert_eq!(connection.near.read(&mut [0; 8]).unwrap(), 8);
        assert_eq!(connection.watch.told(""), "");
    }
}
