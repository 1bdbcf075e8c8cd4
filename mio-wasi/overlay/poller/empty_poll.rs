//! Polls that return at once and name nobody.

use super::super::backoff::Cause;
use super::super::direction::{Direction, Interest};
use super::super::host::Probe;
use super::super::poll_set::{Kind, PollSet};
use super::super::registration::Key;
use super::{Host, Poller, Readiness};

impl<H: Host> Poller<H> {
    /// The host returned at once and named nobody, as it would do for ever.
    /// Two things cause it, and each is answered so that it ends:
    ///
    /// * an error waits on a connected datagram socket of which only reading
    ///   is armed: reported as readable, the receive then yields the error;
    /// * the peer has closed its side of a stream of which only writing is
    ///   armed and whose send buffer is full: the source goes into back-off.
    ///
    /// Returns how many were reported.
    pub(super) fn handle_empty_poll(&mut self, report: &mut impl FnMut(Readiness)) -> usize {
        let mut half_closed = Vec::new();
        let writers: Vec<_> = self.set.armed_exactly(Interest::WRITE).collect();
        for entry in writers {
            if self.kind(&entry) == Kind::Stream && self.host.probe(entry.fd) == Probe::Something {
                half_closed.push((entry.key, Interest::WRITE));
            }
        }
        if !half_closed.is_empty() {
            self.back_off(half_closed, Cause::Stuck);
            return 0;
        }

        let mut reported = 0;
        let readers: Vec<_> = self.set.armed_exactly(Interest::READ).collect();
        for entry in readers {
            if self.kind(&entry) != Kind::Datagram {
                continue;
            }
            let userdata = PollSet::userdata(entry.key, Direction::Read);
            if let Some(readiness) = self.set.take_event(userdata, false) {
                reported += 1;
                report(readiness);
            }
        }
        if reported == 0 {
            // Nobody fits. Whatever the cause, do not spin on it.
            let everyone: Vec<_> = [Interest::READ, Interest::WRITE, Interest::BOTH]
                .into_iter()
                .flat_map(|armed| {
                    let sources = self.set.armed_exactly(armed);
                    sources.map(move |entry| (entry.key, armed))
                })
                .collect();
            self.back_off(everyone, Cause::Unknown);
        }
        reported
    }

    /// Leaves these directions of sources alone for a while.
    pub(super) fn back_off(&mut self, sources: Vec<(Key, Interest)>, cause: Cause) {
        for &(key, interest) in &sources {
            self.set.disarm(key, interest);
        }
        let now = self.host.now();
        for (key, interest) in sources {
            self.backoff.add(key, interest, cause, now);
        }
    }
}
