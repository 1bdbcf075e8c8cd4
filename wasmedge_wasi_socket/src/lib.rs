//! The WasmEdge host layer: sockets, readiness and name lookup for
//! `wasm32-wasip1` programs, behind the API of [`std::net`]; and, at the root of
//! the crate, that of `wasmedge_wasi_socket` 0.5.5 as published.
//!
//! # Layers
//!
//! | module | holds | may be `unsafe` |
//! |---|---|---|
//! | [`abi`] | the structs and enums that cross the border, layouts asserted | no |
//! | `imports` | the host's functions, as the host declares them | declarations |
//! | `sys` | one safe function per import; every argument the host would abort, hang or overrun on cannot be passed | yes |
//! | `conv` | addresses in the host's form | no |
//! | [`dns`] | the resolver, without any I/O of its own | no |
//! | `fd`, [`lookup()`] | what a runtime needs, on borrowed file descriptors | no |
//! | `gather` | small writes that are sent together | no |
//! | `exit` | the end of the program | the function that C calls, and the one it is told of |
//! | `thread` | what `std::thread`'s waiting functions do meanwhile | the two functions that C calls |
//! | [`net`] | `TcpStream`, `TcpListener`, `UdpSocket`, `ToSocketAddrs` as in `std::net`; Unix sockets as in `std::os::unix::net` | `FromRawFd` only |
//! | `v0_5` | the published API: `TcpStream` and so on at the root, `socket`, `poll` | where its signatures have pointers |
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
//!   writes gathered; every other option of TCP, IP and
//!   IPv6 is [`ErrorKind::Unsupported`](std::io::ErrorKind::Unsupported).
//! * There is one thread. A blocking call blocks the whole program.
//!
//! WasmEdge 0.14 or newer is needed.
//!
//! # Features
//!
//! | feature | what it does |
//! |---|---|
//! | `foreign-types` (on by default) | the items of the published API whose signatures name types of dns-parser (`ToQType`, `resolve`) or of libc (`IovecRead::from`) |
//! | `wasi_poll` | the module `wasi_poll`, as published |
//! | `epoll` | no more than the name `epoll_oneoff` in that module: the host's other poll has nothing over the one that is used |
//!
//! # Other targets
//!
//! Off WASI, [`net`] is `std::net`, [`lookup()`] asks std, and [`abi`] and
//! [`Errno`] compile unchanged, so that code on top can be tested natively. Of
//! the published API there is nothing, as in 0.5.5.

#![deny(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]
#![warn(clippy::undocumented_unsafe_blocks)]

pub mod abi;
mod conv;
pub mod dns;
mod errno;
// Elsewhere it is there for the tests, and for those of what is on top.
#[cfg_attr(not(target_os = "wasi"), allow(dead_code))]
pub mod gather;
pub mod lookup;
pub mod net;
pub mod ready;

#[cfg(target_os = "wasi")]
pub mod fd;
#[cfg(target_os = "wasi")]
mod imports;
// Registers a function with the C library, and takes the place of another.
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod exit;
#[cfg(any(target_os = "wasi", test))]
#[cfg_attr(not(target_os = "wasi"), allow(dead_code))]
mod pending;
// The one module that calls the host.
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod sys;
// Defines two functions of the C library.
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
pub mod thread;
#[cfg(target_os = "wasi")]
mod v0_5;

pub use errno::Errno;
pub use lookup::lookup;

#[cfg(target_os = "wasi")]
pub use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
#[cfg(all(target_os = "wasi", feature = "wasi_poll"))]
pub use v0_5::wasi_poll;
#[cfg(target_os = "wasi")]
pub use v0_5::{
    nslookup, nslookup_with_dns_server, nslookup_with_host, poll, socket, Incoming, TcpListener,
    TcpStream, ToSocketAddrs, UdpSocket,
};
#[cfg(all(target_os = "wasi", feature = "foreign-types"))]
pub use v0_5::{resolve, ToQType};
