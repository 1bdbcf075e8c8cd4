//! The types of `std::net`.
//!
//! On WASI these are this crate's own, method for method those of std, and
//! convert from and to std's through `From`. Elsewhere they are std's.
//!
//! Not reachable through WasmEdge's socket interface, so
//! [`Unsupported`](std::io::ErrorKind::Unsupported): `ttl`, `only_v6`, every
//! `multicast_*`, and `try_clone` (WASI cannot duplicate a descriptor).
//! `set_nodelay` has a runtime's small writes coalesced.

pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};

#[cfg(not(target_os = "wasi"))]
pub use std::net::{Incoming, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

#[cfg(target_os = "wasi")]
pub use self::{
    addrs::ToSocketAddrs,
    tcp::{Incoming, TcpListener, TcpStream},
    udp::UdpSocket,
};

#[cfg(target_os = "wasi")]
mod addrs;
#[cfg(target_os = "wasi")]
mod fd;
#[cfg(target_os = "wasi")]
mod tcp;
#[cfg(target_os = "wasi")]
mod udp;
#[cfg(any(unix, target_os = "wasi"))]
pub mod unix;
