//! One wait, done right: timeouts, wakes, and the host's known misbehaviours.
//!
//! The host's `poll_oneoff` has cases that a caller must never run into, or
//! must answer in one particular way. All of them are handled here, behind the
//! [`Host`] trait, so that a model of the host can drive them in native tests:
//!
//! * a call without subscriptions corrupts the host's poller: never made;
//! * after a signal (`SIGSTOP`/`SIGCONT`, a debugger) every subscription comes
//!   back with `EINTR` and the host holds on to the call's buffers: the
//!   identical call is repeated at once, and its `EEXIST` answers are ignored;
//! * it returns no event at all, again and again, when the only news is an end
//!   of the read side that nobody subscribed to, or a pending error on a
//!   connected datagram socket: see [`Poller::answer_silence`];
//! * regular files are reported as an error that means "always ready".

use wasmedge_wasi_socket::abi::{Event as HostEvent, Subscription};
use wasmedge_wasi_socket::Errno;

use super::poll_set::{Directions, Key, Kind, PollSet, CLOCK};

/// What the poller asks of the host.
pub(crate) trait Host {
    /// `poll_oneoff`. `subscriptions` is never empty; `events` is as long.
    fn poll(
        &mut self,
        subscriptions: &[Subscription],
        events: &mut [HostEvent],
    ) -> Result<usize, Errno>;

    /// Monotonic clock, nanoseconds.
    fn now(&mut self) -> u64;

    /// Whether the descriptor is a datagram socket (`SO_TYPE`).
    fn is_datagram(&mut self, fd: i32) -> bool;

    /// Whether a stream's read side has something to say (data or its end)
    /// that its owner did not ask about. Must not consume anything.
    fn read_side_speaks(&mut self, fd: i32) -> bool;
}

/// One thing that a wait found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// The token given at registration.
    pub(crate) token: usize,
    pub(crate) directions: Directions,
    /// Both directions of the connection are down.
    pub(crate) hang_up: bool,
    /// The host could not poll the descriptor; the next operation on it says why.
    pub(crate) error: bool,
}

/// How long a source that the host cannot wait for is left alone at first, and
/// at most, in nanoseconds.
const PARK_FIRST: u64 = 1_000_000;
const PARK_LONGEST: u64 = 10_000_000;

/// Longest single wait, in nanoseconds. A wait without an end and without a
/// source is a series of these: the host cannot be asked to wait for nothing.
const LONGEST_WAIT: u64 = 3_600_000_000_000;

/// Sources taken out of the set for a moment; see [`Poller::answer_silence`].
#[derive(Debug, Default)]
struct Parked {
    sources: Vec<(Key, Directions)>,
    /// When they are tried again, monotonic nanoseconds.
    due: u64,
    /// How long they were parked the last time; 0 when nothing was.
    pause: u64,
}

/// The poll set together with what a wait needs.
#[derive(Debug)]
pub(crate) struct Poller<H> {
    pub(crate) set: PollSet,
    pub(crate) host: H,
    events: Vec<HostEvent>,
    wakes: Vec<usize>,
    parked: Parked,
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
            parked: Parked::default(),
        })
    }

    /// Makes the next (or current) wait return at once with `token` readable.
    pub(crate) fn wake(&mut self, token: usize) {
        if !self.wakes.contains(&token) {
            self.wakes.push(token);
        }
    }

    /// Waits until a source is ready, a wake is pending or `timeout`
    /// nanoseconds are over; `None` waits without end.
    ///
    /// # Errors
    ///
    /// What the host answers to the call as a whole; errors of single sources
    /// are reported as their readiness.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<u64>,
        mut report: impl FnMut(Readiness),
    ) -> Result<(), Errno> {
        let timeout = if self.wakes.is_empty() {
            timeout
        } else {
            Some(0)
        };
        let deadline = match timeout {
            None => None,
            Some(0) => Some(0),
            Some(timeout) => Some(self.host.now().saturating_add(timeout)),
        };

        let mut left = timeout;
        loop {
            self.unpark_when_due();
            let wait = self.next_wait(left);
            let found = self.poll_once(wait, &mut report)?;
            let mut reported = found.reported;
            if found.silent {
                reported |= self.answer_silence(&mut report);
            }
            for token in self.wakes.drain(..) {
                reported = true;
                report(Readiness {
                    token,
                    directions: Directions::READ,
                    hang_up: false,
                    error: false,
                });
            }
            if reported {
                return Ok(());
            }
            match deadline {
                None => {}
                Some(0) => return Ok(()),
                Some(deadline) => {
                    let now = self.host.now();
                    if now >= deadline {
                        return Ok(());
                    }
                    left = Some(deadline - now);
                }
            }
        }
    }

    /// The clock of the next call: the caller's, cut to when parked sources
    /// are due; `None` where none is needed.
    fn next_wait(&mut self, left: Option<u64>) -> Option<u64> {
        let mut wait = left;
        if !self.parked.sources.is_empty() && left != Some(0) {
            let pause = self.parked.due.saturating_sub(self.host.now()).max(1);
            wait = Some(wait.map_or(pause, |wait| wait.min(pause)));
        }
        if wait.is_none() && self.set.armed() == 0 {
            wait = Some(LONGEST_WAIT);
        }
        wait.map(|wait| wait.min(LONGEST_WAIT))
    }

    /// Calls the host once, or again with the identical subscriptions for as
    /// long as signals interrupt it.
    fn poll_once(
        &mut self,
        wait: Option<u64>,
        report: &mut impl FnMut(Readiness),
    ) -> Result<Found, Errno> {
        let Poller {
            set, host, events, ..
        } = self;
        let subscriptions = set.subscriptions(wait);
        let length = subscriptions.len();
        if events.len() < length {
            events.resize(length.next_power_of_two(), HostEvent::EMPTY);
        }
        let mut count = host.poll(subscriptions, &mut events[..length])?;
        let mut replayed = false;
        while events[..count]
            .iter()
            .any(|event| event.error() == Errno::INTR)
        {
            replayed = true;
            count = host.poll(subscriptions, &mut events[..length])?;
        }

        let mut found = Found {
            silent: count == 0,
            reported: false,
        };
        for event in &events[..count] {
            if event.userdata() == CLOCK {
                continue;
            }
            if event.error() == Errno::EXIST {
                // Only after a signal: the subscription survived in the host
                // and is not ready. It stays armed.
                debug_assert!(replayed, "a direction was subscribed to twice");
                continue;
            }
            if let Some((token, directions)) = set.take_event(event.userdata()) {
                found.reported = true;
                report(Readiness {
                    token,
                    directions,
                    hang_up: event.is_hangup(),
                    error: !matches!(event.error(), Errno::SUCCESS | Errno::PERM),
                });
            }
        }
        if found.reported && self.parked.sources.is_empty() {
            self.parked.pause = 0;
        }
        Ok(found)
    }

    /// The host returned at once and named nobody, as it would do for ever.
    /// Two things cause it, and each is answered so that it ends:
    ///
    /// * an error waits on a connected datagram socket of which only reading
    ///   is armed: reported as readable, the receive then yields the error;
    /// * the peer has closed its side of a stream of which only writing is
    ///   armed and whose send buffer is full: the source is parked, and tried
    ///   again after 1 to 10 ms.
    ///
    /// Returns whether anything was reported.
    fn answer_silence(&mut self, report: &mut impl FnMut(Readiness)) -> bool {
        let mut speaking = Vec::new();
        let writers: Vec<_> = self.set.armed_exactly(Directions::WRITE).collect();
        for (key, fd, kind) in writers {
            if self.kind(key, fd, kind) == Kind::Stream && self.host.read_side_speaks(fd) {
                speaking.push((key, Directions::WRITE));
            }
        }
        if !speaking.is_empty() {
            for &(key, directions) in &speaking {
                self.set.disarm(key, directions);
            }
            self.park(speaking);
            return false;
        }

        let mut reported = false;
        let readers: Vec<_> = self.set.armed_exactly(Directions::READ).collect();
        for (key, fd, kind) in readers {
            if self.kind(key, fd, kind) != Kind::Datagram {
                continue;
            }
            if let Some((token, directions)) = self.set.take_event(PollSet::userdata(key, true)) {
                reported = true;
                report(Readiness {
                    token,
                    directions,
                    hang_up: false,
                    error: false,
                });
            }
        }
        if !reported {
            // Nobody fits. Whatever the cause, do not spin on it.
            let everyone: Vec<_> = [Directions::READ, Directions::WRITE, Directions::BOTH]
                .into_iter()
                .flat_map(|armed| {
                    self.set
                        .armed_exactly(armed)
                        .map(move |(key, ..)| (key, armed))
                        .collect::<Vec<_>>()
                })
                .collect();
            for &(key, directions) in &everyone {
                self.set.disarm(key, directions);
            }
            self.park(everyone);
        }
        reported
    }

    fn kind(&mut self, key: Key, fd: i32, kind: Kind) -> Kind {
        if kind != Kind::Unknown {
            return kind;
        }
        let kind = if self.host.is_datagram(fd) {
            Kind::Datagram
        } else {
            Kind::Stream
        };
        self.set.set_kind(key, kind);
        kind
    }

    fn park(&mut self, sources: Vec<(Key, Directions)>) {
        let parked = &mut self.parked;
        parked.pause = (parked.pause * 2).clamp(PARK_FIRST, PARK_LONGEST);
        parked.due = self.host.now().saturating_add(parked.pause);
        parked.sources.extend(sources);
    }

    fn unpark_when_due(&mut self) {
        if !self.parked.sources.is_empty() && self.host.now() >= self.parked.due {
            for (key, directions) in std::mem::take(&mut self.parked.sources) {
                self.set.arm(key, directions);
            }
        }
    }
}

/// What one call of the host brought.
struct Found {
    /// No event at all, not even the clock's.
    silent: bool,
    reported: bool,
}
