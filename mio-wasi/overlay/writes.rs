//! Writes that the host layer coalesces, as those see them who wait: what they send before
//! a wait, and what they send on when there is room.

use wasmedge_host::coalesce::{Backlog, Sent};

/// Coalesced writes.
pub(crate) trait Writes {
    /// Sends them. Returns whether there are backlogs: bytes that the kernel did not take.
    fn flush(&mut self) -> bool;

    /// Lists the backlogs.
    fn backlogs(&mut self, into: &mut Vec<Backlog>);

    /// Tries to send a backlog.
    fn send_backlog(&mut self, fd: i32) -> Sent;

    /// An orphan (a socket that its owner has closed before its backlog was out) is waited
    /// for, and is not to be closed by anybody else.
    fn adopt(&mut self, fd: i32);

    /// An orphan is no longer waited for; once its backlog is out it is closed.
    fn close_orphan(&mut self, fd: i32);
}
