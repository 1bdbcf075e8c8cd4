//! mio on WasmEdge.
//!
//! What mio asks of a platform is listed in `sys/mod.rs`; here is where it is:
//!
//! | mio's contract | file |
//! |---|---|
//! | `Selector` | `selector.rs` |
//! | `Event`, `Events`, `event` | `event.rs` |
//! | `IoSourceState` | `io_source.rs` |
//! | `tcp`, `udp`, `uds` | `net.rs` |
//! | `mio::Waker` | `waker.rs` |
//! | `mio::wasi` | `source_fd.rs`, `shared.rs`, `signal.rs` |
//!
//! `polls.rs` is what polls share. They wait with one of two, which `program.rs` chooses:
//!
//! * the plugin's epoll: `edge_poller.rs`, over the trait that `plugin.rs` has for it;
//! * the host's poll: `poller` (one wait), `poll_set` (what is armed), `pace.rs` (how often
//!   all of it is polled), `speculative.rs` (what need not be asked about) and `backoff.rs`
//!   (what cannot be waited for), over the trait in `host.rs`, which `wasmedge.rs` has for
//!   WasmEdge.
//!
//! But for `program.rs`, `plugin.rs`, `wasmedge.rs` and `coalesced.rs` these know nothing of
//! mio and the host, and are tested natively.
//!
//! # Limits
//!
//! * One thread: a waker cannot interrupt a wait, it makes the next one return.
//! * Regular files are refused at registration with `PermissionDenied`, as
//!   epoll refuses them.
//! * A `SourceFd` is armed by registering it, and again only by
//!   re-registering it: mio does not see the I/O that is done on it.
//! * A half-closed peer is seen by reading 0 bytes; `is_read_closed` is true
//!   only when that was done, the program has shut reading, or both directions are down.
//! * Of a source that was told to be readable and then left alone nothing more is told
//!   until it is read from, but for the program's own shutdown.

mod backoff;
mod coalesced;
mod cost;
mod direction;
mod edge_poller;
pub(crate) mod event;
mod host;
mod pace;
mod plugin;
mod poll_set;
mod poller;
mod polls;
mod program;
mod registration;
mod selector;
mod signals;
mod speculative;
mod waiter;
mod wasmedge;
mod writes;

pub(crate) use self::event::{Event, Events};
pub(crate) use self::selector::{
    close_listener, listen, poll_signal, wait_beside, Selector,
};
pub(crate) use self::signals::ListenerId;

cfg_io_source! {
    mod io_source;
    pub(crate) use self::io_source::IoSourceState;

    #[cfg(feature = "net")]
    use self::net::take_accepted as is_accepted;

    #[cfg(not(feature = "net"))]
    fn is_accepted(_: std::os::fd::RawFd) -> bool {
        false
    }
}

cfg_net! {
    mod net;
    pub(crate) use self::net::{tcp, udp, uds};
}
