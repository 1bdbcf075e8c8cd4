//! Where sockets come from. What is above knows these names, and not who answers.
//!
//! [`host`] is the functions that every WasmEdge has; [`plugin`] those of the plugin that
//! a WasmEdge may have. Where it has it, all sockets come from there. A socket's number
//! tells whose it is: `either` and `options` ask the right one. They give:
//!
//! | what | items |
//! |---|---|
//! | sockets | `open`, `pair`, `bind`, `listen`, `accept`, `connect`, `shutdown`, `local_addr`, `peer_addr`, `is_connected` |
//! | data | `recv`, `recv_flagged`, `recv_from`, `send`, `send_to`, and both out of band, with `RecvBufs` and `SendBufs` |
//! | addresses | `Addr`: an IP address with its port, or a Unix path, in the backend's own form |
//! | options | `int`, `set_int`, `time`, `set_time`, `linger`, `set_linger`, `device`, `set_device`, `set_bytes`, `socket_error`; of the plugin's sockets all others: `system`, `set_system` |
//! | descriptors | `is_nonblocking`, `set_nonblocking`, `is_open` |
//! | waiting | `wait`, `sleep`, `check_pollable`, `monotonic_now`, `processor_time`; for the selector `poll` and `poll_uninterrupted`, or [`plugin`]'s epoll |
//! | names | `addrinfo`, `addrs` |
//!
//! All of them are safe to call with anything that their types allow. Sockets are
//! given by number: a number that is not open is an error, `BADF`. Errors are
//! [`Errno`](crate::Errno)s; no call retries, keeps a note, or sends anything else
//! first: that is the work of `fd`.

pub mod host;
#[cfg_attr(not(target_os = "wasi"), allow(dead_code))]
pub mod plugin;

#[cfg(target_os = "wasi")]
mod addr;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod bufs;
#[cfg(target_os = "wasi")]
mod either;
#[cfg(target_os = "wasi")]
mod options;

/// Bytes of a Unix address in the host's form, and in Linux's `sockaddr_un`.
pub const UNIX_PATH_LEN: usize = 108;

#[cfg(target_os = "wasi")]
pub use self::{
    addr::Addr,
    bufs::{RecvBufs, SendBufs},
    either::{
        accept, bind, check_pollable, connect, duplicate, is_connected, is_nonblocking, is_open,
        listen, local_addr, open, pair, peer_addr, recv, recv_flagged, recv_from, recv_out_of_band,
        send, send_out_of_band, send_to, set_nonblocking, shutdown, wait,
    },
    host::{
        addrinfo, addrs, monotonic_now, poll, poll_foreign, poll_uninterrupted, processor_time,
        sleep, Direction, Hints, IntOption, LookedUp, TimeOption, Waited, CANONNAME,
    },
    options::{
        device, int, linger, set_bytes, set_device, set_int, set_linger, set_system, set_time,
        socket_error, system, time, SystemOption,
    },
};
