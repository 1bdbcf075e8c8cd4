//! `sendmsg` and `recvmsg`: several buffers in one call. Control data there is none: the
//! host has no way for them.

use super::functions::{length, read_addr, recv_flags, send_flags, write_addr};
use super::types::*;
use super::{error, number};
use libc::{c_int, c_void, iovec, size_t, ssize_t};
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use wasmedge_host::abi::{SocketType, MAX_IOVECS, RIFLAGS_PEEK, RIFLAGS_WAITALL};
use wasmedge_host::backend::RecvBufs;
use wasmedge_host::fd::socket;

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct msghdr {
    pub msg_name: *mut c_void,
    pub msg_namelen: socklen_t,
    pub msg_iov: *mut iovec,
    pub msg_iovlen: size_t,
    pub msg_control: *mut c_void,
    pub msg_controllen: socklen_t,
    pub msg_flags: c_int,
}

/// What the host says of a datagram that was cut off.
const DATA_TRUNCATED: u16 = 1;

/// The caller's buffers.
///
/// # Errors
///
/// `EMSGSIZE`, as on Linux, for more than the host takes in one call.
///
/// # Safety
///
/// `msg` describes them as in C, and they are there for as long as the result is used.
unsafe fn buffers<'a>(msg: &msghdr) -> io::Result<&'a [iovec]> {
    match msg.msg_iovlen {
        0 => Ok(&[]),
        // SAFETY: the caller's promise.
        n if n <= MAX_IOVECS => Ok(unsafe { std::slice::from_raw_parts(msg.msg_iov, n) }),
        _ => Err(error(libc::EMSGSIZE)),
    }
}

/// On a stream the sender is left out, as on Linux.
///
/// # Safety
///
/// `msg` is valid, and so is what it describes: buffers for writing, and room for a name.
pub unsafe fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    length((|| {
        let (peek, wait_all) = recv_flags(flags)?;
        let flags =
            if peek { RIFLAGS_PEEK } else { 0 } | if wait_all { RIFLAGS_WAITALL } else { 0 };
        let fd = number(fd)?;
        let fd = fd.as_fd();
        // SAFETY: the caller's promise.
        let msg = unsafe { &mut *msg };
        // SAFETY: as above; used within this function only, and by nobody else meanwhile.
        let bufs = unsafe {
            let buffers = buffers(msg)?;
            RecvBufs::foreign(buffers.iter().map(|buf| (buf.iov_base.cast(), buf.iov_len)))
        };
        let has_name =
            !msg.msg_name.is_null() && socket::socket_type(fd)? == Some(SocketType::Datagram);
        let (n, told) = if has_name {
            let (n, from, told) = socket::recv_from_flagged(fd, bufs, flags)?;
            // SAFETY: as above.
            unsafe { write_addr(&from, msg.msg_name.cast(), &mut msg.msg_namelen) };
            (n, told)
        } else {
            msg.msg_namelen = 0;
            socket::recv_flagged(fd, bufs, flags)?
        };
        msg.msg_controllen = 0;
        msg.msg_flags = match told & DATA_TRUNCATED {
            0 => 0,
            _ => MSG_TRUNC,
        };
        Ok(n)
    })())
}

/// Control data are `ENOTSUP`.
///
/// # Safety
///
/// `msg` is valid, and so is what it describes.
pub unsafe fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    length((|| {
        send_flags(flags)?;
        let fd = number(fd)?;
        let fd = fd.as_fd();
        // SAFETY: the caller's promise.
        let msg = unsafe { &*msg };
        if msg.msg_controllen != 0 {
            return Err(error(libc::ENOTSUP));
        }
        // SAFETY: as above; used within this function only.
        let bufs: Vec<IoSlice<'_>> = unsafe {
            let data = |buf: &iovec| super::functions::data(buf.iov_base, buf.iov_len);
            buffers(msg)?
                .iter()
                .map(|buf| IoSlice::new(data(buf)))
                .collect()
        };
        if msg.msg_name.is_null() {
            // As in `send`.
            return socket::send_vectored(fd, SocketType::Datagram, &bufs);
        }
        // SAFETY: as above.
        let to = unsafe { read_addr(msg.msg_name.cast(), msg.msg_namelen) }?;
        socket::send_to_vectored(fd, &bufs, &to)
    })())
}
