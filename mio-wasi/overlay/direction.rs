//! Directions: a single one, those that are asked about, and those that are ready; and
//! what a wait finds of a source.

/// One of the two directions of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

impl Direction {
    const fn bit(self) -> u8 {
        match self {
            Direction::Read => 1,
            Direction::Write => 2,
        }
    }
}

/// The directions that somebody asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interest(u8);

impl Interest {
    pub(crate) const NONE: Interest = Interest::new(false, false);
    pub(crate) const READ: Interest = Interest::new(true, false);
    pub(crate) const WRITE: Interest = Interest::new(false, true);
    pub(crate) const BOTH: Interest = Interest::new(true, true);
    /// Beside the directions: what epoll calls a priority event. Only edges are told of it.
    pub(crate) const PRIORITY: Interest = Interest(4);

    pub(crate) const fn new(read: bool, write: bool) -> Interest {
        Interest(read as u8 | (write as u8) << 1)
    }

    pub(crate) const fn has(self, direction: Direction) -> bool {
        self.0 & direction.bit() != 0
    }

    pub(crate) const fn has_priority(self) -> bool {
        self.0 & Interest::PRIORITY.0 != 0
    }

    pub(crate) const fn and(self, other: Interest) -> Interest {
        Interest(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Interest) -> Interest {
        Interest(self.0 & !other.0)
    }

    /// These directions, as ready.
    pub(crate) const fn as_ready(self) -> Ready {
        Ready(self.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The directions that are reported as ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready(u8);

impl Ready {
    pub(crate) const READABLE: Ready = Ready::of(Direction::Read);

    pub(crate) const fn new(readable: bool, writable: bool) -> Ready {
        Ready(readable as u8 | (writable as u8) << 1)
    }

    pub(crate) const fn of(direction: Direction) -> Ready {
        Ready(direction.bit())
    }

    pub(crate) const fn or(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }

    /// What of it somebody asked about.
    pub(crate) const fn within(self, interest: Interest) -> Ready {
        Ready(self.0 & interest.0)
    }

    pub(crate) const fn is_readable(self) -> bool {
        self.0 & Direction::Read.bit() != 0
    }

    pub(crate) const fn is_writable(self) -> bool {
        self.0 & Direction::Write.bit() != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// One thing that a wait found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// The token given at registration.
    pub(crate) token: usize,
    pub(crate) ready: Ready,
    /// Nothing more comes in than what is there.
    pub(crate) read_closed: bool,
    /// Nothing more goes out.
    pub(crate) write_closed: bool,
    /// The next operation on the descriptor is told of an error.
    pub(crate) error: bool,
    /// There is something to read out of turn.
    pub(crate) priority: bool,
}

impl Readiness {
    /// With nothing to add.
    pub(crate) fn of(token: usize, ready: Ready) -> Readiness {
        Readiness {
            token,
            ready,
            read_closed: false,
            write_closed: false,
            error: false,
            priority: false,
        }
    }
}
