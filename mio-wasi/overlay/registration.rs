//! How a source is registered: what names it, who does its I/O, and why it cannot be.

use wasmedge_host::Errno;

/// Names one registration. A key that outlives its registration matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl Key {
    /// Whether `other` names this or another registration at the same place. At most one
    /// of all of those is live.
    pub(crate) fn shares(self, other: Key) -> bool {
        self.slot == other.slot
    }
}

/// Who does the I/O on a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// mio, through the host layer: the source may be probed.
    Mio,
    /// mio, and the socket was just accepted: it is connected, and nothing has
    /// been sent on it.
    MioAccepted,
    /// mio, and the socket waits for connections: it is never writable, and asking about
    /// that (as tokio does) is not worth a subscription.
    MioListener,
    /// Somebody else, unseen.
    Foreign,
}

/// Why a source cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegisterError {
    /// The descriptor is registered already, with this poll or another one of the
    /// program.
    AlreadyRegistered,
    /// It cannot be waited for.
    Refused(Errno),
}
