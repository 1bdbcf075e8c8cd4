//! Splitting the set into hot and cold sources, and probing the cold ones.
//!
//! When that is worth it, and how fast, `pace.rs` decides.

use std::cmp::Reverse;

use super::super::host::Probe;
use super::super::pace::Change;
use super::super::poll_set::{Entry, Kind, Probing};
use super::{Host, Poller, Readiness};

impl<H: Host> Poller<H> {
    /// Splits and joins the set.
    pub(super) fn balance(&mut self) {
        let awaited = self.set.armed() + self.set.cold();
        let change = self.pace.decide(awaited);
        self.set.era = self.pace.era();
        match change {
            Change::None => {}
            Change::Join => self.set.warm_all(),
            Change::Cool => {
                let mut excess = self.set.armed().saturating_sub(self.pace.hot());
                if excess == 0 {
                    return;
                }
                let mut old: Vec<_> = self.set.armed_since(2).collect();
                old.sort_unstable_by_key(|&(age, _)| Reverse(age));
                for (_, entry) in old {
                    if excess == 0 {
                        break;
                    }
                    if self.kind(&entry) != Kind::Stream {
                        continue;
                    }
                    if self.probing(&entry) != Probing::Allowed {
                        continue;
                    }
                    self.set.cool(entry.key);
                    excess -= 1;
                }
            }
        }
    }

    /// Probes the cold sources that are due; returns how many were reported.
    pub(super) fn sweep(&mut self, report: &mut impl FnMut(Readiness)) -> usize {
        let due = self.pace.due(self.set.cold());
        let mut found = 0;
        for _ in 0..due {
            let Some(entry) = self.set.next_cold() else {
                break;
            };
            if !self.has_spoken(&entry) {
                continue;
            }
            if let Some(readiness) = self.set.take_cold(entry.key) {
                found += 1;
                report(readiness);
            }
        }
        if due > 0 {
            let cpu_time = self.host.cpu_time();
            let used = self.pace.cpu_time(cpu_time);
            self.pace.probed(due, used);
        }
        found
    }

    /// Probes a source. One that turns out to be no connection is left to polls.
    pub(super) fn has_spoken(&mut self, entry: &Entry) -> bool {
        match self.host.probe(entry.fd) {
            Probe::Nothing => false,
            Probe::Something => true,
            Probe::NoConnection => {
                self.set.keep_warm(entry.key);
                false
            }
        }
    }

    /// Whether a source may be probed; asks the host once. One in blocking mode is kept
    /// warm.
    pub(super) fn probing(&mut self, entry: &Entry) -> Probing {
        if entry.probing != Probing::Untried {
            return entry.probing;
        }
        if self.host.is_nonblocking(entry.fd) {
            self.set.allow_probing(entry.key);
            return Probing::Allowed;
        }
        // A probe would wait, and with it everybody.
        self.set.keep_warm(entry.key);
        Probing::Forbidden
    }

    /// What kind of socket a source is; asks the host once.
    pub(super) fn kind(&mut self, entry: &Entry) -> Kind {
        if entry.kind != Kind::Unknown {
            return entry.kind;
        }
        let kind = if self.host.is_datagram(entry.fd) {
            Kind::Datagram
        } else {
            Kind::Stream
        };
        self.set.set_kind(entry.key, kind);
        kind
    }
}
