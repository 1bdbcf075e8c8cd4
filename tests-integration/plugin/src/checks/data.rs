use super::sockets::connection;
use crate::host::*;

pub fn streams() {
    let (client, server) = connection(INET);
    // Of several buffers, into several.
    let parts: [&[u8]; 3] = [b"one", b"", b"twothree"];
    let iovecs = parts.map(|part| [at(part), part.len() as u32]);
    assert_eq!(send_message(client, at(&iovecs), 3, 0, 0, 0), 11);
    let (mut one, mut two) = ([0; 6], [0; 16]);
    let iovecs = [[at_mut(&mut one), 6], [at_mut(&mut two), 16]];
    let mut flags = 7u32;
    assert_eq!(
        recv_message(server, at(&iovecs), 2, 0, 0, at_mut(&mut flags)),
        11
    );
    assert_eq!(flags, 0);
    assert_eq!((&one, &two[..5]), (b"onetwo", &b"three"[..]));
    // As much as there is room for, and no more: all of it arrives.
    let block = vec![7u8; 1 << 20];
    let mut sent = 0;
    loop {
        match send(client, at(&block[..]), block.len() as u32, 0) {
            EAGAIN => break,
            count => {
                assert!(count > 0, "error {count}");
                sent += count;
            }
        }
    }
    let mut received = 0;
    let mut room = vec![0u8; 1 << 20];
    while received < sent {
        let count = recv(server, at_mut(&mut room[..]), room.len() as u32, 0);
        if count == EAGAIN {
            continue;
        }
        assert!(count > 0, "error {count}");
        assert_eq!((room[0], room[count as usize - 1]), (7, 7));
        received += count;
    }
    assert_eq!(received, sent);
    assert_eq!((close(client), close(server)), (0, 0));
}

fn datagram_socket(family: i32) -> (u32, Address) {
    let socket = opened(socket(family, DGRAM, NONBLOCK));
    let bound = if family == INET {
        bind(socket, at(&v4(0)), 16)
    } else {
        bind(socket, at(&v6(0, 0)), 28)
    };
    assert_eq!(bound, 0);
    let mut address = Address::NONE;
    assert_eq!(local_address(socket, at_mut(&mut address)), 0);
    (socket, address)
}

pub fn datagrams() {
    for family in [INET, INET6] {
        let (one, one_at) = datagram_socket(family);
        let (two, two_at) = datagram_socket(family);
        let iovec = [at(b"datagram"), 8];
        let sent = send_message(one, at(&iovec), 1, 0, at(&two_at.bytes), two_at.len);
        assert_eq!(sent, 8);
        // Too little room: what was sent, by the flags, and who sent it.
        let mut buffer = [0; 4];
        let into = [at_mut(&mut buffer), 4];
        let (mut from, mut flags) = (Address::NONE, 0u32);
        let (from_at, flags_at) = (at_mut(&mut from), at_mut(&mut flags));
        assert_eq!(recv_message(two, at(&into), 1, 0, from_at, flags_at), 4);
        assert_eq!((&buffer, flags & 0x20), (b"data", 0x20));
        assert_eq!(from.bytes(), one_at.bytes());
        // An empty one is one, too.
        let sent = send_message(one, 0, 0, 0, at(&two_at.bytes), two_at.len);
        assert_eq!(sent, 0);
        assert_eq!(recv(two, at_mut(&mut buffer), 4, 0), 0);
        assert_eq!(recv(two, at_mut(&mut buffer), 4, 0), EAGAIN);
        assert_eq!((close(one), close(two)), (0, 0));
    }
}

pub fn disconnecting() {
    let (one, one_at) = datagram_socket(INET);
    let (two, two_at) = datagram_socket(INET);
    assert_eq!(connect(one, at(&two_at.bytes), two_at.len), 0);
    assert_eq!(send(one, at(b"a"), 1, 0), 1);
    let mut peer = Address::NONE;
    assert_eq!(peer_address(one, at_mut(&mut peer)), 0);
    assert_eq!(peer.bytes(), two_at.bytes());
    // AF_UNSPEC takes the peer away.
    assert_eq!(connect(one, at(&[0u8; 16]), 16), 0);
    assert_eq!(peer_address(one, at_mut(&mut peer)), -107, "ENOTCONN");
    assert_eq!(send(one, at(b"b"), 1, 0), -89, "EDESTADDRREQ");
    let _ = one_at;
    assert_eq!((close(one), close(two)), (0, 0));
}

pub fn random_numbers() {
    let mut bytes = vec![0u8; 100_000];
    assert_eq!(random(at_mut(&mut bytes[..]), 100_000), 0);
    let ones: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
    // A standard deviation is 447: wrong once in 10^20 runs.
    assert!((395_800..404_200).contains(&ones), "{ones} of 800000");
    assert_eq!(random(0, 0), 0);
}

/// What is beyond the end is refused, and allowed as soon as it is there.
pub fn memory_that_grew() {
    let end = core::arch::wasm32::memory_size(0) as u32 * 65536;
    assert_eq!(random(end, 16), EFAULT);
    assert_eq!(random(end - 8, 16), EFAULT);
    assert_ne!(core::arch::wasm32::memory_grow(0, 1), usize::MAX);
    assert_eq!(random(end, 16), 0);
    assert_eq!(random(end, 65536), 0);
    assert_eq!(random(end, 65537), EFAULT);
    assert_eq!(random(end + 65536, 0), 0, "nothing, at the end");
    assert_eq!(random(end + 65537, 0), EFAULT);
}
