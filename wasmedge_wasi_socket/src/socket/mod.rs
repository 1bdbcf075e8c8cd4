//! A socket of any kind, and the types that its calls are made of.
//!
//! | file | holds |
//! |---|---|
//! | `kinds.rs` | families, types, options and flags |
//! | `addrinfo.rs` | the host's name lookup |
//! | `iovec.rs` | buffers by address and length |
//! | `stream_or_datagram.rs` | [`Socket`] |

mod addrinfo;
mod iovec;
mod kinds;
mod stream_or_datagram;

pub use addrinfo::{AiFlags, AiProtocol, WasiAddress, WasiAddrinfo, WasiSockaddr};
pub use iovec::{IovecRead, IovecWrite};
pub use kinds::{
    AddressFamily, SocketOptLevel, SocketOptName, SocketType, MSG_PEEK, MSG_TRUNC, MSG_WAITALL,
};
pub use stream_or_datagram::Socket;

/// The conversions of a type around a [`Socket`] `s`.
macro_rules! is_a_socket {
    ($($ty:ident),*) => {
        $(
            impl AsFd for $ty {
                fn as_fd(&self) -> BorrowedFd<'_> {
                    self.s.as_fd()
                }
            }

            impl AsRawFd for $ty {
                fn as_raw_fd(&self) -> RawFd {
                    self.as_fd().as_raw_fd()
                }
            }

            impl AsRef<Socket> for $ty {
                fn as_ref(&self) -> &Socket {
                    &self.s
                }
            }

            impl AsMut<Socket> for $ty {
                fn as_mut(&mut self) -> &mut Socket {
                    &mut self.s
                }
            }
        )*
    };
}

pub(super) use is_a_socket;
