//! What the poller asks of the host, as a trait, so that a model of the host can
//! stand in for it in native tests.

use std::net::Shutdown;

use wasmedge_host::abi::{Event as HostEvent, Subscription};
use wasmedge_host::Errno;

use super::writes::Writes;

/// What the poller asks of the host.
pub(crate) trait Host {
    /// What coalesces writes.
    type Writes: Writes;

    /// `poll_oneoff`. `subscriptions` is never empty; `events` is as long.
    fn poll(
        &mut self,
        subscriptions: &[Subscription],
        events: &mut [HostEvent],
    ) -> Result<usize, Errno>;

    /// Monotonic clock, nanoseconds.
    fn now(&mut self) -> u64;

    /// Processor time that the program has used, nanoseconds.
    fn cpu_time(&mut self) -> u64;

    /// Whether the descriptor is a datagram socket (`SO_TYPE`).
    fn is_datagram(&mut self, fd: i32) -> bool;

    /// Whether a socket is in non-blocking mode.
    fn is_nonblocking(&mut self, fd: i32) -> bool;

    /// Whether reading from a non-blocking stream would not block. Must not take anything
    /// from whoever reads.
    fn probe(&mut self, fd: i32) -> Probe;

    /// Whether the socket has an error to tell. It is kept for the next operation on it.
    fn keep_error(&mut self, fd: i32) -> bool;

    /// Moves what the program has shut, of the descriptors that `is_ours`, to `into`.
    fn take_shut(&mut self, is_ours: impl Fn(i32) -> bool, into: &mut Vec<(i32, Shutdown)>);

    /// What writes are coalesced.
    fn writes(&mut self) -> &mut Self::Writes;

    /// A descriptor of the poller's own that can always be polled as readable;
    /// `None` where there is none to be had.
    fn always_ready(&mut self) -> Option<i32>;
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    Nothing,
    Something,
    /// The socket is no connection: its readiness is another matter.
    NoConnection,
}
