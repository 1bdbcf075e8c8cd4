//! Socket options.

use super::types::*;
use super::{cvt, error, number};
use libc::{c_int, c_void, timeval};
use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;
use wasmedge_host::abi::SocketType;
use wasmedge_host::fd::socket;
use wasmedge_host::fd::socket::system::{self, SystemOption};

/// The value of an option, in the type C gives it.
enum Value {
    Int(c_int),
    Linger(linger),
    Time(timeval),
    /// One that only the plugin knows, as the system has it.
    Bytes(Vec<u8>),
}

/// The longest value of an option that is handed on as it is.
const LONGEST: usize = 64;

/// # Safety
///
/// `optlen` is valid and says how many bytes `optval` has.
pub unsafe fn getsockopt(
    fd: c_int,
    level: c_int,
    optname: c_int,
    optval: *mut c_void,
    optlen: *mut socklen_t,
) -> c_int {
    cvt((|| {
        if optval.is_null() || optlen.is_null() {
            return Err(error(libc::EFAULT));
        }
        // SAFETY: the caller's promise.
        let room = unsafe { optlen.read_unaligned() } as usize;
        let value = get(number(fd)?.as_fd(), level, optname, room)?;
        let (from, size): (*const u8, usize) = match &value {
            Value::Int(int) => ((int as *const c_int).cast(), size_of::<c_int>()),
            Value::Linger(linger) => ((linger as *const linger).cast(), size_of::<linger>()),
            Value::Time(time) => ((time as *const timeval).cast(), size_of::<timeval>()),
            Value::Bytes(bytes) => (bytes.as_ptr(), bytes.len()),
        };
        // SAFETY: the caller's promise for the target; the source is `value`. As
        // in C, a shorter buffer gets the first bytes.
        unsafe {
            let size = size.min(room);
            from.copy_to(optval.cast(), size);
            optlen.write_unaligned(size as socklen_t);
        }
        Ok(0)
    })())
}

/// # Safety
///
/// `optval` is valid for reading `optlen` bytes.
pub unsafe fn setsockopt(
    fd: c_int,
    level: c_int,
    optname: c_int,
    optval: *const c_void,
    optlen: socklen_t,
) -> c_int {
    /// # Safety
    ///
    /// `from` is valid for reading `len` bytes, and `T` is plain data.
    unsafe fn read<T>(from: *const c_void, len: socklen_t) -> io::Result<T> {
        if from.is_null() {
            return Err(error(libc::EFAULT));
        }
        if (len as usize) < size_of::<T>() {
            return Err(error(libc::EINVAL));
        }
        // SAFETY: the caller's promise, and `len` is enough.
        Ok(unsafe { from.cast::<T>().read_unaligned() })
    }
    cvt((|| {
        // SAFETY: the caller's promise; these types are plain data.
        let value = unsafe {
            match (level, optname) {
                (SOL_SOCKET, SO_LINGER) => Value::Linger(read(optval, optlen)?),
                (SOL_SOCKET, SO_RCVTIMEO | SO_SNDTIMEO) => Value::Time(read(optval, optlen)?),
                (SOL_SOCKET, _) | (IPPROTO_TCP, TCP_NODELAY) => Value::Int(read(optval, optlen)?),
                _ if optval.is_null() => return Err(error(libc::EFAULT)),
                _ if optlen as usize > LONGEST => return Err(error(libc::EINVAL)),
                _ => {
                    let bytes = optval.cast::<u8>();
                    Value::Bytes(std::slice::from_raw_parts(bytes, optlen as usize).to_vec())
                }
            }
        };
        set(number(fd)?.as_fd(), level, optname, value).map(|()| 0)
    })())
}

/// `room` is how many bytes the caller has for the value.
fn get(fd: BorrowedFd<'_>, level: c_int, optname: c_int, room: usize) -> io::Result<Value> {
    let int = match (level, optname) {
        (IPPROTO_TCP, TCP_NODELAY) => socket::nodelay(fd)?.into(),
        (SOL_SOCKET, SO_REUSEADDR) => socket::reuse_address(fd)?.into(),
        (SOL_SOCKET, SO_BROADCAST) => socket::broadcast(fd)?.into(),
        (SOL_SOCKET, SO_KEEPALIVE) => socket::keepalive(fd)?.into(),
        (SOL_SOCKET, SO_SNDBUF) => socket::send_buffer_size(fd)? as c_int,
        (SOL_SOCKET, SO_RCVBUF) => socket::recv_buffer_size(fd)? as c_int,
        (SOL_SOCKET, SO_ACCEPTCONN) => socket::is_listener(fd)?.into(),
        (SOL_SOCKET, SO_ERROR) => socket::take_error(fd)?.map_or(0, |e| super::errno_of(&e)),
        (SOL_SOCKET, SO_TYPE) => match socket::socket_type(fd)? {
            Some(SocketType::Stream) => SOCK_STREAM,
            Some(SocketType::Datagram) => SOCK_DGRAM,
            None => return Err(error(libc::ENOTSUP)),
        },
        (SOL_SOCKET, SO_PROTOCOL) => match socket::socket_type(fd)? {
            Some(SocketType::Stream) => IPPROTO_TCP,
            Some(SocketType::Datagram) => IPPROTO_UDP,
            None => return Err(error(libc::ENOTSUP)),
        },
        (SOL_SOCKET, SO_DOMAIN) => {
            if socket::local_addr(fd)?.is_ipv4() {
                AF_INET
            } else {
                AF_INET6
            }
        }
        (SOL_SOCKET, SO_LINGER) => {
            let linger = socket::linger(fd)?;
            return Ok(Value::Linger(linger {
                l_onoff: linger.is_some().into(),
                l_linger: linger.unwrap_or_default().as_secs() as c_int,
            }));
        }
        (SOL_SOCKET, SO_RCVTIMEO) => return Ok(Value::Time(to_timeval(socket::read_timeout(fd)?))),
        (SOL_SOCKET, SO_SNDTIMEO) => {
            return Ok(Value::Time(to_timeval(socket::write_timeout(fd)?)))
        }
        _ => {
            let mut bytes = vec![0; room.min(LONGEST)];
            let count = system::get_bytes(fd, option(level, optname), &mut bytes);
            bytes.truncate(count.map_err(not_supported)?);
            return Ok(Value::Bytes(bytes));
        }
    };
    Ok(Value::Int(int))
}

fn set(fd: BorrowedFd<'_>, level: c_int, optname: c_int, value: Value) -> io::Result<()> {
    match (level, optname, value) {
        (IPPROTO_TCP, TCP_NODELAY, Value::Int(on)) => socket::set_nodelay(fd, on != 0),
        (SOL_SOCKET, SO_REUSEADDR, Value::Int(on)) => socket::set_reuse_address(fd, on != 0),
        (SOL_SOCKET, SO_BROADCAST, Value::Int(on)) => socket::set_broadcast(fd, on != 0),
        (SOL_SOCKET, SO_KEEPALIVE, Value::Int(on)) => socket::set_keepalive(fd, on != 0),
        (SOL_SOCKET, SO_SNDBUF, Value::Int(size)) => socket::set_send_buffer_size(fd, bytes(size)),
        (SOL_SOCKET, SO_RCVBUF, Value::Int(size)) => socket::set_recv_buffer_size(fd, bytes(size)),
        (SOL_SOCKET, SO_LINGER, Value::Linger(linger)) => {
            let seconds = Duration::from_secs(linger.l_linger.max(0) as u64);
            socket::set_linger(fd, (linger.l_onoff != 0).then_some(seconds))
        }
        (SOL_SOCKET, SO_RCVTIMEO, Value::Time(time)) => {
            socket::set_read_timeout(fd, from_timeval(time)?)
        }
        (SOL_SOCKET, SO_SNDTIMEO, Value::Time(time)) => {
            socket::set_write_timeout(fd, from_timeval(time)?)
        }
        (_, _, Value::Int(int)) => {
            system::set(fd, option(level, optname), int).map_err(not_supported)
        }
        (_, _, Value::Bytes(bytes)) => {
            system::set_bytes(fd, option(level, optname), &bytes).map_err(not_supported)
        }
        _ => Err(error(libc::ENOTSUP)),
    }
}

/// What Linux calls the level that is `SOL_SOCKET` here, as in wasi-libc.
const LINUX_SOL_SOCKET: c_int = 1;

/// One that only the plugin knows. All numbers but that level's are Linux's, here as there.
fn option(level: c_int, name: c_int) -> SystemOption {
    SystemOption {
        level: match level {
            SOL_SOCKET => LINUX_SOL_SOCKET,
            level => level,
        },
        name,
        label: "socket option",
    }
}

/// What C is told where the host does not reach an option.
fn not_supported(cause: io::Error) -> io::Error {
    match cause.kind() {
        io::ErrorKind::Unsupported => error(libc::ENOTSUP),
        _ => cause,
    }
}

/// Linux takes a negative size for the largest there is.
fn bytes(size: c_int) -> usize {
    usize::try_from(size).unwrap_or(c_int::MAX as usize)
}

fn to_timeval(timeout: Option<Duration>) -> timeval {
    let timeout = timeout.unwrap_or_default();
    timeval {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_usec: timeout.subsec_micros().into(),
    }
}

fn from_timeval(time: timeval) -> io::Result<Option<Duration>> {
    match (u64::try_from(time.tv_sec), u32::try_from(time.tv_usec)) {
        (Ok(0), Ok(0)) => Ok(None),
        (Ok(seconds), Ok(micros)) if micros < 1_000_000 => {
            Ok(Some(Duration::new(seconds, micros * 1000)))
        }
        _ => Err(error(libc::EDOM)),
    }
}
