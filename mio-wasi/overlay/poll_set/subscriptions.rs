//! The array of armed subscriptions, as the host is given it.
//!
//! Arming appends, disarming moves the last one into the gap, and no poll rebuilds the
//! array. What has been armed since the last poll stands at its end: while polls are
//! skipped, those are the ones to probe. The number of a source's slot travels in the
//! user data and comes back with the event, so no event needs a lookup.

use wasmedge_host::abi::Subscription;

use super::super::direction::Direction;

/// What leads the subscriptions of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Nothing: the wait has no end.
    Nothing,
    /// A relative clock, in nanoseconds.
    Clock(u64),
    /// A descriptor that is always ready to read: the poll returns at once.
    Ready(i32),
}

/// User data of the head; no slot has this number.
pub(crate) const CLOCK: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Subscriptions {
    /// Index 0 is kept for the head, whether or not a poll uses it.
    array: Vec<Subscription>,
    /// Those from here on have been armed since the last poll.
    new: usize,
    /// Which of the new ones was named last.
    cursor: usize,
}

impl Subscriptions {
    pub(super) fn new() -> Subscriptions {
        Subscriptions {
            array: vec![Subscription::clock_relative(CLOCK, 0)],
            new: 1,
            cursor: 0,
        }
    }

    /// How many there are, the head not counted.
    pub(super) fn len(&self) -> usize {
        self.array.len() - 1
    }

    /// How many were added since the last poll.
    pub(super) fn added_since_poll(&self) -> usize {
        self.array.len() - self.new
    }

    /// Adds one; returns its position, which is never 0.
    pub(super) fn push(&mut self, slot: u32, direction: Direction, fd: i32) -> u32 {
        let at = self.array.len() as u32;
        let userdata = pack(slot, direction);
        self.array.push(match direction {
            Direction::Read => Subscription::read(userdata, fd),
            Direction::Write => Subscription::write(userdata, fd),
        });
        at
    }

    /// Takes the one at this position out. Others may move: `moved` is told the new
    /// positions, and once that of the one that goes.
    pub(super) fn remove(&mut self, at: u32, mut moved: impl FnMut(u32, Direction, u32)) {
        let mut at = at as usize;
        let mut note = |array: &[Subscription], at: usize| {
            let there = array.get(at);
            if let Some((slot, direction)) = there.and_then(|there| unpack(there.userdata())) {
                moved(slot, direction, at as u32);
            }
        };
        if at < self.new {
            // The gap goes to the end of the old ones, so that the new ones stay
            // together.
            self.new -= 1;
            self.array.swap(at, self.new);
            note(&self.array, at);
            at = self.new;
        }
        self.array.swap_remove(at);
        note(&self.array, at);
    }

    /// All of them, led by `head`, for a poll.
    pub(super) fn for_poll(&mut self, head: Head) -> &[Subscription] {
        self.new = self.array.len();
        self.array[0] = match head {
            Head::Nothing => return &self.array[1..],
            Head::Clock(nanoseconds) => Subscription::clock_relative(CLOCK, nanoseconds),
            Head::Ready(fd) => Subscription::read(CLOCK, fd),
        };
        &self.array
    }

    /// Goes round among those that were added since the last poll, and names one.
    pub(super) fn next_new(&mut self) -> Option<(u32, Direction)> {
        let count = self.added_since_poll();
        if count == 0 {
            return None;
        }
        self.cursor = (self.cursor + 1) % count;
        unpack(self.array[self.new + self.cursor].userdata())
    }

    /// The slot and direction of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Direction)> + '_ {
        self.array[1..]
            .iter()
            .filter_map(|armed| unpack(armed.userdata()))
    }
}

/// The user data under which a direction's event comes.
pub(super) fn pack(slot: u32, direction: Direction) -> u64 {
    u64::from(slot) << 1 | u64::from(direction == Direction::Write)
}

/// `None` for the head's.
pub(super) fn unpack(userdata: u64) -> Option<(u32, Direction)> {
    let slot = u32::try_from(userdata >> 1).ok()?;
    let direction = match userdata & 1 {
        0 => Direction::Read,
        _ => Direction::Write,
    };
    Some((slot, direction))
}
