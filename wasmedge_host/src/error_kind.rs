//! The kinds of errors that std (1.97) does not know on WASI.
//!
//! std translates WASI's numbers. It has no kind for `NOTEMPTY`, and none for
//! `NOTCAPABLE`, which natively is a lack of permission. Programs that tell such errors
//! apart by their kind get the native one here.

use std::io::{Error, ErrorKind};

use crate::Errno;

/// `error` with the kind that it has natively. It then no longer has a
/// [`raw_os_error`](Error::raw_os_error): std has no error with both. What it displays
/// stays. Off WASI this is `error` itself.
pub fn with_native_kind(error: Error) -> Error {
    let number = error.raw_os_error().filter(|_| cfg!(target_os = "wasi"));
    match number.and_then(native_kind) {
        // A newer std may know it.
        Some(kind) if kind != error.kind() => Error::new(kind, error),
        _ => error,
    }
}

/// The kind for the numbers that std has none for.
fn native_kind(number: i32) -> Option<ErrorKind> {
    match Errno::from_raw(number.try_into().ok()?) {
        Errno::NOTEMPTY => Some(ErrorKind::DirectoryNotEmpty),
        Errno::NOTCAPABLE => Some(ErrorKind::PermissionDenied),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_that_std_lacks() {
        assert_eq!(native_kind(55), Some(ErrorKind::DirectoryNotEmpty));
        assert_eq!(native_kind(76), Some(ErrorKind::PermissionDenied));
        for number in [-1, 0, 2, 6, 39, 44, 54, 56, 65591] {
            assert_eq!(native_kind(number), None, "{number}");
        }
    }

    #[test]
    fn an_error_changes_on_wasi_only_and_says_the_same() {
        let error = || Error::from_raw_os_error(55);
        let (before, after) = (error(), with_native_kind(error()));
        assert_eq!(after.to_string(), before.to_string());
        if cfg!(target_os = "wasi") {
            assert_eq!(after.kind(), ErrorKind::DirectoryNotEmpty);
        } else {
            assert_eq!(after.raw_os_error(), Some(55));
        }
        let kept = with_native_kind(Error::from_raw_os_error(28));
        assert_eq!(kept.raw_os_error(), Some(28));
    }
}
