//! POSIX sockets.

pub mod functions;
pub mod messages;
pub mod options;
pub mod poll;
pub mod types;

use libc::c_int;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};

/// C's way to return: the value, or -1 and `errno`.
pub(crate) fn cvt<T: From<i8>>(result: io::Result<T>) -> T {
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

pub(crate) fn error(errno: c_int) -> io::Error {
    io::Error::from_raw_os_error(errno)
}

/// A descriptor of the caller's, who names it by number.
struct Number(c_int);

/// # Errors
///
/// `EBADF` for -1, which stands for none. Other negative numbers may be the plugin's.
fn number(fd: c_int) -> io::Result<Number> {
    match fd {
        -1 => Err(error(libc::EBADF)),
        _ => Ok(Number(fd)),
    }
}

impl AsFd for Number {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the number is not the forbidden -1. As in C, a number that is not
        // open is the host's to refuse; no borrow outlives the call that names it.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}
