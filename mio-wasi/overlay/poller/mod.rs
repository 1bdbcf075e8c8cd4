//! One wait, done right: timeouts, wakes, and the host's known misbehaviours.
//!
//! The host's `poll_oneoff` has cases that a caller must never run into, or
//! must answer in one particular way. All of them are handled here, behind the
//! [`Host`] trait, so that a model of the host can drive them in native tests:
//!
//! | the host | is answered in |
//! |---|---|
//! | corrupts its poller when called without subscriptions | [`Poller::wait`]: such a call is never made |
//! | interrupted by a signal (`SIGSTOP`/`SIGCONT`, a debugger), says `EINTR` of every subscription and holds on to the call's buffers | `poll.rs`: the identical call is repeated at once, and its `EEXIST` answers are ignored |
//! | says of a regular file that it cannot be polled, which means "always ready" | `poll.rs` |
//! | returns no event, again and again, for an end of the read side that nobody subscribed to, or for a pending error on a connected datagram socket | `empty_poll.rs` |
//! | calls a Unix datagram socket writable while the receiver that somebody sends to has no room | `outcome.rs` |
//!
//! Writes that were coalesced are sent before anything else, and what the kernel does not
//! take is sent on when there is room: `backlog.rs`. What is asked of the host is kept
//! small: `skip.rs` leaves whole polls out, `sweep.rs` leaves sources out of polls.

mod backlog;
mod empty_poll;
mod outcome;
mod poll;
mod skip;
mod sweep;

use std::net::Shutdown;

use wasmedge_host::abi::{Event as HostEvent, Subscription};
use wasmedge_host::coalesce::Backlog;
use wasmedge_host::Errno;

use super::backoff::Backoff;
use super::direction::{Interest, Readiness, Ready};
use super::host::Host;
use super::pace::Pace;
use super::poll_set::{PollSet, CLOCK};
use super::registration::{Key, Owner, RegisterError};
use super::speculative::Score;
use super::waiter::Waiter;
use super::writes::Writes as _;

/// The poll set together with what a wait needs.
#[derive(Debug)]
pub(crate) struct Poller<H> {
    pub(crate) set: PollSet,
    pub(crate) host: H,
    events: Vec<HostEvent>,
    wakes: Vec<usize>,
    backoff: Backoff,
    /// Room for the list of backlogs, and of what was shut.
    backlogs: Vec<Backlog>,
    shut: Vec<(i32, Shutdown)>,
    pub(crate) pace: Pace,
    /// How speculation ended on sources that were served, and on new connections.
    served: Score,
    accepted: Score,
    /// The last wait found more than one source.
    busy: bool,
    /// When the host was last polled, monotonic nanoseconds.
    polled: u64,
    /// When sources that cannot be probed were last reported as ready, the same.
    guessed: u64,
    /// Polls that returned at once without a clock since the last one with.
    unclocked: u32,
    /// Datagrams that found no room since a sender last went into back-off.
    refused: u32,
}

impl<H: Host> Poller<H> {
    /// Makes a poller and lets the host create its own one, with a poll that
    /// returns at once: created later, while descriptors are short, the host's
    /// poller would stay broken for good.
    pub(crate) fn new(mut host: H) -> Result<Poller<H>, Errno> {
        let mut events = vec![HostEvent::EMPTY];
        host.poll(&[Subscription::clock_relative(CLOCK, 0)], &mut events)?;
        Ok(Poller {
            set: PollSet::new(),
            host,
            events,
            wakes: Vec::new(),
            backoff: Backoff::default(),
            backlogs: Vec::new(),
            shut: Vec::new(),
            pace: Pace::new(),
            served: Score::new(),
            accepted: Score::new(),
            busy: false,
            polled: 0,
            guessed: 0,
            unclocked: 0,
            refused: 0,
        })
    }

    /// What the program has shut of this poller's sources is told by this wait.
    fn take_shut(&mut self) {
        let Poller {
            set, host, shut, ..
        } = self;
        host.take_shut(|fd| set.find(fd).is_some(), shut);
        for (fd, how) in shut.drain(..) {
            let closed = match how {
                Shutdown::Read => Interest::READ,
                Shutdown::Write => Interest::WRITE,
                Shutdown::Both => Interest::BOTH,
            };
            if let Some(key) = set.find(fd) {
                set.shut(key, closed);
            }
        }
    }

    fn report_wakes(&mut self, report: &mut impl FnMut(Readiness)) -> bool {
        let mut woken = false;
        for token in self.wakes.drain(..) {
            woken = true;
            report(Readiness::of(token, Ready::READABLE));
        }
        woken
    }

    fn end_due_backoff(&mut self, now: u64) {
        self.backoff
            .take_due(now, |key, interest| self.set.arm(key, interest));
    }
}

impl<H: Host> Waiter for Poller<H> {
    fn insert(
        &mut self,
        fd: i32,
        number: usize,
        interest: Interest,
        owner: Owner,
    ) -> Result<Key, RegisterError> {
        self.set.insert(fd, number, interest, owner)
    }

    fn update(&mut self, key: Key, interest: Interest) {
        if let Some(number) = self.set.token(key) {
            self.set.update(key, number, interest);
        }
    }

    fn remove(&mut self, key: Key) {
        self.set.remove(key);
    }

    fn number(&self, key: Key) -> Option<usize> {
        self.set.token(key)
    }

    fn find(&self, fd: i32) -> Option<Key> {
        self.set.find(fd)
    }

    fn wake(&mut self, number: usize) {
        if !self.wakes.contains(&number) {
            self.wakes.push(number);
        }
    }

    fn forget_wake(&mut self, number: usize) {
        self.wakes.retain(|&other| other != number);
    }

    fn flush(&mut self) {
        if self.host.writes().flush() {
            self.flush_backlogs();
        }
    }

    fn now(&mut self) -> u64 {
        self.host.now()
    }

    fn wait(
        &mut self,
        timeout: Option<u64>,
        mut report: impl FnMut(Readiness),
    ) -> Result<(), Errno> {
        self.take_shut();
        self.flush();
        // What a task that yields comes by most often: not even the time is asked.
        if timeout == Some(0) && self.set.is_quiet() && self.backoff.is_empty() {
            self.report_wakes(&mut report);
            return Ok(());
        }
        let mut now = self.host.now();
        let deadline = timeout.map(|timeout| now.saturating_add(timeout));
        let mut found = 0;
        self.set.take_speculative(|readiness| {
            found += 1;
            report(readiness);
        });
        let max_skip = self.pace.max_poll_skip(self.set.armed(), self.set.cold());
        let mut due = now.saturating_sub(self.polled) >= max_skip;
        if let Some(found) = self.skip_poll(&mut now, max_skip, deadline, found, &mut report) {
            self.busy = found > 1;
            self.report_wakes(&mut report);
            return Ok(());
        }

        self.set.arm_taken();
        loop {
            self.end_due_backoff(now);
            let awaited = self.set.armed() + self.set.cold();
            let watches = self.pace.watches(awaited, self.set.cold());
            if watches {
                let cpu_time = self.host.cpu_time();
                self.pace.cpu_time(cpu_time);
                self.balance();
                found += self.sweep(&mut report);
            }
            let at_once =
                found > 0 || !self.wakes.is_empty() || deadline.is_some_and(|end| end <= now);
            if at_once && self.set.armed() == 0 {
                // There is nothing to ask. With a whole set there would be.
                self.pace.polled(self.set.cold(), true, 0, due);
                self.polled = now;
            } else {
                let head = if at_once {
                    self.return_at_once()
                } else {
                    now = self.host.now();
                    self.next_wait(deadline, now)
                };
                let begin = now;
                let answer = self.poll_once(head, &mut report)?;
                now = self.host.now();
                self.polled = now;
                found += answer.reported;
                let awaited = self.set.armed() + answer.reported + self.set.cold();
                // Not one that ends a wait in which nothing happened.
                let counts = found > 0 || !self.wakes.is_empty() || timeout == Some(0);
                if watches {
                    let cpu_time = self.host.cpu_time();
                    let used = self.pace.cpu_time(cpu_time);
                    self.pace.walked(answer.walked, used);
                    let mut slept = 0;
                    if !at_once {
                        slept = now.saturating_sub(begin).saturating_sub(used);
                        self.pace.slept(slept);
                    }
                    self.pace.polled(awaited, counts, slept, due);
                }
                due = false;
                if answer.is_empty {
                    found += self.handle_empty_poll(&mut report);
                }
            }
            let woken = self.report_wakes(&mut report);
            if found > 0 || woken || deadline.is_some_and(|end| end <= now) {
                self.busy = found > 1;
                return Ok(());
            }
            // The event may have been a backlog's.
            self.flush();
        }
    }
}
