//! Skipping polls: what was served since the last one is probed instead.
//!
//! For how long that is worth it, `pace.rs` decides.

use super::super::direction::Direction;
use super::super::pace::SHORTEST_SKIP;
use super::super::poll_set::{Kind, PollSet, Probing};
use super::{Host, Poller, Readiness};

/// While polls are skipped, so many sources at least are probed before a wait is
/// content with those that it found: fewer would be served over and over while
/// others wait.
const ROUND: usize = 64;

/// Sources that cannot be probed are reported as ready once in so many nanoseconds: each
/// time costs their owners a call that mostly finds nothing.
const GUESS: u64 = 1_000_000;

impl<H: Host> Poller<H> {
    /// Does without a poll, as long as the last one is less than `max_skip` ago and
    /// something is `found` already, or is by probing what was served since. Returns how
    /// many sources were reported in this wait; `None` if there has to be a poll.
    pub(super) fn skip_poll(
        &mut self,
        now: &mut u64,
        mut max_skip: u64,
        deadline: Option<u64>,
        found: usize,
        report: &mut impl FnMut(Readiness),
    ) -> Option<usize> {
        // Only a poll tells of some things.
        if self.set.is_opaque() || !self.backoff.is_empty() {
            max_skip = SHORTEST_SKIP;
        }
        if now.saturating_sub(self.polled) >= max_skip {
            return None;
        }
        if max_skip == SHORTEST_SKIP {
            return (found > 0).then_some(found);
        }
        let found = found + self.probe_new(*now, report);
        let may_not_wait = deadline.is_some_and(|end| end <= *now) || !self.wakes.is_empty();
        if found > 0 || may_not_wait {
            return Some(found);
        }
        let found = self.keep_probing(now, deadline, report);
        (found > 0).then_some(found)
    }

    /// Probes what has been armed since the last poll, until it has found something or
    /// been at all of it. Returns how many were reported.
    ///
    /// What cannot be probed is reported all the same from time to time: listeners and
    /// datagram sockets, whose owners find out by themselves.
    fn probe_new(&mut self, now: u64, report: &mut impl FnMut(Readiness)) -> usize {
        let mut found = 0;
        let guesses = now.saturating_sub(self.guessed) >= GUESS;
        for probed in 0..self.set.armed_since_poll() {
            if found > 0 && probed >= ROUND {
                break;
            }
            let Some(entry) = self.set.next_new() else {
                continue;
            };
            let is_ready = match self.probing(&entry) {
                Probing::Untried | Probing::Forbidden => continue,
                Probing::Allowed if self.kind(&entry) == Kind::Stream => self.has_spoken(&entry),
                Probing::Allowed | Probing::Useless => guesses,
            };
            if !is_ready {
                continue;
            }
            let userdata = PollSet::userdata(entry.key, Direction::Read);
            if let Some(readiness) = self.set.take_event(userdata, false) {
                found += 1;
                report(readiness);
            }
        }
        if guesses {
            self.guessed = now;
        }
        found
    }

    /// Probes again and again, for half of the time that a poll takes at most: whoever
    /// waits for this program's answers may be about to ask the next thing.
    fn keep_probing(
        &mut self,
        now: &mut u64,
        deadline: Option<u64>,
        report: &mut impl FnMut(Readiness),
    ) -> usize {
        let start = *now;
        let mut end = start + self.pace.walk(self.set.armed()) / 2;
        if let Some(deadline) = deadline {
            end = end.min(deadline);
        }
        let mut found = 0;
        while found == 0 && *now < end && self.set.armed_since_poll() > 0 {
            found = self.probe_new(*now, report);
            *now = self.host.now();
        }
        let awaited = self.set.armed() + found;
        self.pace.probed_instead(awaited, now.saturating_sub(start));
        found
    }
}
