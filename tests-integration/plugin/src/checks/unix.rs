use crate::host::*;

fn path(name: &[u8]) -> ([u8; 110], u32) {
    let mut bytes = [0; 110];
    bytes[0] = UNIX as u8;
    bytes[2..2 + name.len()].copy_from_slice(name);
    (bytes, 2 + name.len() as u32)
}

/// Two that reach each other and nothing else: they are always allowed.
pub fn pairs() {
    for kind in [STREAM, DGRAM] {
        let mut both = [0u32; 2];
        assert_eq!(pair(kind, NONBLOCK, at_mut(&mut both)), 0);
        let [one, two] = both.map(|number| opened(number.into()));
        assert_eq!(send(one, at(b"hi"), 2, 0), 2);
        let mut buffer = [0; 8];
        assert_eq!(recv(two, at_mut(&mut buffer), 8, 0), 2);
        let (address, len) = path(b"\0nobody");
        assert_eq!(bind(one, at(&address), len), EOPNOTSUPP);
        assert_eq!(connect(one, at(&address), len), EOPNOTSUPP);
        let iovec = [at(b"x"), 1];
        let sent = send_message(one, at(&iovec), 1, 0, at(&address), len);
        assert_eq!(sent, EOPNOTSUPP);
        // Nor does one more number for it.
        let again = opened(duplicate(one));
        assert_eq!(connect(again, at(&address), len), EOPNOTSUPP);
        for number in [one, two, again] {
            assert_eq!(close(number), 0);
        }
    }
}

pub fn refused() {
    println!("Unix sockets are refused");
    for kind in [STREAM, DGRAM] {
        assert_eq!(socket(UNIX, kind, 0), EAFNOSUPPORT);
    }
    // Nor is there a way around.
    let (address, len) = path(b"\0nobody of any importance whatsoever");
    for family in [INET, INET6] {
        let socket = opened(socket(family, STREAM, NONBLOCK));
        assert_eq!(connect(socket, at(&address), len), EAFNOSUPPORT);
        assert_eq!(close(socket), 0);
    }
}

pub fn allowed() {
    println!("Unix sockets are allowed");
    let mut unique = [0u8; 8];
    assert_eq!(random(at_mut(&mut unique), 8), 0);
    // An abstract name, which leaves no file.
    let name = format!("\0tokio-wasmedge-{:x}", u64::from_le_bytes(unique));
    let (address, len) = path(name.as_bytes());
    let listener = opened(socket(UNIX, STREAM, NONBLOCK));
    assert_eq!(bind(listener, at(&address), len), 0);
    assert_eq!(listen(listener, 8), 0);
    let mut local = Address::NONE;
    assert_eq!(local_address(listener, at_mut(&mut local)), 0);
    assert_eq!(local.bytes(), &address[..len as usize]);
    let client = opened(socket(UNIX, STREAM, NONBLOCK));
    assert_eq!(connect(client, at(&address), len), 0);
    let mut peer = Address::NONE;
    let server = opened(accept(listener, NONBLOCK, at_mut(&mut peer)));
    assert_eq!(peer.len, 2, "without a name");
    assert_eq!(send(client, at(b"hi"), 2, 0), 2);
    let mut buffer = [0; 8];
    assert_eq!(recv(server, at_mut(&mut buffer), 8, 0), 2);
    // SO_PEERCRED: it is this process.
    let mut credentials = [0u32; 3];
    assert_eq!(get_option(server, 1, 17, at_mut(&mut credentials), 12), 12);
    assert_ne!(credentials[0], 0);
    for number in [listener, client, server] {
        assert_eq!(close(number), 0);
    }
}
