//! `libc` for a crate ported to WasmEdge.
//!
//! On `wasm32-wasip1`, libc has no sockets. A ported crate says
//!
//! ```ignore
//! extern crate wasmedge_libc as libc;
//! ```
//!
//! in its root, and every `libc::…` path in it leads here: to the real libc, and
//! to the socket functions, types and constants of POSIX, over the sockets of
//! `wasmedge_host`, and to the functions for the machine's names. On every other target this is libc, unchanged.
//!
//! As in C, functions return -1 and set `errno` when they fail. What WasmEdge's
//! socket interface does not reach fails with `ENOTSUP`, which std reports as
//! [`Unsupported`](std::io::ErrorKind::Unsupported). `TCP_NODELAY` has a
//! runtime's small writes coalesced, see the host layer's `coalesce`.

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(clippy::undocumented_unsafe_blocks)]

// Whoever depends on this can tell from its metadata which facade of std it is built
// beside.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
extern crate wasmedge_std as _;

pub use libc::*;

#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod names;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod socket;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub use names::{gethostname, node_name, sethostname, uname, utsname};
// Name by name: only so do these take precedence over libc's own.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub use socket::{
    functions::{
        accept, accept4, bind, connect, getpeername, getsockname, listen, recv, recvfrom, send,
        sendto, shutdown, socket, socketpair,
    },
    messages::{recvmsg, sendmsg},
    options::{getsockopt, setsockopt},
    poll::poll,
    types::{
        in6_addr, in_addr, in_addr_t, in_port_t, ip_mreq, ip_mreq_source, ip_mreqn, ipv6_mreq,
        linger, msghdr, sa_family_t, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage,
        sockaddr_un, socklen_t, AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC, IPPROTO_ICMP,
        IPPROTO_ICMPV6, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP, IPV6_ADD_MEMBERSHIP,
        IPV6_DROP_MEMBERSHIP, IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, IPV6_MULTICAST_HOPS,
        IPV6_MULTICAST_IF, IPV6_MULTICAST_LOOP, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS,
        IPV6_UNICAST_HOPS, IPV6_V6ONLY, IP_ADD_MEMBERSHIP, IP_ADD_SOURCE_MEMBERSHIP,
        IP_DROP_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP, IP_HDRINCL, IP_MULTICAST_IF,
        IP_MULTICAST_LOOP, IP_MULTICAST_TTL, IP_RECVTOS, IP_TOS, IP_TTL, MSG_EOR, MSG_NOSIGNAL,
        MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, SHUT_RD, SHUT_RDWR, SHUT_WR, SOCK_CLOEXEC,
        SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET,
        SO_ACCEPTCONN, SO_BROADCAST, SO_DOMAIN, SO_ERROR, SO_KEEPALIVE, SO_LINGER, SO_OOBINLINE,
        SO_PROTOCOL, SO_RCVBUF, SO_RCVTIMEO, SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF, SO_SNDTIMEO,
        SO_TYPE, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_MAXSEG, TCP_NODELAY,
    },
};
