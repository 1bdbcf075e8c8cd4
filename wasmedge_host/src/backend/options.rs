//! Socket options, for both backends.

use super::host::{self, conv, IntOption, TimeOption};
use super::plugin;
use crate::Errno;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::time::Duration;

/// Linux's level of options of every socket.
const SOL_SOCKET: i32 = 1;

/// Options of this level by the host's numbers, and Linux's number of each.
const NUMBERS: [i32; 15] = [2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 18, 20, 21, 30, 25];

const TYPE: i32 = IntOption::Type as i32;
const LINGER: i32 = 9;
const DEVICE: i32 = 14;

/// The longest name of a network interface, with its terminator (`IFNAMSIZ`).
const DEVICE_LEN: usize = 16;

fn number(host: i32) -> Result<i32, Errno> {
    let at = usize::try_from(host).ok();
    let number = at.and_then(|at| NUMBERS.get(at));
    number.copied().ok_or(Errno::NOPROTOOPT)
}

fn get<const N: usize>(fd: RawFd, host: i32) -> Result<[u8; N], Errno> {
    let mut value = [0; N];
    plugin::get_option(fd, SOL_SOCKET, number(host)?, &mut value)?;
    Ok(value)
}

fn set(fd: RawFd, host: i32, value: &[u8]) -> Result<(), Errno> {
    plugin::set_option(fd, SOL_SOCKET, number(host)?, value)
}

/// The value of an option, as the host has it.
pub fn int(fd: RawFd, option: IntOption) -> Result<i32, Errno> {
    if !plugin::owns(fd) {
        return host::int(fd, option);
    }
    let value = get(fd, option as i32).map(i32::from_le_bytes)?;
    Ok(match (option as i32, value) {
        // Linux calls a stream 1 and a datagram socket 2, the host the other way.
        (TYPE, 1) => 2,
        (TYPE, 2) => 1,
        _ => value,
    })
}

/// Sets an option.
pub fn set_int(fd: RawFd, option: IntOption, value: i32) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => set(fd, option as i32, &value.to_le_bytes()),
        false => host::set_int(fd, option, value),
    }
}

/// `SO_ERROR`: the pending error, which is then forgotten.
pub fn socket_error(fd: RawFd) -> Result<Option<Errno>, Errno> {
    if !plugin::owns(fd) {
        return host::socket_error(fd);
    }
    let number = get(fd, IntOption::Error as i32).map(i32::from_le_bytes)?;
    Ok((number != 0).then(|| plugin::errno(number)))
}

/// Sets the option of this number, the host's, to these bytes. Those that are not
/// initialised, such as a struct's padding, are whatever the memory holds.
///
/// # Errors
///
/// `INVAL` for more than 16 bytes, which no option has.
pub fn set_bytes(fd: RawFd, name: i32, bytes: &[MaybeUninit<u8>]) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => plugin::set_option_bytes(fd, SOL_SOCKET, number(name)?, bytes),
        false => host::set_bytes(fd, name, bytes),
    }
}

/// The network interface that the socket is bound to; empty if none.
pub fn device(fd: RawFd) -> Result<Vec<u8>, Errno> {
    if !plugin::owns(fd) {
        return host::device(fd);
    }
    let mut name = [0; DEVICE_LEN];
    let len = plugin::get_option(fd, SOL_SOCKET, number(DEVICE)?, &mut name)?;
    let name = name.into_iter().take(len);
    Ok(name.take_while(|&byte| byte != 0).collect())
}

/// Binds the socket to a network interface; to none if `name` is empty.
pub fn set_device(fd: RawFd, name: &[u8]) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => set(fd, DEVICE, name),
        false => host::set_device(fd, name),
    }
}

/// `SO_LINGER`, in whole seconds; `None` is off.
pub fn linger(fd: RawFd) -> Result<Option<Duration>, Errno> {
    match plugin::owns(fd) {
        true => get(fd, LINGER).map(conv::linger),
        false => host::linger(fd),
    }
}

/// Sets `SO_LINGER`, in whole seconds; `None` is off.
pub fn set_linger(fd: RawFd, linger: Option<Duration>) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => set(fd, LINGER, &conv::linger_value(linger)),
        false => host::set_linger(fd, linger),
    }
}

/// A time-out; `None` is without end.
pub fn time(fd: RawFd, option: TimeOption) -> Result<Option<Duration>, Errno> {
    match plugin::owns(fd) {
        true => get(fd, option as i32).map(conv::time),
        false => host::time(fd, option),
    }
}

/// Sets a time-out; `None` is without end. One that is shorter than a microsecond
/// counts as one.
pub fn set_time(fd: RawFd, option: TimeOption, time: Option<Duration>) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => set(fd, option as i32, &conv::time_value(time)),
        false => host::set_time(fd, option, time),
    }
}

/// An option that only a plugin reaches: Linux's level and number.
#[derive(Clone, Copy, Debug)]
pub struct SystemOption {
    /// `IPPROTO_TCP` and so on.
    pub level: i32,
    /// `TCP_NODELAY` and so on.
    pub name: i32,
}

/// Fills `value`; gives how many bytes of it were filled.
///
/// # Errors
///
/// `NOTSUP` for a socket of the host's; the system's.
pub fn system(fd: RawFd, option: SystemOption, value: &mut [u8]) -> Result<usize, Errno> {
    match plugin::owns(fd) {
        true => plugin::get_option(fd, option.level, option.name, value),
        false => Err(Errno::NOTSUP),
    }
}

/// Sets an option.
///
/// # Errors
///
/// `NOTSUP` for a socket of the host's; the system's.
pub fn set_system(fd: RawFd, option: SystemOption, value: &[u8]) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => plugin::set_option(fd, option.level, option.name, value),
        false => Err(Errno::NOTSUP),
    }
}
