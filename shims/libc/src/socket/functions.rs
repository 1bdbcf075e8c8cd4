//! Opening, connecting and moving data.

use super::types::*;
use super::{cvt, error, number};
use libc::{c_int, c_void, size_t, ssize_t};
use std::io;
use std::mem::{size_of, MaybeUninit};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, IntoRawFd};
use wasmedge_host::abi::{AddressFamily, SocketType};
use wasmedge_host::fd::socket;

/// Reads an address of the caller's.
///
/// # Safety
///
/// `addr` is null or valid for `len` bytes.
pub(super) unsafe fn read_addr(addr: *const sockaddr, len: socklen_t) -> io::Result<SocketAddr> {
    let len = len as usize;
    if addr.is_null() {
        return Err(error(libc::EFAULT));
    }
    if len < size_of::<sa_family_t>() {
        return Err(error(libc::EINVAL));
    }
    // SAFETY: the caller's promise, and `len` covers the family. The address may
    // lie at any place, since callers cast from buffers of their own.
    let family = unsafe { addr.cast::<sa_family_t>().read_unaligned() };
    match c_int::from(family) {
        // The type is padded to 16 bytes; what carries meaning are 8.
        AF_INET if len >= 8 => {
            let mut bytes = [0u8; 8];
            // SAFETY: 8 bytes are within `len`.
            unsafe { addr.cast::<u8>().copy_to(bytes.as_mut_ptr(), 8) };
            let [_, _, p0, p1, a, b, c, d] = bytes;
            let ip = Ipv4Addr::new(a, b, c, d);
            Ok(SocketAddrV4::new(ip, u16::from_be_bytes([p0, p1])).into())
        }
        AF_INET6 if len >= 28 => {
            // SAFETY: all fields of the type are within the first 28 bytes, and
            // the copy is of those only.
            let v6 = unsafe {
                let mut v6 = MaybeUninit::<sockaddr_in6>::zeroed();
                addr.cast::<u8>().copy_to(v6.as_mut_ptr().cast(), 28);
                v6.assume_init()
            };
            Ok(SocketAddrV6::new(
                v6.sin6_addr.s6_addr.into(),
                u16::from_be(v6.sin6_port),
                v6.sin6_flowinfo,
                v6.sin6_scope_id,
            )
            .into())
        }
        AF_INET | AF_INET6 => Err(error(libc::EINVAL)),
        AF_UNIX => Err(error(libc::ENOTSUP)),
        _ => Err(error(libc::EAFNOSUPPORT)),
    }
}

/// Writes an address to the caller, cut to the room there is, and says how long
/// it is.
///
/// # Safety
///
/// `addr` is null, or `len` is valid and says how many bytes `addr` has.
pub(super) unsafe fn write_addr(from: &SocketAddr, addr: *mut sockaddr, len: *mut socklen_t) {
    if addr.is_null() || len.is_null() {
        return;
    }
    // SAFETY: zeros are a value of this type.
    let mut storage = unsafe { MaybeUninit::<sockaddr_storage>::zeroed().assume_init() };
    let size = match from {
        SocketAddr::V4(v4) => {
            let value = sockaddr_in {
                sin_family: AF_INET as sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
            };
            // SAFETY: the storage is larger and no less aligned.
            unsafe {
                std::ptr::addr_of_mut!(storage)
                    .cast::<sockaddr_in>()
                    .write(value)
            };
            size_of::<sockaddr_in>()
        }
        SocketAddr::V6(v6) => {
            let value = sockaddr_in6 {
                sin6_family: AF_INET6 as sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            };
            // SAFETY: the storage is larger and no less aligned.
            unsafe {
                std::ptr::addr_of_mut!(storage)
                    .cast::<sockaddr_in6>()
                    .write(value)
            };
            size_of::<sockaddr_in6>()
        }
    };
    // SAFETY: the caller's promise.
    unsafe {
        let room = len.read_unaligned() as usize;
        std::ptr::addr_of!(storage)
            .cast::<u8>()
            .copy_to(addr.cast(), size.min(room));
        len.write_unaligned(size as socklen_t);
    }
}

/// A buffer of the caller's to fill.
///
/// # Safety
///
/// `buf` is valid for writing `len` bytes for as long as the result is used.
unsafe fn buffer<'a>(buf: *mut c_void, len: size_t) -> &'a mut [MaybeUninit<u8>] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(buf.cast(), len) }
}

/// A buffer of the caller's to send.
///
/// # Safety
///
/// `buf` is valid for reading `len` bytes for as long as the result is used.
pub(super) unsafe fn data<'a>(buf: *const c_void, len: size_t) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(buf.cast(), len) }
}

/// # Safety
///
/// None needed; unsafe as its namesake in libc.
pub unsafe fn socket(domain: c_int, type_: c_int, protocol: c_int) -> c_int {
    cvt((|| {
        let family = match domain {
            AF_INET => AddressFamily::Inet4,
            AF_INET6 => AddressFamily::Inet6,
            // The host layer has them, but this facade has no addresses for them.
            AF_UNIX => return Err(error(libc::ENOTSUP)),
            _ => return Err(error(libc::EAFNOSUPPORT)),
        };
        let nonblocking = type_ & SOCK_NONBLOCK != 0;
        let socktype = match (type_ & !(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol) {
            (SOCK_STREAM, 0 | IPPROTO_TCP) => SocketType::Stream,
            (SOCK_DGRAM, 0 | IPPROTO_UDP) => SocketType::Datagram,
            (SOCK_RAW | SOCK_RDM | SOCK_SEQPACKET, _) => return Err(error(libc::ENOTSUP)),
            _ => return Err(error(libc::EPROTONOSUPPORT)),
        };
        Ok(socket::open(family, socktype, nonblocking)?.into_raw_fd())
    })())
}

/// There are none on the host.
///
/// # Safety
///
/// None needed; unsafe as its namesake in libc.
pub unsafe fn socketpair(
    _domain: c_int,
    _type: c_int,
    _protocol: c_int,
    _pair: *mut c_int,
) -> c_int {
    cvt(Err(error(libc::ENOTSUP)))
}

/// # Safety
///
/// `name` is valid for `addrlen` bytes.
pub unsafe fn bind(fd: c_int, name: *const sockaddr, addrlen: socklen_t) -> c_int {
    // SAFETY: the caller's promise.
    let addr = unsafe { read_addr(name, addrlen) };
    cvt(addr
        .and_then(|addr| socket::bind(number(fd)?.as_fd(), &addr))
        .map(|()| 0))
}

/// # Safety
///
/// `name` is valid for `addrlen` bytes.
pub unsafe fn connect(fd: c_int, name: *const sockaddr, addrlen: socklen_t) -> c_int {
    // SAFETY: the caller's promise.
    let addr = unsafe { read_addr(name, addrlen) };
    cvt(addr
        .and_then(|addr| socket::connect(number(fd)?.as_fd(), &addr))
        .map(|()| 0))
}

/// # Safety
///
/// None needed; unsafe as its namesake in libc.
pub unsafe fn listen(fd: c_int, backlog: c_int) -> c_int {
    cvt(number(fd)
        .and_then(|fd| socket::listen(fd.as_fd(), backlog))
        .map(|()| 0))
}

/// # Safety
///
/// `addr` is null, or `addrlen` is valid and says how many bytes `addr` has.
pub unsafe fn accept(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { accept4(fd, addr, addrlen, 0) }
}

/// # Safety
///
/// As [`accept`].
pub unsafe fn accept4(
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
) -> c_int {
    cvt((|| {
        if flags & !(SOCK_NONBLOCK | SOCK_CLOEXEC) != 0 {
            return Err(error(libc::EINVAL));
        }
        let (new, peer) = socket::accept(number(fd)?.as_fd(), flags & SOCK_NONBLOCK != 0)?;
        // SAFETY: the caller's promise.
        unsafe { write_addr(&peer, addr, addrlen) };
        Ok(new.into_raw_fd())
    })())
}

/// # Safety
///
/// `addrlen` is valid and says how many bytes `addr` has.
pub unsafe fn getsockname(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> c_int {
    cvt(number(fd)
        .and_then(|fd| socket::local_addr(fd.as_fd()))
        .map(|local| {
            // SAFETY: the caller's promise.
            unsafe { write_addr(&local, addr, addrlen) };
            0
        }))
}

/// # Safety
///
/// `addrlen` is valid and says how many bytes `addr` has.
pub unsafe fn getpeername(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> c_int {
    cvt(number(fd)
        .and_then(|fd| socket::peer_addr(fd.as_fd()))
        .map(|peer| {
            // SAFETY: the caller's promise.
            unsafe { write_addr(&peer, addr, addrlen) };
            0
        }))
}

/// # Safety
///
/// None needed; unsafe as its namesake in libc.
pub unsafe fn shutdown(fd: c_int, how: c_int) -> c_int {
    let how = match how {
        SHUT_RD => Ok(Shutdown::Read),
        SHUT_WR => Ok(Shutdown::Write),
        SHUT_RDWR => Ok(Shutdown::Both),
        _ => Err(error(libc::EINVAL)),
    };
    cvt(how
        .and_then(|how| socket::shutdown(number(fd)?.as_fd(), how))
        .map(|()| 0))
}

/// # Safety
///
/// `buf` is valid for writing `len` bytes.
pub unsafe fn recv(fd: c_int, buf: *mut c_void, len: size_t, flags: c_int) -> ssize_t {
    // SAFETY: the caller's promise; `buf` is used within this function only.
    let buf = unsafe { buffer(buf, len) };
    length((|| {
        if flags & !MSG_NOSIGNAL == MSG_OOB {
            return socket::recv_out_of_band(number(fd)?.as_fd(), buf);
        }
        let (peek, wait_all) = recv_flags(flags)?;
        socket::recv_uninit(number(fd)?.as_fd(), buf, peek, wait_all)
    })())
}

/// On a stream the sender is left out, as on Linux.
///
/// # Safety
///
/// `buf` is valid for writing `len` bytes; `addr` is null, or `addrlen` is valid
/// and says how many bytes `addr` has.
pub unsafe fn recvfrom(
    fd: c_int,
    buf: *mut c_void,
    len: size_t,
    flags: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
) -> ssize_t {
    if addr.is_null() || addrlen.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { recv(fd, buf, len, flags) };
    }
    // SAFETY: the caller's promise; `buf` is used within this function only.
    let buf = unsafe { buffer(buf, len) };
    length((|| {
        let (peek, wait_all) = recv_flags(flags)?;
        let fd = number(fd)?;
        let fd = fd.as_fd();
        if socket::socket_type(fd)? != Some(SocketType::Datagram) {
            let n = socket::recv_uninit(fd, buf, peek, wait_all)?;
            // SAFETY: the caller's promise.
            unsafe { addrlen.write_unaligned(0) };
            return Ok(n);
        }
        let (n, from) = socket::recv_from_uninit(fd, buf, peek)?;
        // SAFETY: the caller's promise.
        unsafe { write_addr(&from, addr, addrlen) };
        Ok(n)
    })())
}

/// Whether to peek, and whether to wait for all.
pub(super) fn recv_flags(flags: c_int) -> io::Result<(bool, bool)> {
    if flags & !(MSG_PEEK | MSG_WAITALL | MSG_NOSIGNAL) != 0 {
        return Err(error(libc::ENOTSUP));
    }
    Ok((flags & MSG_PEEK != 0, flags & MSG_WAITALL != 0))
}

/// # Safety
///
/// `buf` is valid for reading `len` bytes.
pub unsafe fn send(fd: c_int, buf: *const c_void, len: size_t, flags: c_int) -> ssize_t {
    // SAFETY: the caller's promise; the data is used within this function only.
    let data = unsafe { data(buf, len) };
    length((|| {
        if flags & !MSG_NOSIGNAL == MSG_OOB {
            return socket::send_out_of_band(number(fd)?.as_fd(), data);
        }
        send_flags(flags)?;
        // Only a socket that would block counts as used up: its type is not known.
        socket::send(number(fd)?.as_fd(), SocketType::Datagram, data)
    })())
}

/// # Safety
///
/// `buf` is valid for reading `len` bytes, and `addr` is null or valid for
/// `addrlen` bytes.
pub unsafe fn sendto(
    fd: c_int,
    buf: *const c_void,
    len: size_t,
    flags: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) -> ssize_t {
    if addr.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { send(fd, buf, len, flags) };
    }
    // SAFETY: the caller's promise; the data is used within this function only.
    let (data, addr) = unsafe { (data(buf, len), read_addr(addr, addrlen)) };
    length((|| {
        send_flags(flags)?;
        socket::send_to(number(fd)?.as_fd(), data, &addr?)
    })())
}

/// The host never raises a signal for a send, so that flag asks for nothing.
pub(super) fn send_flags(flags: c_int) -> io::Result<()> {
    if flags & !MSG_NOSIGNAL != 0 {
        return Err(error(libc::ENOTSUP));
    }
    Ok(())
}

pub(super) fn length(result: io::Result<usize>) -> ssize_t {
    cvt(result.map(|n| n as ssize_t))
}
