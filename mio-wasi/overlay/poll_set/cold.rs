//! Cold sources, and the order in which they are probed.

use std::collections::VecDeque;

use super::super::direction::{Direction, Interest, Readiness, Ready};
use super::slot::{ReadState, Slot};
use super::{Entry, Key, PollSet, Probing};

/// A queue of slots that is gone round and round. Each has a ticket: of one that left
/// meanwhile the ticket is no longer valid, and it is dropped when it is met.
#[derive(Debug, Default)]
pub(super) struct ColdQueue {
    queue: VecDeque<(u32, u32)>,
    /// How many have a valid ticket.
    len: usize,
    last_ticket: u32,
}

impl ColdQueue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a slot at the end; returns its ticket.
    pub(super) fn push(&mut self, slot: u32) -> u32 {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        self.len += 1;
        self.queue.push_back((slot, self.last_ticket));
        self.last_ticket
    }

    /// The slot of one ticket is cold no longer.
    pub(super) fn leave(&mut self) {
        self.len -= 1;
    }

    /// The slot that comes next. It goes to the end.
    pub(super) fn next(&mut self, is_valid: impl Fn(u32, u32) -> bool) -> Option<u32> {
        while let Some((slot, ticket)) = self.queue.pop_front() {
            if is_valid(slot, ticket) {
                self.queue.push_back((slot, ticket));
                return Some(slot);
            }
        }
        None
    }

    /// All slots with their tickets, valid or not, which are still counted.
    pub(super) fn take_all(&mut self) -> VecDeque<(u32, u32)> {
        std::mem::take(&mut self.queue)
    }
}

impl PollSet {
    /// How many sources are cold.
    pub(crate) fn cold(&self) -> usize {
        self.cold.len()
    }

    /// The sources that may become cold, of which reading was armed `least` eras
    /// ago or earlier, with that age.
    pub(crate) fn armed_since(&self, least: u32) -> impl Iterator<Item = (u32, Entry)> + '_ {
        self.subscriptions
            .iter()
            .filter_map(move |(slot, direction)| {
                let source = self.slots[slot as usize].source.as_ref()?;
                let (Direction::Read, ReadState::Armed { era, .. }) = (direction, source.read)
                else {
                    return None;
                };
                let age = self.era.wrapping_sub(era);
                // A writer that waits is seldom, and would need both.
                let alone = source.armed() == Interest::READ;
                if age < least || !alone || !source.may_cool() {
                    return None;
                }
                Some((age, self.entry(slot)?))
            })
    }

    /// Makes reading of a source cold.
    pub(crate) fn cool(&mut self, key: Key) {
        let source = self.source_mut(key);
        if source.is_some_and(|source| matches!(source.read, ReadState::Armed { .. })) {
            let ticket = self.cold.push(key.slot);
            self.leave_read(key.slot, ReadState::Cold { ticket });
        }
    }

    /// The cold source that is to be probed next. It goes to the end of the
    /// queue.
    pub(crate) fn next_cold(&mut self) -> Option<Entry> {
        let PollSet { slots, cold, .. } = self;
        let slot = cold.next(|slot, ticket| is_cold(&slots[slot as usize], ticket))?;
        self.entry(slot)
    }

    /// Arms all cold sources.
    pub(crate) fn warm_all(&mut self) {
        for (slot, ticket) in self.cold.take_all() {
            if is_cold(&self.slots[slot as usize], ticket) {
                self.arm_slot(slot, Interest::READ);
            }
        }
    }

    /// A probe found that a source can be read, which is told. It is not awaited then.
    pub(crate) fn take_cold(&mut self, key: Key) -> Option<Readiness> {
        let ReadState::Cold { .. } = self.source_mut(key)?.read else {
            return None;
        };
        self.leave_read(key.slot, ReadState::Told);
        Some(self.source_mut(key)?.readiness(Ready::READABLE, false))
    }

    /// A source that cannot be probed is armed, for good.
    pub(crate) fn keep_warm(&mut self, key: Key) {
        if let Some(source) = self.source_mut(key) {
            source.probing = match source.probing {
                Probing::Untried | Probing::Forbidden => Probing::Forbidden,
                Probing::Allowed | Probing::Useless => Probing::Useless,
            };
            self.arm_slot(key.slot, Interest::READ);
        }
    }
}

/// Whether the ticket is that of the source that has this slot now.
fn is_cold(slot: &Slot, ticket: u32) -> bool {
    let source = slot.source.as_ref();
    source.is_some_and(|source| source.read == ReadState::Cold { ticket })
}
