use crate::host::*;

/// A listener on loopback, and its address.
pub fn listener(family: i32) -> (u32, Address) {
    let socket = opened(socket(family, STREAM, NONBLOCK));
    let bound = if family == INET {
        bind(socket, at(&v4(0)), 16)
    } else {
        bind(socket, at(&v6(0, 0)), 28)
    };
    assert_eq!(bound, 0);
    assert_eq!(listen(socket, 1024), 0);
    let mut address = Address::NONE;
    assert_eq!(local_address(socket, at_mut(&mut address)), 0);
    assert_ne!(address.port(), 0);
    (socket, address)
}

/// A connection in non-blocking mode: the end that connected, and the accepted one.
pub fn connection(family: i32) -> (u32, u32) {
    let (listener, address) = listener(family);
    let client = opened(socket(family, STREAM, NONBLOCK));
    let result = connect(client, at(&address.bytes), address.len);
    assert_eq!(result, EINPROGRESS);
    let mut peer = Address::NONE;
    let server = opened(accept(listener, NONBLOCK, at_mut(&mut peer)));
    let mut local = Address::NONE;
    assert_eq!(local_address(client, at_mut(&mut local)), 0);
    // One call gives the connection and who it is from.
    assert_eq!(peer.bytes(), local.bytes());
    assert_eq!(peer_address(client, at_mut(&mut peer)), 0);
    assert_eq!(peer.bytes(), address.bytes());
    assert_eq!(accept(listener, NONBLOCK, 0), EAGAIN);
    assert_eq!(close(listener), 0);
    (client, server)
}

fn connections(family: i32, len: u32) {
    let (client, server) = connection(family);
    let mut address = Address::NONE;
    assert_eq!(peer_address(server, at_mut(&mut address)), 0);
    assert_eq!((address.len, address.bytes[0]), (len, family as u8));
    // Data.
    let mut buffer = [0; 8];
    assert_eq!(recv(server, at_mut(&mut buffer), 8, 0), EAGAIN);
    assert_eq!(send(client, at(b"hello"), 5, 0), 5);
    assert_eq!(recv(server, at_mut(&mut buffer), 8, 2), 5, "peek");
    assert_eq!(recv(server, at_mut(&mut buffer), 8, 0), 5);
    assert_eq!(&buffer, b"hello\0\0\0");
    // One direction ends, the other goes on.
    assert_eq!(shutdown(client, 1), 0);
    assert_eq!(recv(server, at_mut(&mut buffer), 8, 0), 0);
    assert_eq!(send(server, at(b"bye"), 3, 0), 3);
    assert_eq!(recv(client, at_mut(&mut buffer), 8, 0), 3);
    // Nobody is there any more: an error, and not the end of WasmEdge by SIGPIPE.
    assert_eq!(close(client), 0);
    let sent: Vec<i64> = (0..3).map(|_| send(server, at(b"x"), 1, 0)).collect();
    assert!(sent.contains(&-32), "EPIPE in {sent:?}");
    assert_eq!(close(server), 0);
    // Nobody listens.
    let (listener, address) = listener(family);
    assert_eq!(close(listener), 0);
    let client = opened(socket(family, STREAM, 0));
    assert_eq!(
        connect(client, at(&address.bytes), address.len),
        ECONNREFUSED
    );
    assert_eq!(close(client), 0);
}

pub fn connections_v4() {
    connections(INET, 16);
}

pub fn connections_v6() {
    connections(INET6, 28);
    // The scope arrives: there is no interface of this number.
    let socket = opened(socket(INET6, DGRAM, 0));
    let mut link_local = v6(0, 0x7fff_fff0);
    link_local[8..10].copy_from_slice(&[0xfe, 0x80]);
    assert_eq!(bind(socket, at(&link_local), 28), -19, "ENODEV");
    assert_eq!(close(socket), 0);
}

pub fn blocking_mode() {
    let socket = opened(socket(INET, DGRAM, 0));
    assert_eq!(is_nonblocking(socket), 0);
    assert_eq!(set_nonblocking(socket, 1), 0);
    assert_eq!(is_nonblocking(socket), 1);
    let mut byte = 0u8;
    assert_eq!(recv(socket, at_mut(&mut byte), 1, 0), EAGAIN);
    assert_eq!(set_nonblocking(socket, 0), 0);
    assert_eq!(is_nonblocking(socket), 0);
    assert_eq!(close(socket), 0);
}

pub fn numbers() {
    let first = opened(socket(INET, DGRAM, NONBLOCK));
    let again = opened(duplicate(first));
    assert_ne!(first, again);
    assert_eq!(close(first), 0);
    assert_eq!(close(first), EBADF);
    let mut byte = 0u8;
    assert_eq!(recv(again, at_mut(&mut byte), 1, 0), EAGAIN);
    assert_eq!(close(again), 0);
    // What is opened later is not reached by an old number.
    let mut numbers = vec![first, again];
    for _ in 0..5000 {
        let number = opened(socket(INET, DGRAM, NONBLOCK));
        assert_eq!(close(number), 0);
        numbers.push(number);
    }
    let open = opened(socket(INET, DGRAM, NONBLOCK));
    for old in &numbers {
        assert_ne!(*old, open);
        assert_eq!(recv(*old, at_mut(&mut byte), 1, 0), EBADF);
    }
    numbers.sort();
    let all = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "a number was used twice");
    assert_eq!(close(open), 0);
}
