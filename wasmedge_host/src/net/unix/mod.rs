//! The types of `std::os::unix::net`.
//!
//! On WASI these are this crate's own. They work where WasmEdge runs with
//! `--allow-af-unix`; otherwise opening one is
//! [`Unsupported`](std::io::ErrorKind::Unsupported). On Unix they are std's.
//!
//! * A path is one of the host's, relative to the directory that WasmEdge was
//!   started in: the folders that were opened to the program (`--dir`) have no part
//!   in it. Removing a socket's file is an operation on files, which goes through
//!   those folders: use a path that is the same on both sides.
//! * With the plugin the rest is as natively, but for ancillary data, for which there are
//!   no methods. Without it:
//! * The host passes names of the abstract namespace on with zeros up to 107 bytes.
//!   A shorter name would be another one than natively, so using one is
//!   `Unsupported`.
//! * `pair`, `try_clone`, and binding without a name are `Unsupported`.
//! * [`UnixDatagram::recv_from`] makes the host print a warning on its standard
//!   output when the sender has no name; from 0.17 on it has `--log-level error`
//!   against that. A connected socket's does not ask.

#[cfg(all(unix, not(target_os = "wasi")))]
pub use std::os::unix::net::{Incoming, SocketAddr, UnixDatagram, UnixListener, UnixStream};

#[cfg(target_os = "wasi")]
mod datagram;
#[cfg(target_os = "wasi")]
mod listener;
#[cfg(target_os = "wasi")]
mod shared;
#[cfg(target_os = "wasi")]
mod stream;

#[cfg(target_os = "wasi")]
pub use self::{
    datagram::UnixDatagram,
    listener::{Incoming, UnixListener},
    stream::UnixStream,
};
#[cfg(target_os = "wasi")]
pub use crate::unix_addr::SocketAddr;
