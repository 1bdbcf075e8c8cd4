//! One registered source, and the state of each of its directions.

use super::super::direction::{Direction, Interest, Readiness, Ready};
use super::super::registration::Owner;

/// What kind of socket a source is; asked of the host only when it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unknown,
    Stream,
    Datagram,
}

/// How it can be found out, without a poll, whether a source can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probing {
    /// Nobody has asked the host yet whether the socket is in non-blocking mode.
    Untried,
    /// The socket is in non-blocking mode, so a probe does not wait.
    Allowed,
    /// The socket is in non-blocking mode, but no connection. Its owner may be told
    /// that it is ready, and finds out by itself.
    Useless,
    /// Only a poll tells: the socket is in blocking mode, or its I/O is unseen.
    Forbidden,
}

/// Why reading was taken for ready without asking the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speculation {
    /// The source was served a moment ago.
    Served,
    /// The connection is new.
    Accepted,
}

/// Where the reading side of a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadState {
    /// Not waited for: it is of no interest, or in back-off.
    Idle,
    /// Not waited for: it has been told that it is ready, and nothing was done about it.
    Told,
    /// Not waited for: something was taken since it was told, and it is not known whether
    /// there is more. Is armed before the next poll.
    Taken,
    /// In the array of subscriptions, since this era.
    Armed { at: u32, era: u32 },
    /// Left out of the array and probed from time to time, under this ticket of the queue.
    Cold { ticket: u32 },
    /// Is reported as ready at the next wait.
    Speculative,
}

/// Where the writing side of a source stands. A writer that waits is never cold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteState {
    /// Not waited for: it is of no interest, or in back-off.
    Idle,
    /// Not waited for: it has been told that there is room, and no write has found it
    /// gone.
    Told,
    /// In the array of subscriptions.
    Armed { at: u32 },
    /// Is reported as ready at the next wait.
    Speculative,
}

/// A registered source.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) fd: i32,
    pub(super) token: usize,
    pub(super) interest: Interest,
    pub(super) owner: Owner,
    pub(super) kind: Kind,
    pub(super) probing: Probing,
    pub(super) read: ReadState,
    pub(super) write: WriteState,
    /// Reading was taken for ready, and it is not known yet whether rightly.
    pub(super) unsettled: Option<Speculation>,
    /// An event has told that it can be written to.
    pub(super) told_writable: bool,
    /// It is in the list of those that something was taken from.
    pub(super) listed_taken: bool,
    /// The directions that are known to be closed: the program has shut them, or has read
    /// the end.
    pub(super) closed: Interest,
}

impl Source {
    /// A source of which neither direction is waited for yet.
    pub(super) fn new(fd: i32, token: usize, interest: Interest, owner: Owner) -> Source {
        Source {
            fd,
            token,
            interest: attainable(interest, owner),
            owner,
            kind: match owner {
                Owner::MioAccepted => Kind::Stream,
                Owner::Mio | Owner::MioListener | Owner::Foreign => Kind::Unknown,
            },
            probing: match owner {
                Owner::MioAccepted => Probing::Allowed,
                Owner::Mio | Owner::MioListener => Probing::Untried,
                Owner::Foreign => Probing::Forbidden,
            },
            read: ReadState::Idle,
            write: WriteState::Idle,
            unsettled: None,
            told_writable: false,
            listed_taken: false,
            closed: Interest::NONE,
        }
    }

    /// Replaces token and interest.
    pub(super) fn reregister(&mut self, token: usize, interest: Interest) {
        self.token = token;
        self.interest = attainable(interest, self.owner);
    }

    /// What is told of the source when `ready` was found, or `hang_up`: as epoll does,
    /// also that other directions are ready, where that is known.
    pub(super) fn readiness(&self, ready: Ready, hang_up: bool) -> Readiness {
        let hang_up = hang_up || self.closed == Interest::BOTH;
        let known = match hang_up {
            true => Interest::BOTH,
            false => Interest::new(self.read == ReadState::Told, self.write == WriteState::Told),
        };
        let ready = ready.or(known.as_ready()).within(self.interest);
        let read_ended = self.closed.has(Direction::Read) && ready.is_readable();
        Readiness {
            read_closed: hang_up || read_ended,
            write_closed: hang_up,
            ..Readiness::of(self.token, ready)
        }
    }

    /// The directions that are in the array of subscriptions.
    pub(super) fn armed(&self) -> Interest {
        Interest::new(
            matches!(self.read, ReadState::Armed { .. }),
            matches!(self.write, WriteState::Armed { .. }),
        )
    }

    /// The position of an armed direction.
    pub(super) fn position_mut(&mut self, direction: Direction) -> Option<&mut u32> {
        match (direction, &mut self.read, &mut self.write) {
            (Direction::Read, ReadState::Armed { at, .. }, _)
            | (Direction::Write, _, WriteState::Armed { at }) => Some(at),
            _ => None,
        }
    }

    /// Whether reading may become cold.
    pub(super) fn may_cool(&self) -> bool {
        matches!(self.probing, Probing::Untried | Probing::Allowed)
    }
}

/// What of `interest` can ever come to pass.
fn attainable(interest: Interest, owner: Owner) -> Interest {
    match owner {
        Owner::MioListener => interest.and(Interest::READ),
        Owner::Mio | Owner::MioAccepted | Owner::Foreign => interest,
    }
}

/// A place for a registration. Its generation tells former ones from the current one.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) generation: u32,
    pub(super) source: Option<Source>,
}
