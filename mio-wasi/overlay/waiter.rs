//! What the polls of the program need of whatever waits for their sources: the host's
//! poll ([`Poller`](super::poller::Poller)) or a plugin's epoll
//! ([`EdgePoller`](super::edge_poller::EdgePoller)).

use std::task::Waker;

use wasmedge_host::Errno;

use super::direction::{Interest, Readiness};
use super::registration::{Key, Owner, RegisterError};

/// Waits for the sources that are registered with it, for all polls of the program.
///
/// A source is registered under a number, which its readiness names as the token.
pub(crate) trait Waiter {
    /// Registers a descriptor. Whatever is ready of `interest` is found by the next wait.
    fn insert(
        &mut self,
        fd: i32,
        number: usize,
        interest: Interest,
        owner: Owner,
    ) -> Result<Key, RegisterError>;

    /// Changes the interest. What is ready of it is found by the next wait, whatever was
    /// found before. A key that is not live changes nothing.
    fn update(&mut self, key: Key, interest: Interest);

    /// Forgets a registration, before the descriptor is closed.
    fn remove(&mut self, key: Key);

    /// The number of a registration, if the key is live.
    fn number(&self, key: Key) -> Option<usize>;

    /// Finds the registration of `fd`, for sources that keep no key.
    fn find(&self, fd: i32) -> Option<Key>;

    /// Makes the next (or current) wait return at once, and find `number` readable.
    fn wake(&mut self, number: usize);

    /// Takes a wake back.
    fn forget_wake(&mut self, number: usize);

    /// Sends coalesced writes, as a wait does first.
    fn flush(&mut self);

    /// Monotonic clock, nanoseconds.
    fn now(&mut self) -> u64;

    /// Waits until a source is ready, a wake is pending or `timeout` nanoseconds are over;
    /// `None` waits without end. May return early, without having found anything.
    ///
    /// # Errors
    ///
    /// What the host answers to the call as a whole; errors of single sources are
    /// reported as their readiness.
    fn wait(&mut self, timeout: Option<u64>, report: impl FnMut(Readiness)) -> Result<(), Errno>;

    /// Moves the wakers of whoever waits for what is no source, and was found by the last
    /// wait.
    fn take_wakers(&mut self, into: &mut Vec<Waker>) {
        let _ = into;
    }
}
