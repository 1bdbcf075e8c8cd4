//! POSIX sockets, natively of the system and under WasmEdge of the facade: the
//! same results.

extern crate wasmedge_libc as libc;

use libc::{c_int, c_void, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, socklen_t};
use std::io::{self, ErrorKind};
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

fn cvt<T: PartialEq + From<i8>>(result: T) -> io::Result<T> {
    if result == T::from(-1) {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

fn socket(domain: c_int, kind: c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the descriptor is new and ours.
    unsafe { Ok(OwnedFd::from_raw_fd(cvt(libc::socket(domain, kind, 0))?)) }
}

fn loopback() -> sockaddr_in {
    // SAFETY: zeros are an address.
    let mut addr: sockaddr_in = unsafe { zeroed() };
    addr.sin_family = libc::AF_INET as _;
    addr.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    addr
}

type NameOf = unsafe fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int;

fn name(of: NameOf, fd: &OwnedFd) -> io::Result<sockaddr_in> {
    let mut len = size_of::<sockaddr_in>() as socklen_t;
    // SAFETY: the address has as many bytes as `len` says.
    unsafe {
        let mut addr: sockaddr_in = zeroed();
        let ptr: *mut sockaddr_in = &mut addr;
        cvt(of(fd.as_raw_fd(), ptr.cast(), &mut len))?;
        assert_eq!(len as usize, size_of::<sockaddr_in>());
        Ok(addr)
    }
}

fn local(fd: &OwnedFd) -> sockaddr_in {
    name(|a, b, c| unsafe { libc::getsockname(a, b, c) }, fd).unwrap()
}

fn bind(fd: &OwnedFd, addr: &sockaddr_in) -> io::Result<c_int> {
    let ptr: *const sockaddr_in = addr;
    // SAFETY: the length is the address's.
    cvt(unsafe { libc::bind(fd.as_raw_fd(), ptr.cast(), size_of::<sockaddr_in>() as _) })
}

fn connect(fd: &OwnedFd, addr: &sockaddr_in) -> io::Result<c_int> {
    let ptr: *const sockaddr_in = addr;
    // SAFETY: the length is the address's.
    cvt(unsafe { libc::connect(fd.as_raw_fd(), ptr.cast(), size_of::<sockaddr_in>() as _) })
}

fn set<T>(fd: &OwnedFd, level: c_int, option: c_int, value: T) -> io::Result<c_int> {
    let ptr: *const T = &value;
    // SAFETY: the length is the value's.
    cvt(unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            option,
            ptr.cast(),
            size_of::<T>() as socklen_t,
        )
    })
}

fn get<T>(fd: &OwnedFd, level: c_int, option: c_int) -> io::Result<T> {
    let mut len = size_of::<T>() as socklen_t;
    // SAFETY: zeros are a value of the types used here, and the length is theirs.
    unsafe {
        let mut value: T = zeroed();
        let ptr: *mut T = &mut value;
        cvt(libc::getsockopt(
            fd.as_raw_fd(),
            level,
            option,
            ptr.cast(),
            &mut len,
        ))?;
        assert_eq!(len as usize, size_of::<T>());
        Ok(value)
    }
}

fn send(fd: &OwnedFd, data: &[u8]) -> io::Result<isize> {
    // SAFETY: pointer and length are the slice's.
    cvt(unsafe {
        libc::send(
            fd.as_raw_fd(),
            data.as_ptr().cast(),
            data.len(),
            libc::MSG_NOSIGNAL,
        )
    })
}

fn recv(fd: &OwnedFd, buf: &mut [u8], flags: c_int) -> io::Result<isize> {
    // SAFETY: pointer and length are the slice's.
    cvt(unsafe { libc::recv(fd.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len(), flags) })
}

fn poll(fd: &OwnedFd, events: i16, timeout: c_int) -> (c_int, i16) {
    let mut entry = libc::pollfd {
        fd: fd.as_raw_fd(),
        events,
        revents: 0,
    };
    // SAFETY: one entry.
    let ready = cvt(unsafe { libc::poll(&mut entry, 1, timeout) }).unwrap();
    (ready, entry.revents)
}

const IN: i16 = libc::POLLIN;
const OUT: i16 = libc::POLLOUT;

fn listener() -> OwnedFd {
    let listener = socket(libc::AF_INET, libc::SOCK_STREAM).unwrap();
    set(&listener, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1 as c_int).unwrap();
    bind(&listener, &loopback()).unwrap();
    // SAFETY: no pointers.
    cvt(unsafe { libc::listen(listener.as_raw_fd(), 16) }).unwrap();
    listener
}

fn pair() -> (OwnedFd, OwnedFd) {
    let listener = listener();
    let client = socket(libc::AF_INET, libc::SOCK_STREAM).unwrap();
    connect(&client, &local(&listener)).unwrap();
    let mut len = size_of::<sockaddr_storage>() as socklen_t;
    // SAFETY: the storage has as many bytes as `len` says; the descriptor is new.
    let (server, peer) = unsafe {
        let mut storage: sockaddr_storage = zeroed();
        let ptr: *mut sockaddr_storage = &mut storage;
        let fd = cvt(libc::accept(listener.as_raw_fd(), ptr.cast(), &mut len)).unwrap();
        (OwnedFd::from_raw_fd(fd), ptr.cast::<sockaddr_in>().read())
    };
    assert_eq!(len as usize, size_of::<sockaddr_in>());
    assert_eq!(c_int::from(peer.sin_family), libc::AF_INET);
    assert_eq!(peer.sin_port, local(&client).sin_port);
    assert_eq!(peer.sin_addr.s_addr, u32::from_ne_bytes([127, 0, 0, 1]));
    (client, server)
}

#[test]
fn streams() {
    let (client, server) = pair();
    assert_eq!(send(&client, b"hello").unwrap(), 5);
    let mut buf = [0; 8];
    assert_eq!(recv(&server, &mut buf, libc::MSG_PEEK).unwrap(), 5);
    assert_eq!(recv(&server, &mut buf[..3], libc::MSG_WAITALL).unwrap(), 3);
    assert_eq!(recv(&server, &mut buf[3..], 0).unwrap(), 2);
    assert_eq!(&buf[..5], b"hello");
    // SAFETY: no pointers.
    cvt(unsafe { libc::shutdown(client.as_raw_fd(), libc::SHUT_WR) }).unwrap();
    assert_eq!(recv(&server, &mut buf, 0).unwrap(), 0);
    assert_eq!(
        send(&client, b"x").unwrap_err().kind(),
        ErrorKind::BrokenPipe
    );
    // SAFETY: no pointers.
    let error = cvt(unsafe { libc::shutdown(client.as_raw_fd(), 99) }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn datagrams() {
    let (a, b) = (
        socket(libc::AF_INET, libc::SOCK_DGRAM).unwrap(),
        socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK).unwrap(),
    );
    bind(&a, &loopback()).unwrap();
    bind(&b, &loopback()).unwrap();
    let mut buf = [0u8; 8];
    assert_eq!(
        recv(&b, &mut buf, 0).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    let to = local(&b);
    let to_ptr: *const sockaddr_in = &to;
    // SAFETY: the lengths are those of the data and of the address.
    let sent = cvt(unsafe {
        libc::sendto(
            a.as_raw_fd(),
            b"abc".as_ptr().cast(),
            3,
            0,
            to_ptr.cast(),
            size_of::<sockaddr_in>() as _,
        )
    });
    assert_eq!(sent.unwrap(), 3);
    assert_eq!(poll(&b, IN, 5000), (1, IN));
    let mut from = loopback();
    let from_ptr: *mut sockaddr_in = &mut from;
    let mut len = size_of::<sockaddr_in>() as socklen_t;
    // SAFETY: the lengths are those of the buffer and of the address.
    let received = cvt(unsafe {
        libc::recvfrom(
            b.as_raw_fd(),
            buf.as_mut_ptr().cast(),
            buf.len(),
            0,
            from_ptr.cast(),
            &mut len,
        )
    });
    assert_eq!(received.unwrap(), 3);
    assert_eq!(from.sin_port, local(&a).sin_port);
}

/// A message of these buffers, and for this name.
fn message(bufs: &mut [libc::iovec], name: Option<&mut sockaddr_in>) -> libc::msghdr {
    // SAFETY: zeros are a value of this type.
    let mut msg: libc::msghdr = unsafe { zeroed() };
    msg.msg_iov = bufs.as_mut_ptr();
    msg.msg_iovlen = bufs.len() as _;
    if let Some(name) = name {
        let name: *mut sockaddr_in = name;
        msg.msg_name = name.cast();
        msg.msg_namelen = size_of::<sockaddr_in>() as _;
    }
    msg
}

fn iovec(buf: &mut [u8]) -> libc::iovec {
    libc::iovec {
        iov_base: buf.as_mut_ptr().cast(),
        iov_len: buf.len(),
    }
}

fn sendmsg(fd: &OwnedFd, msg: &libc::msghdr) -> io::Result<isize> {
    // SAFETY: the message describes buffers of the caller's.
    cvt(unsafe { libc::sendmsg(fd.as_raw_fd(), msg, libc::MSG_NOSIGNAL) })
}

fn recvmsg(fd: &OwnedFd, msg: &mut libc::msghdr, flags: c_int) -> io::Result<isize> {
    // SAFETY: the message describes buffers of the caller's.
    cvt(unsafe { libc::recvmsg(fd.as_raw_fd(), msg, flags) })
}

#[test]
fn a_datagram_of_several_buffers() {
    let (a, b) = (
        socket(libc::AF_INET, libc::SOCK_DGRAM).unwrap(),
        socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK).unwrap(),
    );
    bind(&a, &loopback()).unwrap();
    bind(&b, &loopback()).unwrap();
    let (mut one, mut two) = ([0u8; 2], [0u8; 8]);
    let mut parts = [iovec(&mut one), iovec(&mut two)];
    let mut from = loopback();
    let mut into = message(&mut parts, Some(&mut from));
    let nothing = recvmsg(&b, &mut into, 0).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);

    let (mut head, mut tail, mut to) = (*b"abc", *b"de", local(&b));
    let mut bufs = [iovec(&mut head), iovec(&mut []), iovec(&mut tail)];
    let msg = message(&mut bufs, Some(&mut to));
    for flags in [libc::MSG_PEEK, 0] {
        if flags == libc::MSG_PEEK {
            assert_eq!(sendmsg(&a, &msg).unwrap(), 5);
            assert_eq!(poll(&b, IN, 5000), (1, IN));
        }
        let mut into = message(&mut parts, Some(&mut from));
        assert_eq!(recvmsg(&b, &mut into, flags).unwrap(), 5);
        assert_eq!(into.msg_namelen as usize, size_of::<sockaddr_in>());
        assert_eq!(into.msg_flags & libc::MSG_TRUNC, 0);
        assert_eq!(from.sin_port, local(&a).sin_port);
        assert_eq!((&one, &two[..3]), (b"ab", &b"cde"[..]));
    }

    // What does not fit is lost, and that is said.
    assert_eq!(sendmsg(&a, &msg).unwrap(), 5);
    assert_eq!(poll(&b, IN, 5000), (1, IN));
    let mut into = message(&mut parts[..1], None);
    assert_eq!(recvmsg(&b, &mut into, 0).unwrap(), 2);
    assert_ne!(into.msg_flags & libc::MSG_TRUNC, 0);
    assert_eq!(&one, b"ab");

    let mut many = vec![iovec(&mut tail); 2000];
    let refused = sendmsg(&a, &message(&mut many, Some(&mut to))).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::EMSGSIZE));
}

#[test]
fn a_stream_of_several_buffers() {
    let (client, server) = pair();
    let (mut head, mut tail) = (*b"abc", *b"de");
    let mut bufs = [iovec(&mut head), iovec(&mut tail)];
    assert_eq!(sendmsg(&client, &message(&mut bufs, None)).unwrap(), 5);
    let (mut one, mut two) = ([0u8; 2], [0u8; 3]);
    let mut parts = [iovec(&mut one), iovec(&mut two)];
    let mut from = loopback();
    let mut into = message(&mut parts, Some(&mut from));
    assert_eq!(recvmsg(&server, &mut into, libc::MSG_WAITALL).unwrap(), 5);
    assert_eq!((&one, &two, into.msg_namelen), (b"ab", b"cde", 0));
}

#[test]
fn the_sender_of_a_stream_is_left_out() {
    let (client, server) = pair();
    send(&client, b"abc").unwrap();
    let mut buf = [0u8; 8];
    let mut from = loopback();
    let from_ptr: *mut sockaddr_in = &mut from;
    let mut len = size_of::<sockaddr_in>() as socklen_t;
    // SAFETY: the lengths are those of the buffer and of the address.
    let received = cvt(unsafe {
        libc::recvfrom(
            server.as_raw_fd(),
            buf.as_mut_ptr().cast(),
            buf.len(),
            0,
            from_ptr.cast(),
            &mut len,
        )
    });
    assert_eq!((received.unwrap(), len), (3, 0));
}

#[test]
fn ipv6() {
    let socket = socket(libc::AF_INET6, libc::SOCK_DGRAM).unwrap();
    let mut len = size_of::<sockaddr_in6>() as socklen_t;
    // SAFETY: zeros are an address, and the lengths are its own.
    unsafe {
        let mut addr: sockaddr_in6 = zeroed();
        addr.sin6_family = libc::AF_INET6 as _;
        addr.sin6_addr.s6_addr[15] = 1;
        let ptr: *mut sockaddr_in6 = &mut addr;
        cvt(libc::bind(socket.as_raw_fd(), ptr.cast(), len)).unwrap();
        *ptr = zeroed();
        cvt(libc::getsockname(socket.as_raw_fd(), ptr.cast(), &mut len)).unwrap();
        assert_eq!(len as usize, size_of::<sockaddr_in6>());
        assert_eq!(addr.sin6_addr.s6_addr[15], 1);
        assert_ne!(addr.sin6_port, 0);
    }
}

#[test]
fn options() {
    let (client, _server) = pair();
    let fd = &client;
    for (level, option) in [
        (libc::IPPROTO_TCP, libc::TCP_NODELAY),
        (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
        (libc::SOL_SOCKET, libc::SO_BROADCAST),
        (libc::SOL_SOCKET, libc::SO_REUSEADDR),
    ] {
        for on in [1, 0] {
            set(fd, level, option, on as c_int).unwrap();
            assert_eq!(get::<c_int>(fd, level, option).unwrap() != 0, on != 0);
        }
    }
    let level = libc::SOL_SOCKET;
    set(fd, level, libc::SO_RCVBUF, 32_768 as c_int).unwrap();
    assert!(get::<c_int>(fd, level, libc::SO_RCVBUF).unwrap() >= 32_768);
    set(fd, level, libc::SO_SNDBUF, 32_768 as c_int).unwrap();
    assert!(get::<c_int>(fd, level, libc::SO_SNDBUF).unwrap() >= 32_768);
    assert_eq!(
        get::<c_int>(fd, level, libc::SO_TYPE).unwrap(),
        libc::SOCK_STREAM
    );
    assert_eq!(
        get::<c_int>(fd, level, libc::SO_DOMAIN).unwrap(),
        libc::AF_INET
    );
    assert_eq!(
        get::<c_int>(fd, level, libc::SO_PROTOCOL).unwrap(),
        libc::IPPROTO_TCP
    );
    assert_eq!(get::<c_int>(fd, level, libc::SO_ACCEPTCONN).unwrap(), 0);
    assert_eq!(get::<c_int>(fd, level, libc::SO_ERROR).unwrap(), 0);

    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 9,
    };
    set(fd, level, libc::SO_LINGER, linger).unwrap();
    let back = get::<libc::linger>(fd, level, libc::SO_LINGER).unwrap();
    assert_eq!((back.l_onoff != 0, back.l_linger), (true, 9));
    for option in [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO] {
        let time = libc::timeval {
            tv_sec: 2,
            tv_usec: 0,
        };
        set(fd, level, option, time).unwrap();
        let back = get::<libc::timeval>(fd, level, option).unwrap();
        assert_eq!((back.tv_sec, back.tv_usec), (2, 0));
    }
    // Too short a value.
    let error = set(fd, level, libc::SO_KEEPALIVE, 1u8).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn polling() {
    let (client, server) = pair();
    assert_eq!(poll(&server, IN, 0), (0, 0));
    assert_eq!(poll(&server, IN, 30), (0, 0));
    assert_eq!(poll(&server, IN | OUT, -1), (1, OUT));
    send(&client, b"x").unwrap();
    assert_eq!(poll(&server, IN, -1), (1, IN));
    assert_eq!(poll(&server, IN | OUT, -1), (1, IN | OUT));

    // One socket twice, a number to be passed over, and one that is not open.
    let entry = |fd, events: i16| libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    let fd = server.as_raw_fd();
    let mut entries = [
        entry(fd, IN),
        entry(-1, IN),
        entry(fd, IN | OUT),
        entry(1 << 20, IN),
    ];
    // SAFETY: pointer and length are the array's.
    let ready = cvt(unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as _, -1) });
    assert_eq!(ready.unwrap(), 3);
    let revents = entries.map(|entry| entry.revents);
    assert_eq!(revents, [IN, 0, IN | OUT, libc::POLLNVAL]);
}

#[test]
fn a_refused_attempt() {
    let deserted = local(&listener());
    let socket = socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK).unwrap();
    if let Err(error) = connect(&socket, &deserted) {
        if error.raw_os_error() == Some(libc::EINPROGRESS) {
            let (ready, revents) = poll(&socket, OUT, 5000);
            assert_eq!(ready, 1);
            assert_ne!(revents & libc::POLLHUP, 0);
            let pending = get::<c_int>(&socket, libc::SOL_SOCKET, libc::SO_ERROR).unwrap();
            assert_eq!(pending, libc::ECONNREFUSED);
        } else {
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        }
    }
    let mut len = size_of::<sockaddr_in>() as socklen_t;
    let mut addr = loopback();
    let ptr: *mut sockaddr_in = &mut addr;
    // SAFETY: the length is the address's.
    let error = cvt(unsafe { libc::getpeername(socket.as_raw_fd(), ptr.cast(), &mut len) });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotConnected);
}

#[test]
fn bad_arguments_are_errors() {
    assert!(socket(77, libc::SOCK_STREAM).is_err());
    assert!(socket(libc::AF_INET, 0x77).is_err());
    // SAFETY: no pointers.
    let error = cvt(unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_UDP) });
    assert!(error.is_err());
    let fd = socket(libc::AF_INET, libc::SOCK_STREAM).unwrap();
    let addr = loopback();
    let ptr: *const sockaddr_in = &addr;
    // SAFETY: the length is within the address.
    let short = cvt(unsafe { libc::bind(fd.as_raw_fd(), ptr.cast(), 4) });
    assert_eq!(short.unwrap_err().kind(), ErrorKind::InvalidInput);
    // SAFETY: the pointer is not used.
    let closed = cvt(unsafe { libc::recv(-1, std::ptr::null_mut::<c_void>(), 0, 0) });
    assert_eq!(closed.unwrap_err().raw_os_error(), Some(libc::EBADF));
}

#[cfg(target_os = "wasi")]
#[path = "../../../wasmedge_host/tests/mode/mod.rs"]
mod mode;

/// Where the host falls short of a native one, without the plugin.
#[cfg(target_os = "wasi")]
#[test]
fn options_need_the_plugin() {
    let (client, _server) = pair();
    for (level, option, value) in [
        (libc::IPPROTO_IP, libc::IP_TTL, 7),
        (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, 7),
        (libc::SOL_SOCKET, libc::SO_REUSEPORT, 1),
    ] {
        let result = set(&client, level, option, value as c_int);
        if mode::plugin() {
            result.unwrap();
            assert_eq!(get::<c_int>(&client, level, option).unwrap(), value);
        } else {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Unsupported);
            let error = get::<c_int>(&client, level, option).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
    }
    // Of another family, and of no system: with the plugin as natively.
    let refused = match mode::plugin() {
        true => libc::ENOPROTOOPT,
        false => libc::ENOTSUP,
    };
    for (level, option) in [
        (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
        (libc::SOL_SOCKET, 12_345),
    ] {
        let error = set(&client, level, option, 1 as c_int).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(refused));
    }
    let error = get::<c_int>(&client, libc::SOL_SOCKET, 12_345).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(refused));
    let error = recv(&client, &mut [0; 4], 0x40).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
