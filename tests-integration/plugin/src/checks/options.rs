use crate::host::*;

fn get(socket: u32, level: i32, name: i32) -> i32 {
    let mut value = -1i32;
    let result = get_option(socket, level, name, at_mut(&mut value), 4);
    assert_eq!(result, 4, "{level} {name}");
    value
}

fn set(socket: u32, level: i32, name: i32, value: i32) {
    let result = set_option(socket, level, name, at(&value), 4);
    assert_eq!(result, 0, "{level} {name}");
}

pub fn options() {
    let tcp = opened(socket(INET, STREAM, 0));
    // Level, name, a value that is not the one before.
    let rows = [
        (1, 2, 1),      // SO_REUSEADDR
        (1, 15, 1),     // SO_REUSEPORT
        (1, 9, 1),      // SO_KEEPALIVE
        (0, 2, 42),     // IP_TTL
        (0, 1, 0x10),   // IP_TOS
        (6, 1, 1),      // TCP_NODELAY
        (6, 4, 77),     // TCP_KEEPIDLE
        (6, 5, 7),      // TCP_KEEPINTVL
        (6, 6, 5),      // TCP_KEEPCNT
        (6, 18, 12345), // TCP_USER_TIMEOUT
    ];
    for (level, name, value) in rows {
        assert_ne!(get(tcp, level, name), value, "{level} {name}");
        set(tcp, level, name, value);
        assert_eq!(get(tcp, level, name), value, "{level} {name}");
    }
    // The kernel doubles it.
    set(tcp, 1, 8, 65536);
    assert_eq!(get(tcp, 1, 8), 131_072);
    assert_eq!((get(tcp, 1, 3), get(tcp, 1, 39)), (STREAM, INET));
    assert_eq!(get(tcp, 1, 4), 0, "SO_ERROR");
    let mut linger = [0u32; 2];
    assert_eq!(set_option(tcp, 1, 13, at(&[1u32, 3]), 8), 0);
    assert_eq!(get_option(tcp, 1, 13, at_mut(&mut linger), 8), 8);
    assert_eq!(linger, [1, 3]);
    let mut name = [0u8; 16];
    let len = get_option(tcp, 6, 13, at_mut(&mut name), 16);
    assert!(len > 0 && name[0].is_ascii_lowercase(), "{name:?}");
    assert_eq!(close(tcp), 0);

    let v6_socket = opened(socket(INET6, STREAM, 0));
    for (name, value) in [(26, 1), (16, 9), (67, 0x20)] {
        set(v6_socket, 41, name, value);
        assert_eq!(get(v6_socket, 41, name), value, "{name}");
    }
    assert_eq!(close(v6_socket), 0);
}

pub fn multicast() {
    // Two sockets share a port, join a group on loopback (interface 1), and both get what
    // is sent to it.
    let group = [239, 1, 2, 3];
    let joining: [u8; 12] = [239, 1, 2, 3, 0, 0, 0, 0, 1, 0, 0, 0];
    let mut sockets = Vec::new();
    let mut port = 0;
    for _ in 0..2 {
        let socket = opened(socket(INET, DGRAM, NONBLOCK));
        set(socket, 1, 2, 1);
        let mut any = v4(port);
        any[4..8].fill(0);
        assert_eq!(bind(socket, at(&any), 16), 0);
        let mut address = Address::NONE;
        assert_eq!(local_address(socket, at_mut(&mut address)), 0);
        port = address.port();
        assert_eq!(set_option(socket, 0, 35, at(&joining), 12), 0);
        sockets.push(socket);
    }
    let sender = sockets[0];
    set(sender, 0, 33, 0);
    assert_eq!(set_option(sender, 0, 32, at(&joining), 12), 0);
    let mut to = v4(port);
    to[4..8].copy_from_slice(&group);
    let iovec = [at(b"all"), 3];
    assert_eq!(send_message(sender, at(&iovec), 1, 0, at(&to), 16), 3);
    for socket in &sockets {
        let mut buffer = [0; 8];
        assert_eq!(recv(*socket, at_mut(&mut buffer), 8, 0), 3);
    }
    assert_eq!(set_option(sockets[1], 0, 36, at(&joining), 12), 0);
    assert_eq!(send_message(sender, at(&iovec), 1, 0, at(&to), 16), 3);
    let mut buffer = [0; 8];
    assert_eq!(recv(sender, at_mut(&mut buffer), 8, 0), 3);
    for socket in sockets {
        assert_eq!(close(socket), 0);
    }
    // Over IPv6: a group on the interface 1.
    let socket = opened(socket(INET6, DGRAM, NONBLOCK));
    let mut joining = [0u8; 20];
    joining[..2].copy_from_slice(&[0xff, 0x02]);
    joining[15] = 0x77;
    joining[16] = 1;
    assert_eq!(set_option(socket, 41, 20, at(&joining), 20), 0);
    assert_eq!(set_option(socket, 41, 21, at(&joining), 20), 0);
    assert_eq!(set_option(socket, 41, 21, at(&joining), 20), -99);
    assert_eq!(close(socket), 0);
}
