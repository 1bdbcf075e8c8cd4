//! WASI's functions, for the plugin's numbers.
//!
//! std and the C library call WASI with whatever number they hold: std closes what an
//! `OwnedFd` holds, and its own socket types read and write. So the step that connects a
//! program with the plugin (see `stubs.rs`) has each call of WASI's `NAME` in it call
//! `tokio_wasmedge.wasi.NAME` here instead, but for the calls in these functions. Without
//! the plugin nobody calls them.
//!
//! Each calls the import itself, and by no other function, whose call would be replaced.

use super::super::host::abi::{FdStat, Iovec, FDFLAGS_NONBLOCK};
use super::errno::check;
use super::socket::receive_flags;
use super::{owns, stubs};
use crate::Errno;

/// WASI's number for a stream socket, which WasmEdge says of every socket.
const FILETYPE_SOCKET_STREAM: u8 = 6;

/// Every right: the kernel knows what a socket can do.
const ALL_RIGHTS: u64 = u64::MAX;

const MSG_TRUNC: i32 = 0x20;

mod imports {
    use super::{FdStat, Iovec};

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        pub fn fd_close(fd: i32) -> i32;
        pub fn fd_fdstat_get(fd: i32, stat: *mut FdStat) -> i32;
        pub fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32;
        pub fn fd_read(fd: i32, iovs: *const Iovec, count: u32, nread: *mut u32) -> i32;
        pub fn fd_write(fd: i32, iovs: *const Iovec, count: u32, nwritten: *mut u32) -> i32;
        pub fn sock_recv(
            fd: i32,
            iovs: *const Iovec,
            count: u32,
            flags: i32,
            nread: *mut u32,
            told: *mut u16,
        ) -> i32;
        pub fn sock_send(
            fd: i32,
            iovs: *const Iovec,
            count: u32,
            flags: i32,
            nwritten: *mut u32,
        ) -> i32;
        pub fn sock_shutdown(fd: i32, how: i32) -> i32;
    }
}

fn raw(result: Result<(), Errno>) -> i32 {
    result.err().map_or(0, |errno| errno.raw().into())
}

/// Closes a descriptor.
#[export_name = "tokio_wasmedge.wasi.fd_close"]
pub extern "C" fn fd_close(fd: i32) -> i32 {
    if owns(fd) {
        return raw(check(stubs::close(fd)).map(drop));
    }
    // SAFETY: no pointers.
    unsafe { imports::fd_close(fd) }
}

/// What is known of a descriptor.
///
/// # Safety
///
/// As WASI's: `stat` points to room for one.
#[export_name = "tokio_wasmedge.wasi.fd_fdstat_get"]
pub unsafe extern "C" fn fd_fdstat_get(fd: i32, stat: *mut FdStat) -> i32 {
    if !owns(fd) {
        // SAFETY: as the caller says.
        return unsafe { imports::fd_fdstat_get(fd, stat) };
    }
    match check(stubs::is_nonblocking(fd)) {
        Ok(nonblocking) => {
            let told = FdStat {
                filetype: FILETYPE_SOCKET_STREAM,
                flags: if nonblocking != 0 {
                    FDFLAGS_NONBLOCK
                } else {
                    0
                },
                rights_base: ALL_RIGHTS,
                rights_inheriting: ALL_RIGHTS,
            };
            // SAFETY: there is room, as the caller says.
            unsafe { stat.write(told) };
            0
        }
        Err(errno) => errno.raw().into(),
    }
}

/// Sets the flags of a descriptor.
#[export_name = "tokio_wasmedge.wasi.fd_fdstat_set_flags"]
pub extern "C" fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32 {
    if !owns(fd) {
        // SAFETY: no pointers.
        return unsafe { imports::fd_fdstat_set_flags(fd, flags) };
    }
    let nonblocking = flags & i32::from(FDFLAGS_NONBLOCK) != 0;
    raw(check(stubs::set_nonblocking(fd, nonblocking.into())).map(drop))
}

/// Receives; gives WASI's error, having written what WASI writes.
///
/// # Safety
///
/// `iovs` and `nread` are as WASI takes them; `told` as well, or null.
unsafe fn receive(
    fd: i32,
    iovs: *const Iovec,
    count: u32,
    flags: i32,
    nread: *mut u32,
    told: *mut u16,
) -> i32 {
    let mut out_flags = 0_i32;
    let out = std::ptr::from_mut(&mut out_flags) as u32;
    match check(stubs::recv_message(fd, iovs as u32, count, flags, 0, out)) {
        Ok(received) => {
            let is_cut = u16::from(out_flags & MSG_TRUNC != 0);
            // SAFETY: there is room, as the caller says.
            unsafe {
                nread.write(received as u32);
                if !told.is_null() {
                    told.write(is_cut);
                }
            }
            0
        }
        Err(errno) => errno.raw().into(),
    }
}

/// As [`receive`], for sending.
///
/// # Safety
///
/// `iovs` and `nwritten` are as WASI takes them.
unsafe fn transmit(fd: i32, iovs: *const Iovec, count: u32, nwritten: *mut u32) -> i32 {
    match check(stubs::send_message(fd, iovs as u32, count, 0, 0, 0)) {
        Ok(sent) => {
            // SAFETY: there is room, as the caller says.
            unsafe { nwritten.write(sent as u32) };
            0
        }
        Err(errno) => errno.raw().into(),
    }
}

/// Reads.
///
/// # Safety
///
/// As WASI's.
#[export_name = "tokio_wasmedge.wasi.fd_read"]
pub unsafe extern "C" fn fd_read(fd: i32, iovs: *const Iovec, count: u32, nread: *mut u32) -> i32 {
    if !owns(fd) {
        // SAFETY: as the caller says.
        return unsafe { imports::fd_read(fd, iovs, count, nread) };
    }
    // SAFETY: as the caller says.
    unsafe { receive(fd, iovs, count, 0, nread, std::ptr::null_mut()) }
}

/// Writes.
///
/// # Safety
///
/// As WASI's.
#[export_name = "tokio_wasmedge.wasi.fd_write"]
pub unsafe extern "C" fn fd_write(
    fd: i32,
    iovs: *const Iovec,
    count: u32,
    nwritten: *mut u32,
) -> i32 {
    if !owns(fd) {
        // SAFETY: as the caller says.
        return unsafe { imports::fd_write(fd, iovs, count, nwritten) };
    }
    // SAFETY: as the caller says.
    unsafe { transmit(fd, iovs, count, nwritten) }
}

/// Receives.
///
/// # Safety
///
/// As WASI's.
#[export_name = "tokio_wasmedge.wasi.sock_recv"]
pub unsafe extern "C" fn sock_recv(
    fd: i32,
    iovs: *const Iovec,
    count: u32,
    flags: i32,
    nread: *mut u32,
    told: *mut u16,
) -> i32 {
    if !owns(fd) {
        // SAFETY: as the caller says.
        return unsafe { imports::sock_recv(fd, iovs, count, flags, nread, told) };
    }
    let flags = u16::try_from(flags).map_err(|_| Errno::INVAL);
    match flags.and_then(receive_flags) {
        // SAFETY: as the caller says.
        Ok(flags) => unsafe { receive(fd, iovs, count, flags, nread, told) },
        Err(errno) => errno.raw().into(),
    }
}

/// Sends.
///
/// # Safety
///
/// As WASI's.
#[export_name = "tokio_wasmedge.wasi.sock_send"]
pub unsafe extern "C" fn sock_send(
    fd: i32,
    iovs: *const Iovec,
    count: u32,
    flags: i32,
    nwritten: *mut u32,
) -> i32 {
    if !owns(fd) {
        // SAFETY: as the caller says.
        return unsafe { imports::sock_send(fd, iovs, count, flags, nwritten) };
    }
    // There are none.
    if flags != 0 {
        return Errno::INVAL.raw().into();
    }
    // SAFETY: as the caller says.
    unsafe { transmit(fd, iovs, count, nwritten) }
}

/// Shuts one or both directions.
#[export_name = "tokio_wasmedge.wasi.sock_shutdown"]
pub extern "C" fn sock_shutdown(fd: i32, how: i32) -> i32 {
    if !owns(fd) {
        // SAFETY: no pointers.
        return unsafe { imports::sock_shutdown(fd, how) };
    }
    // WASI's bits: 1 is reading, 2 is writing. The system counts from 0.
    let how = match how {
        1..=3 => how - 1,
        _ => return Errno::INVAL.raw().into(),
    };
    raw(check(stubs::shutdown(fd, how)).map(drop))
}
