//! The functions of the plugin `tokio_wasmedge`, where WasmEdge has it.
//! docs/plugin.md is the reference of them.
//!
//! | file | holds | may be `unsafe` |
//! |---|---|---|
//! | `stubs.rs` | the plugin's functions, as long as there is none | exported names |
//! | `errno.rs` | the system's error numbers as WASI's | no |
//! | `sockaddr.rs` | the system's socket addresses | no |
//! | `socket.rs`, `options.rs`, `poll.rs`, `epoll.rs`, `signals.rs` | one safe function per function | yes |
//! | `wasi.rs`, `wasi_poll.rs` | WASI's functions, for what std and the C library hold | yes |
//!
//! The plugin's numbers have bit 31 set, and so are negative here; WASI's are not. A
//! number tells whose it is.

#[cfg_attr(not(target_os = "wasi"), allow(dead_code))]
mod errno;
#[cfg_attr(not(target_os = "wasi"), allow(dead_code))]
mod sockaddr;

#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod epoll;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod options;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod poll;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod signals;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod socket;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod stubs;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod wasi;
#[cfg(target_os = "wasi")]
#[allow(unsafe_code)]
mod wasi_poll;

pub use sockaddr::SockAddr;

#[cfg(target_os = "wasi")]
pub use self::{
    epoll::{stdin, Epoll, EpollEvent},
    errno::errno,
    options::{get_option, set_option, set_option_bytes},
    poll::{poll, wait, PollEntry},
    signals::Signals,
    socket::{
        accept, bind, connect, duplicate, is_nonblocking, is_open, listen, local_addr, open, pair,
        peer_addr, recv, recv_flagged, recv_from, recv_out_of_band, send, send_out_of_band,
        send_to, set_nonblocking, shutdown,
    },
};

use std::os::fd::RawFd;

/// The number of the interface that this layer needs.
#[cfg(target_os = "wasi")]
const ABI: i64 = 1;

/// Whether the number is one of the plugin's.
#[inline]
pub fn owns(fd: RawFd) -> bool {
    fd < 0
}

/// Whether sockets come from the plugin.
#[cfg(target_os = "wasi")]
#[inline]
pub fn is_there() -> bool {
    use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

    const UNKNOWN: u8 = 0;
    const ABSENT: u8 = 1;
    const THERE: u8 = 2;
    static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);

    match ANSWER.load(Relaxed) {
        UNKNOWN => {
            // A stub's answer is negative.
            let is_there = stubs::version() & 0xffff >= ABI && stubs::version() > 0;
            ANSWER.store(if is_there { THERE } else { ABSENT }, Relaxed);
            is_there
        }
        answer => answer == THERE,
    }
}
