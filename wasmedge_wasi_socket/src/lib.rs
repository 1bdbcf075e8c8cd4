//! The API of `wasmedge_wasi_socket` 0.5.5, by its names and signatures, so that
//! programs written for it run on the [host layer](wasmedge_host) as they are.
//!
//! It adds nothing to what the host layer can do, and calls the host only through it.
//! Where 0.5.5 panics, hands the host too little room or reads an address wrongly,
//! this does what the name says; `docs/wasmedge_wasi_socket.md` has the table.
//!
//! | file | holds |
//! |---|---|
//! | `addrs.rs` | `ToSocketAddrs` |
//! | `names.rs` | `nslookup` and its kin |
//! | `resolve.rs` | `resolve`, which asks over a stream of the caller's |
//! | `tcp.rs`, `udp.rs` | `TcpStream`, `TcpListener`, `UdpSocket` |
//! | `socket/` | `Socket`, and the types of its signatures |
//! | `poll.rs` | waiting for readiness |
//! | `wasi_poll.rs` | the host's own form of that |
//!
//! # Features
//!
//! | feature | what it does |
//! |---|---|
//! | `foreign-types` (on by default) | the items whose signatures name types of dns-parser (`ToQType`, `resolve`) or of libc (`IovecRead::from`) |
//! | `wasi_poll` | the module `wasi_poll`, as published |
//! | `epoll` | no more than the name `epoll_oneoff` in that module: the host's other poll has nothing over the one that is used |
//!
//! Off WASI there is nothing, as in 0.5.5.

// Unsafe where the published signatures have pointers, and nowhere else.
#![deny(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]
#![warn(clippy::undocumented_unsafe_blocks)]
#![cfg(target_os = "wasi")]

// Whoever depends on this can tell from its metadata which facade of std it is built
// beside.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
extern crate wasmedge_std as _;

mod addrs;
mod names;
pub mod poll;
#[cfg(feature = "foreign-types")]
mod resolve;
pub mod socket;
mod tcp;
mod udp;
#[cfg(feature = "wasi_poll")]
pub mod wasi_poll;

pub use addrs::ToSocketAddrs;
pub use names::{nslookup, nslookup_with_dns_server, nslookup_with_host};
#[cfg(feature = "foreign-types")]
pub use resolve::{resolve, ToQType};
pub use tcp::{Incoming, TcpListener, TcpStream};
pub use udp::UdpSocket;

pub use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
