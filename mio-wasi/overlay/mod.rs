//! mio on WasmEdge.
//!
//! What mio asks of a platform is listed in `sys/mod.rs`; here is where it is:
//!
//! | mio's contract | file |
//! |---|---|
//! | `Selector`, `Event`, `Events`, `event`, `IoSourceState` | `selector.rs` |
//! | `tcp`, `udp`, `uds` | `net.rs` |
//! | `mio::Waker` | `waker.rs` |
//! | `mio::wasi::SourceFd` | `source_fd.rs` |
//!
//! `poller.rs` (one wait), `poll_set.rs` (what is armed), `pace.rs` (how often
//! all of it is looked at), `presumption.rs` (what need not be looked at) and
//! `parked.rs` (what cannot be waited for) know nothing of mio and nothing of the
//! host; they are tested natively.
//!
//! # Limits
//!
//! * One thread: a waker cannot interrupt a wait, it makes the next one return.
//! * Regular files are refused at registration with `PermissionDenied`, as
//!   epoll refuses them.
//! * A `SourceFd` is armed by registering it, and again only by
//!   re-registering it: mio does not see the I/O that is done on it.
//! * A half-closed peer is seen by reading 0 bytes; `is_read_closed` is true
//!   only when both directions are down.

mod pace;
mod parked;
mod poll_set;
mod poller;
mod presumption;
mod selector;

pub(crate) use self::selector::{event, Event, Events, Selector};

cfg_io_source! {
    pub(crate) use self::selector::IoSourceState;

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
