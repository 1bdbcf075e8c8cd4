//! The API of the crate's releases 0.5, by their names and signatures, so that
//! programs written for one of them run on this layer as they are.
//!
//! It adds nothing to what [`net`](crate::net) and [`fd`](crate::fd) can do and
//! calls the host only through them. Where 0.5.5 panics, hands the host too
//! little room or reads an address wrongly, this does what the name says;
//! `docs/wasmedge_wasi_socket.md` has the table.
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
