//! Sockets: opening, connecting, closing.

use crate::table::{Kind, Lease};
use crate::{Call, Errno, Outcome, sys};

/// The socket is in non-blocking mode from the start.
pub(super) const NONBLOCK: u32 = 1;

/// The flags of a new socket, as the system has them.
fn flags(flags: u32) -> Result<i32, Errno> {
    match flags {
        0 => Ok(0),
        NONBLOCK => Ok(libc::SOCK_NONBLOCK),
        _ => Err(Errno::INVAL),
    }
}

fn kind(kind: i32) -> Result<i32, Errno> {
    match kind {
        libc::SOCK_STREAM | libc::SOCK_DGRAM => Ok(kind),
        _ => Err(Errno::SOCKTNOSUPPORT),
    }
}

/// A descriptor that is a socket.
pub(super) fn socket_of<'a>(call: &Call<'a>, number: u32) -> Result<Lease<'a>, Errno> {
    let lease = call.state.table.get(number)?;
    if lease.kind.is_socket() {
        Ok(lease)
    } else {
        Err(Errno::NOTSOCK)
    }
}

/// A socket that may be given addresses. One of a pair may not: with a path it would reach
/// Unix sockets also where those are not allowed.
pub(super) fn addressed<'a>(call: &Call<'a>, number: u32) -> Result<Lease<'a>, Errno> {
    let lease = socket_of(call, number)?;
    if lease.kind == Kind::Pair {
        return Err(Errno::OPNOTSUPP);
    }
    Ok(lease)
}

pub(super) fn socket(call: &Call<'_>, family: i32, socktype: i32, new: u32) -> Outcome {
    match family {
        libc::AF_INET | libc::AF_INET6 => {}
        libc::AF_UNIX if call.state.allow_unix => {}
        _ => return Err(Errno::AFNOSUPPORT),
    }
    let socket = sys::socket(family, kind(socktype)?, flags(new)?)?;
    call.state.table.insert(socket, Kind::Socket).map(i64::from)
}

pub(super) fn pair(call: &Call<'_>, socktype: i32, new: u32, out: u32) -> Outcome {
    // Before anything is opened.
    let room = call.memory.region(out, 8)?;
    let [one, other] = sys::socketpair(kind(socktype)?, flags(new)?)?;
    let table = &call.state.table;
    let one = table.insert(one, Kind::Pair)?;
    let other = table.insert(other, Kind::Pair).inspect_err(|_| {
        let _ = table.close(one);
    })?;
    let numbers = u64::from(one) | u64::from(other) << 32;
    room.copy_from(&numbers.to_le_bytes());
    Ok(0)
}

pub(super) fn bind(call: &Call<'_>, socket: u32, address: u32, len: u32) -> Outcome {
    let socket = addressed(call, socket)?;
    let address = call.memory.address(address, len)?;
    // A Unix socket has a file, and none to share.
    let family = address.bytes().first_chunk().copied();
    let has_port =
        family.is_some_and(|family| i32::from(u16::from_ne_bytes(family)) != libc::AF_UNIX);
    if call.state.shares_ports && has_port {
        let on = 1_i32.to_ne_bytes();
        sys::set_option(socket.fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, &on)?;
    }
    sys::bind(socket.fd, &address)
}

pub(super) fn connect(call: &Call<'_>, socket: u32, address: u32, len: u32) -> Outcome {
    let socket = addressed(call, socket)?;
    sys::connect(socket.fd, &call.memory.address(address, len)?)
}

pub(super) fn listen(call: &Call<'_>, socket: u32, backlog: i32) -> Outcome {
    sys::listen(addressed(call, socket)?.fd, backlog)
}

pub(super) fn accept(call: &Call<'_>, socket: u32, new: u32, peer: u32) -> Outcome {
    let socket = socket_of(call, socket)?;
    let room = call.memory.address_out(peer)?;
    let (accepted, address) = sys::accept(socket.fd, flags(new)?)?;
    let number = call.state.table.insert(accepted, Kind::Socket)?;
    if let Some(room) = room {
        room.write(&address);
    }
    Ok(number.into())
}

pub(super) fn local_address(call: &Call<'_>, socket: u32, out: u32) -> Outcome {
    let socket = socket_of(call, socket)?;
    let room = call.memory.address_out(out)?.ok_or(Errno::FAULT)?;
    room.write(&sys::local_address(socket.fd)?);
    Ok(0)
}

pub(super) fn peer_address(call: &Call<'_>, socket: u32, out: u32) -> Outcome {
    let socket = socket_of(call, socket)?;
    let room = call.memory.address_out(out)?.ok_or(Errno::FAULT)?;
    room.write(&sys::peer_address(socket.fd)?);
    Ok(0)
}

pub(super) fn shutdown(call: &Call<'_>, socket: u32, how: i32) -> Outcome {
    sys::shutdown(socket_of(call, socket)?.fd, how)
}

pub(super) fn set_nonblocking(call: &Call<'_>, socket: u32, on: u32) -> Outcome {
    sys::set_nonblocking(socket_of(call, socket)?.fd, on != 0)
}

pub(super) fn is_nonblocking(call: &Call<'_>, socket: u32) -> Outcome {
    sys::is_nonblocking(socket_of(call, socket)?.fd).map(i64::from)
}

pub(super) fn duplicate(call: &Call<'_>, socket: u32) -> Outcome {
    let socket = socket_of(call, socket)?;
    let another = sys::duplicate(socket.fd)?;
    call.state.table.insert(another, socket.kind).map(i64::from)
}

pub(super) fn close(call: &Call<'_>, number: u32) -> Outcome {
    call.state.table.close(number).map(|()| 0)
}
