//! Conversions between the types of [`net`](crate::net), descriptors and std.

use super::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

macro_rules! conversions {
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

conversions!(TcpStream, TcpListener, UdpSocket);
