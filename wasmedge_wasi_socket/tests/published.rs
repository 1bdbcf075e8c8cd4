//! The API of the published 0.5.5, where that has defects. What all of it does
//! is tested by the app `old-api`. WasmEdge only, as the API is.
#![cfg(target_os = "wasi")]

use std::io::{ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime};
use wasmedge_wasi_socket::poll::{poll, EventType, Subscription};
use wasmedge_wasi_socket::socket::{
    AddressFamily, AiFlags, Socket, SocketOptLevel, SocketOptName, SocketType, WasiAddrinfo,
};
use wasmedge_wasi_socket::{nslookup, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

/// A lookup's entries, and the elements of the other vectors that go with them.
type Looked = (Vec<WasiAddrinfo>, Vec<[u8; 26]>, Vec<String>);

fn look(node: &str, hints: &WasiAddrinfo, max: usize) -> std::io::Result<Looked> {
    let (mut addrs, mut data, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let found =
        WasiAddrinfo::get_addrinfo(node, "80", hints, max, &mut addrs, &mut data, &mut names)?;
    assert_eq!((addrs.len(), names.len()), (data.len(), data.len()));
    Ok((found, data, names))
}

#[test]
fn streams_connect_over_ipv6() {
    let listener = TcpListener::bind("[::1]:0", false).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, peer) = listener.accept(false).unwrap();
    assert!(peer.is_ipv6());
    assert_eq!(peer, client.local_addr().unwrap());
    assert_eq!(server.local_addr().unwrap(), client.peer_addr().unwrap());
}

#[test]
fn addresses_are_what_the_host_wrote() {
    for of in ["127.0.0.1:0", "[::1]:0"] {
        let (one, two) = (UdpSocket::bind(of).unwrap(), UdpSocket::bind(of).unwrap());
        let local = |socket: &UdpSocket| socket.as_ref().get_local().unwrap();
        let wanted: SocketAddr = of.parse().unwrap();
        assert_eq!(local(&one).ip(), wanted.ip());
        one.send_to(b"x", local(&two)).unwrap();
        let (_, sender) = two.recv_from(&mut [0]).unwrap();
        assert_eq!(sender, local(&one));
    }
}

#[test]
fn a_lookup_is_bounded() {
    let mut hints = WasiAddrinfo::default();
    // The longest that the host can write goes with these hints.
    hints.ai_flags = AiFlags::AiCanonname;
    let (found, data, names) = look("localhost", &hints, 1).unwrap();
    assert_eq!((found.len(), data.len()), (1, 1));
    assert_eq!(names[0], "localhost");
    assert_eq!(data[0][..6], [0, 80, 127, 0, 0, 1]);

    let (found, data, _) = look("localhost", &hints, usize::MAX).unwrap();
    assert!(!found.is_empty() && data.len() <= 512);
    assert!(look("localhost", &hints, 0).is_err());

    for hints in [AddressFamily::Inet6, AddressFamily::Unspec].map(|family| {
        let mut hints = WasiAddrinfo::default();
        hints.ai_family = family;
        hints
    }) {
        for max in 1..=4 {
            let (found, ..) = look("::1", &hints, max).unwrap();
            assert_eq!(found.len(), 1, "{max}");
            assert!(found[0].ai_family.is_v6());
        }
    }
}

#[test]
fn a_lookup_for_sockets_of_any_type_is_no_end_of_the_process() {
    let mut hints = WasiAddrinfo::default();
    hints.ai_socktype = SocketType::Any;
    let (found, ..) = look("127.0.0.1", &hints, 10).unwrap();
    assert!(matches!(found[0].ai_socktype, SocketType::Stream));
}

#[test]
fn families_and_types_of_no_socket_are_unsupported() {
    for (family, kind) in [
        (AddressFamily::Unspec, SocketType::Stream),
        (AddressFamily::Inet4, SocketType::Any),
    ] {
        let error = Socket::new(family, kind).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn what_the_host_has_no_flags_for_is_unsupported() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = socket.as_ref();
    let to = socket.get_local().unwrap();
    let error = socket.send_to_vectored(&[IoSlice::new(b"x")], to, 1);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(
        socket
            .send_to_vectored(&[IoSlice::new(b"x")], to, 0)
            .unwrap(),
        1
    );
    let mut buf = [std::mem::MaybeUninit::uninit()];
    assert!(socket.recv_with_flags(&mut buf, 64).is_err());
}

#[test]
fn options_of_a_wrong_size_are_errors() {
    let socket = Socket::new(AddressFamily::Inet6, SocketType::Stream).unwrap();
    let set = |name, value: [u8; 3]| socket.setsockopt(SocketOptLevel::SolSocket, name, value);
    for name in [
        SocketOptName::SoKeepalive,
        SocketOptName::SoLinger,
        SocketOptName::SoType,
    ] {
        assert!(set(name, [1; 3]).is_err(), "{name:?}");
    }
    let nothing = socket.setsockopt(SocketOptLevel::SolSocket, SocketOptName::SoError, ());
    assert!(nothing.is_err());
}

#[test]
fn polls_heed_the_hosts_rules() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let write = |userdata| Subscription::io(userdata, &socket, false, true, None);
    // None at all, then the same thing three times, then one that is closed.
    assert!(poll(&[]).unwrap().is_empty());
    let events = poll(&[write(1), write(2), write(3)]).unwrap();
    assert_eq!(events.iter().map(|event| event.userdata).sum::<u64>(), 6);
    assert!(events
        .iter()
        .all(|event| matches!(event.event_type, EventType::Write)));

    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().as_raw_fd();
    let gone = Subscription::IO {
        userdata: 4,
        fd: closed,
        read_event: true,
        write_event: true,
    };
    let events = poll(&[gone]).unwrap();
    assert_eq!(events.len(), 2);
    assert!(events
        .iter()
        .all(|event| matches!(event.event_type, EventType::Error(_))));

    let past = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let events = poll(&[Subscription::timeout(5, past)]).unwrap();
    assert!(matches!(events[0].event_type, EventType::Timeout));
}

#[test]
fn ipv4_comes_first_by_name() {
    let found = nslookup("localhost", "80").unwrap();
    assert!(found.is_sorted_by_key(SocketAddr::is_ipv6), "{found:?}");
    assert_eq!(found.first(), Some(&"127.0.0.1:80".parse().unwrap()));
    let found = "localhost:80".to_socket_addrs().unwrap();
    assert!(found.into_iter().next().unwrap().is_ipv4());
}

#[test]
fn a_number_that_is_no_port_is_no_service() {
    for service in ["65536", "70000", "99999999999", "8\u{0}0"] {
        assert!(nslookup("127.0.0.1", service).is_err(), "{service}");
    }
    for (service, port) in [
        ("", 0),
        ("0", 0),
        ("65535", 65535),
        ("080", 80),
        ("80\0", 80),
    ] {
        let found = nslookup("127.0.0.1", service).unwrap();
        assert_eq!(found[0].port(), port, "{service}");
    }
}

#[cfg(feature = "foreign-types")]
mod answers {
    use std::io::{self, Cursor, Read, Write};
    use wasmedge_wasi_socket::{resolve, Ipv4Addr};

    /// Answers with `answer`, one byte at a time, and keeps what was asked.
    struct Server {
        asked: Vec<u8>,
        answer: fn(&[u8]) -> Vec<u8>,
        sent: Option<Cursor<Vec<u8>>>,
    }

    impl Write for Server {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.asked.extend_from_slice(&buf[..1]);
            Ok(1)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Read for Server {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let (answer, asked) = (self.answer, &self.asked[2..]);
            let sent = self.sent.get_or_insert_with(|| {
                let answer = answer(asked);
                let len = u16::try_from(answer.len()).unwrap().to_be_bytes();
                Cursor::new([&len[..], &answer].concat())
            });
            sent.read(&mut buf[..1])
        }
    }

    fn ask(name: &str, answer: fn(&[u8]) -> Vec<u8>) -> Result<Vec<Ipv4Addr>, String> {
        let mut server = Server {
            asked: Vec::new(),
            answer,
            sent: None,
        };
        resolve(&mut server, name).map_err(|error| error.to_string())
    }

    /// The question as an answer, with one address.
    fn one_address(question: &[u8]) -> Vec<u8> {
        let mut answer = question.to_vec();
        answer[2] |= 0x80;
        answer[7] = 1;
        let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1];
        answer.extend(record);
        answer
    }

    #[test]
    fn they_may_come_in_pieces() {
        let wanted = vec![Ipv4Addr::new(192, 0, 2, 1)];
        assert_eq!(ask("name.test", one_address), Ok(wanted.clone()));
        assert_eq!(ask("name.test.", one_address), Ok(wanted));
    }

    #[test]
    fn to_another_question_they_are_none() {
        let other = |question: &[u8]| {
            let mut answer = one_address(question);
            answer[0] ^= 1;
            answer
        };
        assert!(ask("name.test", other).is_err());
        assert!(
            ask("name.test", <[u8]>::to_vec).is_err(),
            "the question itself"
        );
    }

    #[test]
    fn cut_off_or_garbled_they_are_errors() {
        assert!(ask("name.test", |_| Vec::new()).is_err());
        assert!(ask("name.test", |question| question[..5].to_vec()).is_err());
        assert!(ask("name.test", |question| {
            let answer = one_address(question);
            answer[..answer.len() - 1].to_vec()
        })
        .is_err());
        assert!(ask("name.test", |question| {
            let mut answer = one_address(question);
            // A name that points to itself.
            answer[12..14].copy_from_slice(&[0xc0, 12]);
            answer
        })
        .is_err());
    }

    #[test]
    fn names_that_have_no_place_in_a_question_are_errors() {
        for name in ["", ".", "a..b", &"x".repeat(63), &"x".repeat(300)] {
            assert!(ask(name, one_address).is_err(), "{name}");
        }
    }
}
