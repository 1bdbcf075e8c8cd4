//! Messages of several buffers. The host has no control messages.

use super::functions::{length, read_addr, recv_flags, send_flags, write_addr};
use super::types::*;
use super::{error, number};
use libc::{c_int, iovec, ssize_t};
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use wasmedge_host::abi::{SocketType, MAX_IOVECS, RIFLAGS_PEEK, RIFLAGS_WAITALL};
use wasmedge_host::backend::RecvBufs;
use wasmedge_host::fd::socket;

/// The host's mark of a datagram that was cut off.
const CUT_OFF: u16 = 1;

/// The buffers of a message.
///
/// # Safety
///
/// `msg_iov` is valid for `msg_iovlen` buffers as long as the result is used.
unsafe fn buffers<'a>(msg: &msghdr) -> io::Result<&'a [iovec]> {
    match usize::try_from(msg.msg_iovlen) {
        Ok(0) => Ok(&[]),
        // A datagram must not lose its end without a word.
        Ok(count @ 1..=MAX_IOVECS) => {
            // SAFETY: the caller's promise.
            Ok(unsafe { std::slice::from_raw_parts(msg.msg_iov, count) })
        }
        _ => Err(error(libc::EMSGSIZE)),
    }
}

/// Sends a message. One with control messages asks for what the host lacks.
///
/// # Safety
///
/// `msg` is valid, and so is what it points to.
pub unsafe fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    length((|| {
        // SAFETY: the caller's promise.
        let msg = unsafe { &*msg };
        send_flags(flags)?;
        if msg.msg_controllen != 0 {
            return Err(error(libc::ENOTSUP));
        }
        // SAFETY: the caller's promise; used within this function only.
        let bufs = unsafe { buffers(msg) }?;
        let bufs: Vec<IoSlice<'_>> = bufs
            .iter()
            // A null pointer is allowed where there is nothing.
            .filter(|buf| buf.iov_len != 0)
            .map(|buf| {
                // SAFETY: the caller's promise; used within this function only.
                IoSlice::new(unsafe {
                    std::slice::from_raw_parts(buf.iov_base.cast::<u8>(), buf.iov_len)
                })
            })
            .collect();
        let fd = number(fd)?;
        if msg.msg_name.is_null() {
            // As in `send`: its type is not known.
            return socket::send_vectored(fd.as_fd(), SocketType::Datagram, &bufs);
        }
        // SAFETY: the caller's promise.
        let addr = unsafe { read_addr(msg.msg_name.cast(), msg.msg_namelen) }?;
        socket::send_to_vectored(fd.as_fd(), &bufs, &addr)
    })())
}

/// Receives a message. On a stream the sender is left out, as on Linux.
///
/// # Safety
///
/// `msg` is valid, and so is what it points to, for writes.
pub unsafe fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    length((|| {
        // SAFETY: the caller's promise.
        let msg = unsafe { &mut *msg };
        let (peek, wait_all) = recv_flags(flags)?;
        let flags =
            if peek { RIFLAGS_PEEK } else { 0 } | if wait_all { RIFLAGS_WAITALL } else { 0 };
        // SAFETY: the caller's promise; used within this function only.
        let bufs = unsafe { buffers(msg) }?;
        // SAFETY: the caller's promise; used within this function only.
        let bufs =
            unsafe { RecvBufs::foreign(bufs.iter().map(|buf| (buf.iov_base.cast(), buf.iov_len))) };
        let fd = number(fd)?;
        let fd = fd.as_fd();
        let wants_sender = !msg.msg_name.is_null();
        let (n, told) = match wants_sender && socket::require_datagram(fd).is_ok() {
            true => {
                let (n, from, told) = socket::recv_from_flagged(fd, bufs, flags)?;
                // SAFETY: the caller's promise.
                unsafe { write_addr(&from, msg.msg_name.cast(), &mut msg.msg_namelen) };
                (n, told)
            }
            false => {
                let received = socket::recv_flagged(fd, bufs, flags)?;
                msg.msg_namelen = 0;
                received
            }
        };
        msg.msg_controllen = 0;
        msg.msg_flags = match told & CUT_OFF {
            0 => 0,
            _ => MSG_TRUNC,
        };
        Ok(n)
    })())
}
