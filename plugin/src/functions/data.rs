//! Sending and receiving.

use super::sockets::{addressed, socket_of};
use crate::{Call, Errno, Outcome, sys};

const RECV_FLAGS: i32 =
    libc::MSG_PEEK | libc::MSG_WAITALL | libc::MSG_TRUNC | libc::MSG_OOB | libc::MSG_DONTWAIT;
const SEND_FLAGS: i32 = libc::MSG_OOB
    | libc::MSG_DONTWAIT
    | libc::MSG_MORE
    | libc::MSG_EOR
    // It is set anyway.
    | libc::MSG_NOSIGNAL;

fn only(flags: i32, known: i32) -> Result<i32, Errno> {
    if flags & !known == 0 {
        Ok(flags)
    } else {
        Err(Errno::INVAL)
    }
}

pub(super) fn recv(call: &Call<'_>, socket: u32, at: u32, len: u32, flags: i32) -> Outcome {
    let socket = socket_of(call, socket)?;
    let region = call.memory.region(at, len)?;
    sys::recv(socket.fd, region, only(flags, RECV_FLAGS)?)
}

pub(super) fn send(call: &Call<'_>, socket: u32, at: u32, len: u32, flags: i32) -> Outcome {
    let socket = socket_of(call, socket)?;
    let region = call.memory.region(at, len)?;
    sys::send(socket.fd, region, only(flags, SEND_FLAGS)?)
}

pub(super) fn recv_message(
    call: &Call<'_>,
    socket: u32,
    iovecs: u32,
    count: u32,
    flags: i32,
    from: u32,
    out_flags: u32,
) -> Outcome {
    let socket = socket_of(call, socket)?;
    let flags = only(flags, RECV_FLAGS)?;
    let mut buffers = call.memory.iovecs(iovecs, count)?;
    // Before anything is taken from the socket.
    let from = call.memory.address_out(from)?;
    let out_flags = match out_flags {
        0 => None,
        at => Some(call.memory.region(at, 4)?),
    };
    let (received, sender, flags) = sys::recv_message(socket.fd, &mut buffers, flags)?;
    if let Some(from) = from {
        from.write(&sender);
    }
    if let Some(out) = out_flags {
        out.copy_from(&flags.to_le_bytes());
    }
    Ok(received)
}

pub(super) fn send_message(
    call: &Call<'_>,
    socket: u32,
    iovecs: u32,
    count: u32,
    flags: i32,
    address: u32,
    len: u32,
) -> Outcome {
    // Without an address it is as `send`.
    let to = match len {
        0 => None,
        len => Some(call.memory.address(address, len)?),
    };
    let socket = match to {
        Some(_) => addressed(call, socket)?,
        None => socket_of(call, socket)?,
    };
    let flags = only(flags, SEND_FLAGS)?;
    let mut buffers = call.memory.iovecs(iovecs, count)?;
    sys::send_message(socket.fd, &mut buffers, flags, to.as_ref())
}
