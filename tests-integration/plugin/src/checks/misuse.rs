use crate::host::*;

/// None of them is a socket of ours: WASI's own, and what was never opened.
pub fn wrong_numbers() {
    let mut byte = 0u8;
    let wrong = [
        0,
        1,
        2,
        3,
        100,
        0x7fff_ffff,
        0x8fff_ffff,
        0xbfff_ffff,
        0xffff_ffff,
    ];
    for number in wrong {
        assert_eq!(recv(number, at_mut(&mut byte), 1, 0), EBADF, "{number:x}");
        assert_eq!(send(number, at(&byte), 1, 0), EBADF, "{number:x}");
        assert_eq!(close(number), EBADF, "{number:x}");
        assert_eq!(duplicate(number), EBADF, "{number:x}");
        assert_eq!(epoll_wait(number, at_mut(&mut byte), 1, 0), EBADF);
        assert_eq!(event_signal(number), EBADF);
    }
}

pub fn wrong_kinds() {
    let epoll = opened(epoll_create());
    let event = opened(event_create());
    let socket = opened(socket(INET, DGRAM, NONBLOCK));
    let mut room = [0u64; 32];
    let at = at_mut(&mut room);
    for number in [epoll, event] {
        assert_eq!(recv(number, at, 1, 0), ENOTSOCK);
        assert_eq!(bind(number, at, 16), ENOTSOCK);
        assert_eq!(accept(number, 0, 0), ENOTSOCK);
        assert_eq!(set_nonblocking(number, 0), ENOTSOCK);
        assert_eq!(duplicate(number), ENOTSOCK);
        assert_eq!(get_option(number, 1, 4, at, 4), ENOTSOCK);
    }
    for number in [event, socket] {
        assert_eq!(epoll_wait(number, at, 1, 0), EINVAL);
        assert_eq!(epoll_add(number, socket, IN, 0), EINVAL);
    }
    for number in [epoll, socket] {
        assert_eq!(event_signal(number), EINVAL);
        assert_eq!(signals_take(number), EINVAL);
    }
    // No circles.
    assert_eq!(epoll_add(epoll, epoll, IN, 0), EINVAL);
    let other = opened(epoll_create());
    assert_eq!(epoll_add(epoll, other, IN, 0), EINVAL);
    for number in [epoll, event, socket, other] {
        assert_eq!(close(number), 0);
    }
}

/// Nothing outside of the memory is read or written, and nothing is done by halves.
pub fn wrong_addresses() {
    let socket = opened(socket(INET, DGRAM, NONBLOCK));
    let epoll = opened(epoll_create());
    let wrong = [0xffff_ffff, 0xffff_fff0, 0xf000_0000];
    for at in wrong {
        assert_eq!(recv(socket, at, 100, 0), EFAULT);
        assert_eq!(recv(socket, 0, at, 0), EFAULT);
        assert_eq!(send(socket, at, 100, 0), EFAULT);
        assert_eq!(bind(socket, at, 100), EFAULT);
        assert_eq!(local_address(socket, at), EFAULT);
        assert_eq!(local_address(socket, 0), EFAULT);
        assert_eq!(recv_message(socket, at, 1, 0, 0, 0), EFAULT);
        assert_eq!(recv_message(socket, 0, 0, 0, at, 0), EFAULT);
        assert_eq!(recv_message(socket, 0, 0, 0, 0, at), EFAULT);
        let iovec = [at, 100];
        assert_eq!(
            send_message(socket, crate::host::at(&iovec), 1, 0, 0, 0),
            EFAULT
        );
        assert_eq!(set_option(socket, 1, 2, at, 4), EFAULT);
        assert_eq!(get_option(socket, 1, 2, at, 4), EFAULT);
        assert_eq!(epoll_wait(epoll, at, 1, 0), EFAULT);
        assert_eq!(poll(at, 1, 0), EFAULT);
        assert_eq!(pair(STREAM, 0, at), EFAULT);
        assert_eq!(random(at, 100), EFAULT);
    }
    // Too many, or so many that their size is more than 32 bits hold.
    assert_eq!(recv_message(socket, 0, 1025, 0, 0, 0), -90, "EMSGSIZE");
    assert_eq!((close(socket), close(epoll)), (0, 0));
}

pub fn wrong_arguments() {
    for family in [0, 3, 16, 17, 38, -1] {
        assert_eq!(socket(family, STREAM, 0), EAFNOSUPPORT);
    }
    for kind in [0, 3, 5, 0x80000 | 1] {
        assert_eq!(socket(INET, kind, 0), -94, "ESOCKTNOSUPPORT");
    }
    assert_eq!(socket(INET, STREAM, 2), EINVAL);
    let socket = opened(socket(INET, STREAM, NONBLOCK));
    let epoll = opened(epoll_create());
    let mut room = [0u64; 32];
    let at = at_mut(&mut room);
    // MSG_ERRQUEUE, MSG_CMSG_CLOEXEC; MSG_ZEROCOPY, MSG_CONFIRM.
    for flags in [0x2000, 0x4000_0000, -1] {
        assert_eq!(recv(socket, at, 1, flags), EINVAL);
    }
    for flags in [0x400_0000, 0x800, -1] {
        assert_eq!(send(socket, at, 1, flags), EINVAL);
    }
    // SO_MARK, SO_ATTACH_FILTER, SO_PASSCRED, a level that is none.
    for (level, name) in [(1, 36), (1, 26), (1, 16), (255, 1), (-1, -1)] {
        assert_eq!(set_option(socket, level, name, at, 4), ENOPROTOOPT);
        assert_eq!(get_option(socket, level, name, at, 4), ENOPROTOOPT);
    }
    for len in [0, 1, 3, 5, 64] {
        assert_eq!(set_option(socket, 1, 2, at, len), EINVAL);
        assert_eq!(get_option(socket, 1, 2, at, len), EINVAL);
    }
    assert_eq!(connect(socket, at, 129), EINVAL);
    assert_eq!(epoll_add(epoll, socket, 1 << 28, 0), EINVAL);
    assert_eq!(epoll_wait(epoll, at, 0, 0), EINVAL);
    assert_eq!(shutdown(socket, 3), EINVAL);
    assert_eq!((close(socket), close(epoll)), (0, 0));
}
