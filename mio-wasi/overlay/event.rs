//! What a poll found, and what mio asks about it.

use std::fmt;

use crate::Token;

pub(crate) type Events = Vec<Event>;

/// What a poll found about one source.
#[derive(Clone, Debug)]
pub struct Event {
    pub(super) token: Token,
    pub(super) readable: bool,
    pub(super) writable: bool,
    pub(super) read_closed: bool,
    pub(super) write_closed: bool,
    pub(super) error: bool,
    pub(super) priority: bool,
}

pub(crate) fn token(event: &Event) -> Token {
    event.token
}

pub(crate) fn is_readable(event: &Event) -> bool {
    event.readable
}

pub(crate) fn is_writable(event: &Event) -> bool {
    event.writable
}

pub(crate) fn is_error(event: &Event) -> bool {
    event.error
}

// The host tells of a hang-up only when both directions are down. One is known to be when
// the program has shut it, or has read its end.
pub(crate) fn is_read_closed(event: &Event) -> bool {
    event.read_closed
}

pub(crate) fn is_write_closed(event: &Event) -> bool {
    event.write_closed
}

pub(crate) fn is_priority(event: &Event) -> bool {
    event.priority
}

pub(crate) fn is_aio(_: &Event) -> bool {
    false
}

pub(crate) fn is_lio(_: &Event) -> bool {
    false
}

pub(crate) fn debug_details(f: &mut fmt::Formatter<'_>, event: &Event) -> fmt::Result {
    fmt::Debug::fmt(event, f)
}
