//! WasmEdge's own functions: `sock_*` and `poll_oneoff` of its WASI module.
//!
//! | file | holds | may be `unsafe` |
//! |---|---|---|
//! | `abi.rs` | the structs and enums that cross the border, layouts asserted | no |
//! | `imports.rs` | the host's functions, as the host declares them | declarations |
//! | `conv.rs` | every conversion: addresses, ports, errors | no |
//! | `socket.rs`, `options.rs`, `poll.rs`, `lookup.rs` | one safe function per import | yes |
//! | `wait.rs` | waiting for one socket, with what the host's poll gets wrong | no |
//!
//! Every argument that the host would abort, hang or overrun on cannot be passed:
//! families, option sizes, lookup hints and lengths are fixed by types.

pub mod abi;
pub(crate) mod conv;

// The modules that call the host.
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod imports;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod lookup;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod options;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod poll;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod socket;
#[cfg(target_os = "wasi")]
mod wait;

pub use conv::HostAddr;

#[cfg(target_os = "wasi")]
pub use self::{
    lookup::{addrinfo, addrs, Hints, LookedUp, CANONNAME},
    options::{
        device, int, linger, set_bytes, set_device, set_int, set_linger, set_time, socket_error,
        time, IntOption, TimeOption,
    },
    poll::{monotonic_now, poll, poll_foreign, poll_uninterrupted, processor_time},
    socket::{
        accept, bind, connect, is_nonblocking, is_open, listen, local_addr, open, peer_addr,
        recv_flagged, recv_from, send, send_to, set_nonblocking, shutdown,
    },
    wait::{check_pollable, sleep, wait, Direction, Waited},
};
