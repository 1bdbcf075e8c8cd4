//! POSIX sockets.

pub mod functions;
pub mod options;
pub mod poll;
pub mod types;

use libc::c_int;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;

/// C's way to return: the value, or -1 and `errno`.
fn cvt<T: From<i8>>(result: io::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => {
            let errno = errno_of(&error);
            // SAFETY: libc returns the address of its own variable.
            unsafe { *libc::__errno_location() = errno };
            T::from(-1)
        }
    }
}

fn errno_of(error: &io::Error) -> c_int {
    error.raw_os_error().unwrap_or(match error.kind() {
        ErrorKind::InvalidInput => libc::EINVAL,
        ErrorKind::TimedOut => libc::ETIMEDOUT,
        ErrorKind::Unsupported => libc::ENOTSUP,
        _ => libc::EIO,
    })
}

fn error(errno: c_int) -> io::Error {
    io::Error::from_raw_os_error(errno)
}

/// Borrows a descriptor of the caller's.
fn borrow<'a>(fd: c_int) -> io::Result<BorrowedFd<'a>> {
    if fd < 0 {
        return Err(error(libc::EBADF));
    }
    // SAFETY: the number is not the forbidden -1. As in C, a number that is not
    // open is the host's to refuse; the borrow ends with the calling function.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}
