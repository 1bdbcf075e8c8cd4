//! The WasmEdge host layer: sockets, readiness and name lookup for
//! `wasm32-wasip1` programs, with the types of [`std::net`] on top.
//!
//! # Layers
//!
//! | module | holds | may be `unsafe` |
//! |---|---|---|
//! | [`backend`] | where sockets come from: one safe function per host function, every conversion | yes |
//! | `coalesce` | small writes that are sent together | no |
//! | `pending`, [`ready`], [`shut`] | errors met early; what operations used up; what was shut | no |
//! | [`dns`] | the resolver, without any I/O of its own but `blocking` | no |
//! | `fd`, [`lookup()`] | what a runtime needs, on borrowed file descriptors | no |
//! | `exit` | the end of the program | the function that C calls, and the one it is told of |
//! | `thread` | what `std::thread`'s waiting functions do meanwhile | the two functions that C calls |
//! | [`net`] | `TcpStream`, `TcpListener`, `UdpSocket`, `ToSocketAddrs` as in `std::net`; Unix sockets as in `std::os::unix::net` | `FromRawFd` only |
//!
//! Each module knows those above it in this table, and [`abi`], which all share.
//!
//! # What the host does, and what this layer makes of it
//!
//! * A failed host assertion ends the process. Address families, option sizes,
//!   lookup hints and buffer lengths are therefore fixed by types and never
//!   come from the caller.
//! * The host writes to sockets without raising `SIGPIPE` only through
//!   `sock_send` and `sock_send_to`. Nothing here uses `fd_write`.
//! * The host's accept can set non-blocking mode on the wrong socket. Accepting
//!   and setting the mode are two calls here.
//! * The host reaches options of level `SOL_SOCKET` only. `set_nodelay` has small
//!   writes coalesced; every other option of TCP, IP and
//!   IPv6 is [`ErrorKind::Unsupported`](std::io::ErrorKind::Unsupported).
//! * There is one thread. A blocking call blocks the whole program.
//!
//! WasmEdge 0.14 or newer is needed.
//!
//! # Other targets
//!
//! Off WASI, [`net`] is `std::net`, [`lookup()`] asks std, and [`abi`] and
//! [`Errno`] compile unchanged, so that code on top can be tested natively.

#![deny(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]
#![warn(clippy::undocumented_unsafe_blocks)]

#[cfg_attr(not(target_os = "wasi"), allow(dead_code))]
pub mod backend;
pub mod coalesce;
pub mod dns;
mod errno;
mod error_kind;
pub mod lookup;
pub mod net;
pub mod ready;
pub mod shut;

// Registers a function with the C library, and takes the place of another.
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod exit;
#[cfg(target_os = "wasi")]
pub mod fd;
#[cfg(any(target_os = "wasi", test))]
#[cfg_attr(not(target_os = "wasi"), allow(dead_code))]
mod pending;
// Defines two functions of the C library.
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
pub mod thread;
#[cfg(target_os = "wasi")]
mod unix_addr;

pub use backend::host::abi;
pub use errno::Errno;
pub use error_kind::with_native_kind;
pub use lookup::lookup;
