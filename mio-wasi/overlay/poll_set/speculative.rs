//! Directions that are reported as ready at the next wait without asking the host.

use std::mem;

use super::super::direction::{Direction, Interest, Readiness, Ready};
use super::slot::{ReadState, WriteState};
use super::{Key, PollSet, Speculation};

impl PollSet {
    /// Takes reading for ready, if the registration is interested in it.
    pub(crate) fn speculate_reading(&mut self, key: Key, why: Speculation) {
        let Some(source) = self.source_mut(key) else {
            return;
        };
        if source.interest.has(Direction::Read) {
            source.unsettled = Some(why);
            self.list_speculative(key);
            self.leave_read(key.slot, ReadState::Speculative);
        }
    }

    /// Takes writing for ready, if the registration is interested in it.
    pub(super) fn speculate_writing(&mut self, key: Key) {
        let source = self.source_mut(key);
        if source.is_some_and(|source| source.interest.has(Direction::Write)) {
            self.list_speculative(key);
            self.leave_write(key.slot, WriteState::Speculative);
        }
    }

    fn list_speculative(&mut self, key: Key) {
        let listed = self.source_mut(key).is_some_and(|source| {
            source.read == ReadState::Speculative || source.write == WriteState::Speculative
        });
        if !listed {
            self.speculative.push(key);
        }
    }

    /// The program has shut `closed`, or will have when the backlog is out. That is told,
    /// with all that is known to be ready, whatever has been told before: epoll does so.
    pub(crate) fn shut(&mut self, key: Key, closed: Interest) {
        let Some(source) = self.source_mut(key) else {
            return;
        };
        source.closed = source.closed.or(closed);
        let reading = closed.has(Direction::Read) || source.read == ReadState::Told;
        let writing = closed.has(Direction::Write) || source.write == WriteState::Told;
        let told = Interest::new(reading, writing).and(source.interest);
        if told.has(Direction::Read) {
            source.unsettled = None;
            self.list_speculative(key);
            self.leave_read(key.slot, ReadState::Speculative);
        }
        if told.has(Direction::Write) {
            self.list_speculative(key);
            self.leave_write(key.slot, WriteState::Speculative);
        }
    }

    /// Hands out what is taken for ready.
    pub(crate) fn take_speculative(&mut self, mut report: impl FnMut(Readiness)) {
        let mut speculative = mem::take(&mut self.speculative);
        for key in speculative.drain(..) {
            let Some(source) = self.source_mut(key) else {
                continue;
            };
            let readable = source.read == ReadState::Speculative;
            if readable {
                source.read = ReadState::Told;
            }
            let writable = source.write == WriteState::Speculative;
            if writable {
                source.write = WriteState::Told;
            }
            let ready = Ready::new(readable, writable);
            if !ready.is_empty() {
                report(source.readiness(ready, false));
            }
        }
        // Keeps its room.
        self.speculative = speculative;
    }

    /// It is known now whether reading was rightly taken for ready, if it was.
    pub(crate) fn settle(&mut self, key: Key) -> Option<Speculation> {
        self.source_mut(key)?.unsettled.take()
    }
}
