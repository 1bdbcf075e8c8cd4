//! The C library's `close`, which is how std closes what an `OwnedFd` holds.
//!
//! The linker takes this definition, which comes first, instead of the library's. It does
//! what the library's does, but for the plugin's numbers.

use super::super::host::fd_close;
use super::errno::check;
use super::{owns, stubs};

extern "C" {
    /// The library looks for opened folders when it first needs them. It must not take a
    /// number for one that was closed and given to something else meanwhile.
    fn __wasilibc_populate_preopens();
    fn __errno_location() -> *mut i32;
}

/// Closes a descriptor: 0, or -1 with `errno` set.
#[no_mangle]
pub extern "C" fn close(fd: i32) -> i32 {
    let result = if owns(fd) {
        check(stubs::close(fd)).map(drop)
    } else {
        // SAFETY: it takes no arguments, and may be called at any time.
        unsafe { __wasilibc_populate_preopens() };
        fd_close(fd)
    };
    match result {
        Ok(()) => 0,
        Err(errno) => {
            // SAFETY: the library's own place for it, which is always there.
            unsafe { *__errno_location() = errno.raw().into() };
            -1
        }
    }
}
