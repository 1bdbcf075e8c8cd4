//! Socket options, by Linux's numbers.

use super::errno::check;
use super::stubs;
use crate::Errno;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;

/// Fills `value`; gives how many bytes of it were filled.
pub fn get_option(fd: RawFd, level: i32, name: i32, value: &mut [u8]) -> Result<usize, Errno> {
    let (at, len) = (value.as_mut_ptr() as u32, value.len() as u32);
    let count = check(stubs::get_option(fd, level, name, at, len))?;
    Ok(count as usize)
}

/// Sets an option.
pub fn set_option(fd: RawFd, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
    set_at(fd, level, name, value.as_ptr() as u32, value.len())
}

/// As [`set_option`]. Bytes that are not initialised are whatever the memory holds.
pub fn set_option_bytes(
    fd: RawFd,
    level: i32,
    name: i32,
    value: &[MaybeUninit<u8>],
) -> Result<(), Errno> {
    set_at(fd, level, name, value.as_ptr() as u32, value.len())
}

fn set_at(fd: RawFd, level: i32, name: i32, at: u32, len: usize) -> Result<(), Errno> {
    check(stubs::set_option(fd, level, name, at, len as u32)).map(drop)
}
