//! Conversions between the types of [`net`](crate::net), descriptors and std.

use super::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// The traits of `std::os::fd` for types that have `fd()` and can be made of, and into,
/// an `OwnedFd`.
macro_rules! descriptors {
    ($($ty:ident),*) => {
        $(
            impl AsFd for $ty {
                #[inline]
                fn as_fd(&self) -> BorrowedFd<'_> {
                    self.fd()
                }
            }

            impl AsRawFd for $ty {
                #[inline]
                fn as_raw_fd(&self) -> RawFd {
                    self.fd().as_raw_fd()
                }
            }

            impl IntoRawFd for $ty {
                #[inline]
                fn into_raw_fd(self) -> RawFd {
                    OwnedFd::from(self).into_raw_fd()
                }
            }

            #[allow(unsafe_code)]
            impl FromRawFd for $ty {
                #[inline]
                unsafe fn from_raw_fd(fd: RawFd) -> $ty {
                    // SAFETY: the caller hands over a descriptor it owns.
                    $ty::from(unsafe { OwnedFd::from_raw_fd(fd) })
                }
            }
        )*
    };
}

#[cfg(target_os = "wasi")]
pub(super) use descriptors;

macro_rules! std_conversions {
    ($($ty:ident),*) => {
        $(
            impl From<std::net::$ty> for $ty {
                #[inline]
                fn from(socket: std::net::$ty) -> $ty {
                    $ty::from(OwnedFd::from(socket))
                }
            }

            impl From<$ty> for std::net::$ty {
                #[inline]
                fn from(socket: $ty) -> std::net::$ty {
                    std::net::$ty::from(OwnedFd::from(socket))
                }
            }
        )*
    };
}

descriptors!(TcpStream, TcpListener, UdpSocket);
std_conversions!(TcpStream, TcpListener, UdpSocket);
