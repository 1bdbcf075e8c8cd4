//! Socket options. The host reaches those of level `SOL_SOCKET` only, and ends the
//! process on a value that is too short: sizes are fixed by types here.

use super::conv::{self, check};
use super::imports;
use crate::Errno;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::time::Duration;

/// The one level the host passes on.
const SOL_SOCKET: i32 = 0;

/// Options whose value is one `i32`, by the host's numbers.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
#[repr(i32)]
pub enum IntOption {
    ReuseAddr = 0,
    Type = 1,
    Error = 2,
    DontRoute = 3,
    Broadcast = 4,
    SendBuffer = 5,
    RecvBuffer = 6,
    KeepAlive = 7,
    OobInline = 8,
    RecvLowWater = 10,
    AcceptConn = 13,
}

/// Options whose value is a time, by the host's numbers.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
#[repr(i32)]
pub enum TimeOption {
    Recv = 11,
    Send = 12,
}

const LINGER: i32 = 9;

/// Kept aligned for the widest value, a pair of `i64`s.
#[repr(C, align(8))]
struct OptionValue<const N: usize>([u8; N]);

impl<const N: usize> OptionValue<N> {
    /// The host ends the process if type or error do not fit.
    const FITS: () = assert!(N >= 4);

    fn zeroed() -> OptionValue<N> {
        let () = OptionValue::<N>::FITS;
        OptionValue([0; N])
    }
}

fn get_option<const N: usize>(fd: i32, name: i32) -> Result<[u8; N], Errno> {
    let mut value = OptionValue::<N>::zeroed();
    let mut size = N as u32;
    // SAFETY: `value` holds `size` bytes, and both are valid for writing.
    check(unsafe {
        imports::sock_getsockopt(fd, SOL_SOCKET, name, value.0.as_mut_ptr(), &mut size)
    })?;
    Ok(value.0)
}

fn set_option<const N: usize>(fd: RawFd, name: i32, value: [u8; N]) -> Result<(), Errno> {
    let value = OptionValue(value);
    // SAFETY: `value` holds `N` bytes.
    check(unsafe { imports::sock_setsockopt(fd, SOL_SOCKET, name, value.0.as_ptr(), N as u32) })
}

/// The value of an option.
pub fn int(fd: RawFd, name: IntOption) -> Result<i32, Errno> {
    get_option(fd, name as i32).map(i32::from_le_bytes)
}

/// `SO_ERROR`: the pending error, which is then forgotten.
pub fn socket_error(fd: RawFd) -> Result<Option<Errno>, Errno> {
    let errno = int(fd, IntOption::Error)?;
    Ok(check(errno).err())
}

/// Sets an option.
pub fn set_int(fd: RawFd, name: IntOption, value: i32) -> Result<(), Errno> {
    set_option(fd, name as i32, value.to_le_bytes())
}

/// Kept aligned for whatever the host reads it as.
#[repr(C, align(8))]
struct Aligned([MaybeUninit<u8>; LONGEST_VALUE]);

/// The longest value of an option, a pair of `i64`s.
const LONGEST_VALUE: usize = 16;

/// Sets the option of this number to these bytes. Those that are not initialised,
/// such as a struct's padding, reach the host as whatever the memory holds.
///
/// # Errors
///
/// `INVAL` for more than 16 bytes, which no option has.
pub fn set_bytes(fd: RawFd, name: i32, bytes: &[MaybeUninit<u8>]) -> Result<(), Errno> {
    let mut value = Aligned([MaybeUninit::uninit(); LONGEST_VALUE]);
    let room = value.0.get_mut(..bytes.len()).ok_or(Errno::INVAL)?;
    room.copy_from_slice(bytes);
    // SAFETY: `value` has the bytes. The host reads no others, and may read any of
    // the guest's memory.
    check(unsafe {
        imports::sock_setsockopt(
            fd,
            SOL_SOCKET,
            name,
            value.0.as_ptr().cast(),
            bytes.len() as u32,
        )
    })
}

const BIND_TO_DEVICE: i32 = 14;

/// The longest name of a network interface, with its terminator (`IFNAMSIZ`).
const DEVICE_LEN: usize = 16;

/// The network interface that the socket is bound to; empty if none.
pub fn device(fd: RawFd) -> Result<Vec<u8>, Errno> {
    let name: [u8; DEVICE_LEN] = get_option(fd, BIND_TO_DEVICE)?;
    Ok(name.into_iter().take_while(|&byte| byte != 0).collect())
}

/// Binds the socket to a network interface; to none if `name` is empty.
pub fn set_device(fd: RawFd, name: &[u8]) -> Result<(), Errno> {
    let size = name.len() as u32;
    // SAFETY: `name` holds `size` bytes.
    check(unsafe { imports::sock_setsockopt(fd, SOL_SOCKET, BIND_TO_DEVICE, name.as_ptr(), size) })
}

/// `SO_LINGER`, in whole seconds; `None` is off.
pub fn linger(fd: RawFd) -> Result<Option<Duration>, Errno> {
    get_option(fd, LINGER).map(conv::linger)
}

/// Sets `SO_LINGER`, in whole seconds; `None` is off.
pub fn set_linger(fd: RawFd, linger: Option<Duration>) -> Result<(), Errno> {
    set_option(fd, LINGER, conv::linger_value(linger))
}

/// A time-out; `None` is without end.
pub fn time(fd: RawFd, name: TimeOption) -> Result<Option<Duration>, Errno> {
    get_option(fd, name as i32).map(conv::time)
}

/// Sets a time-out; `None` is without end. One that is shorter than a microsecond
/// counts as one.
pub fn set_time(fd: RawFd, name: TimeOption, time: Option<Duration>) -> Result<(), Errno> {
    set_option(fd, name as i32, conv::time_value(time))
}
