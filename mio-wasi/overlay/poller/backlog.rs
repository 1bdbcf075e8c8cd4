//! Backlogs: what the kernel did not take of coalesced writes is sent on when there is
//! room.

use std::mem;

use wasmedge_host::coalesce::Sent;

use super::super::backoff::Cause;
use super::super::writes::Writes as _;
use super::{Host, Interest, Owner, Poller};

impl<H: Host> Poller<H> {
    /// Sends what of the backlogs can be sent, and arms the others. Of those that other
    /// pollers have registered, nothing is known here.
    pub(super) fn flush_backlogs(&mut self) {
        let mut backlogs = mem::take(&mut self.backlogs);
        self.host.writes().backlogs(&mut backlogs);
        for backlog in backlogs.drain(..) {
            let key = match self.set.find(backlog.fd) {
                Some(key) => key,
                None if backlog.is_orphan => {
                    // Its events are nobody's but ours.
                    let none = Interest::NONE;
                    let Ok(key) = self.set.insert(backlog.fd, 0, none, Owner::Foreign) else {
                        continue;
                    };
                    self.host.writes().adopt(backlog.fd);
                    key
                }
                None => continue,
            };
            if self.set.awaits_writing(key) || self.backoff.contains(key) {
                continue;
            }
            let was_told = self.set.take_told_writable(key);
            let sent = match backlog.is_fresh {
                true => Sent::Part,
                false => self.host.writes().send_backlog(backlog.fd),
            };
            match sent {
                Sent::All if backlog.is_orphan => {
                    self.set.remove(key);
                    self.host.writes().close_orphan(backlog.fd);
                }
                Sent::All => {}
                // The host says that it can be written to, and it cannot.
                Sent::Nothing if was_told => {
                    self.back_off(vec![(key, Interest::WRITE)], Cause::Stuck);
                }
                Sent::Part | Sent::Nothing => self.set.arm_for_backlog(key),
            }
        }
        // Keeps its room.
        self.backlogs = backlogs;
    }
}
