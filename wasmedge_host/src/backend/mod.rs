//! Where sockets come from. What is above knows these names, and not who answers.
//!
//! There is one backend today: [`host`], the functions that every WasmEdge has. A
//! second one, for a plugin of WasmEdge, is meant to stand beside it. Whatever a
//! backend is, it gives:
//!
//! | what | items |
//! |---|---|
//! | sockets | `open`, `bind`, `listen`, `accept`, `connect`, `shutdown`, `local_addr`, `peer_addr`, `is_connected` |
//! | data | `recv`, `recv_flagged`, `recv_from`, `send`, `send_to`, with `RecvBufs` and `SendBufs` |
//! | addresses | [`HostAddr`]: an IP address with its port, or a Unix path, in the backend's own form |
//! | options | `int`, `set_int`, `time`, `set_time`, `linger`, `set_linger`, `device`, `set_device`, `set_bytes`, `socket_error` |
//! | descriptors | `is_nonblocking`, `set_nonblocking`, `is_open` |
//! | waiting | `wait`, `sleep`, `check_pollable`, `monotonic_now`, `processor_time`; for the selector `poll` and `poll_uninterrupted` |
//! | names | `addrinfo`, `addrs` |
//!
//! All of them are safe to call with anything that their types allow. Sockets are
//! given by number: a number that is not open is an error, `BADF`. Errors are
//! [`Errno`](crate::Errno)s; no call retries, keeps a note, or sends anything else
//! first: that is the work of `fd`.

pub mod host;

pub use host::{HostAddr, UNIX_PATH_LEN};

#[cfg(target_os = "wasi")]
pub use host::{
    accept, addrinfo, addrs, bind, check_pollable, connect, device, int, is_connected,
    is_nonblocking, is_open, linger, listen, local_addr, monotonic_now, open, peer_addr, poll,
    poll_foreign, poll_uninterrupted, processor_time, recv, recv_flagged, recv_from, send, send_to,
    set_bytes, set_device, set_int, set_linger, set_nonblocking, set_time, shutdown, sleep,
    socket_error, time, wait, Direction, Hints, IntOption, LookedUp, RecvBufs, SendBufs,
    TimeOption, Waited, CANONNAME,
};
