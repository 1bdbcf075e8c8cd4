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
//! * a Unix datagram socket counts as writable while the receiver that somebody
//!   sends to has no room: see [`Poller::refused`];
//! * what small writes have gathered is sent before anything else, and what the
//!   kernel does not take is sent on when there is room: see [`Poller::tend_rests`];
//! * regular files are reported as an error that means "always ready".
//!
//! What is asked of the host is kept small: see `pace.rs` and `presumption.rs`.

use wasmedge_host::abi::{Event as HostEvent, Subscription};
use wasmedge_host::coalesce::{Backlog, Sent};
use wasmedge_host::Errno;

use super::pace::{Change, Pace, SHORTEST_BLIND};
use super::parked::{Cause, Parked};
use super::poll_set::{Directions, Head, Key, Kind, Owner, PollSet, Trial, CLOCK};
use super::presumption::Presumption;

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

    /// Processor time that the program has used, nanoseconds.
    fn ran(&mut self) -> u64;

    /// Whether the descriptor is a datagram socket (`SO_TYPE`).
    fn is_datagram(&mut self, fd: i32) -> bool;

    /// Whether a socket is in non-blocking mode.
    fn is_nonblocking(&mut self, fd: i32) -> bool;

    /// Whether reading from a non-blocking stream would not block. Must not take anything
    /// from whoever reads.
    fn probe(&mut self, fd: i32) -> Probe;

    /// Sends what writes have gathered. Returns whether there are rests, which the
    /// kernel did not take.
    fn send_gathered(&mut self) -> bool;

    /// Lists the rests.
    fn rests(&mut self, into: &mut Vec<Backlog>);

    /// Tries to send a rest.
    fn send_rest(&mut self, fd: i32) -> Sent;

    /// An orphan is in the poll set, and is not to be closed by anybody else.
    fn adopt(&mut self, fd: i32);

    /// An orphan is no longer in the poll set; once its rest is out it is closed.
    fn close_orphan(&mut self, fd: i32);

    /// A descriptor of the poller's own that can always be polled as readable;
    /// `None` where there is none to be had.
    fn always_ready(&mut self) -> Option<i32>;
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    Nothing,
    Something,
    /// The socket is no connection: its readiness is another matter.
    NoConnection,
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

impl Readiness {
    /// With nothing to add.
    fn of(token: usize, directions: Directions) -> Readiness {
        Readiness {
            token,
            directions,
            hang_up: false,
            error: false,
        }
    }
}

/// One in so many datagrams that find no room at their receiver has its sender left
/// alone for a moment.
const PATIENCE: u32 = 2;

/// Longest single wait, in nanoseconds. A wait without an end and without a
/// source is a series of these: the host cannot be asked to wait for nothing.
const LONGEST_WAIT: u64 = 3_600_000_000_000;

/// While polls are left out, so many sources at least are probed before a wait is
/// content with those that it found ...
const ROUND: usize = 64;

/// ... and those that cannot be probed are told as ready once in so many nanoseconds.
const GUESS: u64 = 1_000_000;

/// One in so many polls that return at once has a clock instead of the
/// descriptor that is always ready: that one keeps the host from ever being
/// silent, and who waits for the answer to its silence would wait for ever.
const CLOCKED: u32 = 64;

/// The poll set together with what a wait needs.
#[derive(Debug)]
pub(crate) struct Poller<H> {
    pub(crate) set: PollSet,
    pub(crate) host: H,
    events: Vec<HostEvent>,
    wakes: Vec<usize>,
    parked: Parked,
    rests: Vec<Backlog>,
    pub(crate) pace: Pace,
    /// Of sources that were served, and of new connections.
    served: Presumption,
    accepted: Presumption,
    /// The last wait found more than one source.
    busy: bool,
    /// When the host was last asked, monotonic nanoseconds.
    asked: u64,
    /// When sources that cannot be probed were last told as ready, the same.
    guessed: u64,
    /// Polls that returned at once without a clock since the last one with.
    unclocked: u32,
    /// Datagrams that found no room since a sender was last left alone.
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
            parked: Parked::default(),
            rests: Vec::new(),
            pace: Pace::new(),
            served: Presumption::new(),
            accepted: Presumption::new(),
            busy: false,
            asked: 0,
            guessed: 0,
            unclocked: 0,
            refused: 0,
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
        if self.host.send_gathered() {
            self.tend_rests();
        }
        // What a task that yields comes by most often: not even the time is asked.
        if timeout == Some(0) && self.set.is_quiet() && self.parked.is_empty() {
            self.report_wakes(&mut report);
            return Ok(());
        }
        let mut now = self.host.now();
        let deadline = timeout.map(|timeout| now.saturating_add(timeout));
        let mut found = 0;
        self.set.take_presumed(|token, directions| {
            found += 1;
            report(Readiness::of(token, directions));
        });
        let blind = self.pace.blind(self.set.armed(), self.set.cold());
        let mut due = now.saturating_sub(self.asked) >= blind;
        if let Some(looked) = self.without_poll(&mut now, blind, deadline, found, &mut report) {
            self.busy = looked > 1;
            self.report_wakes(&mut report);
            return Ok(());
        }

        loop {
            self.unpark_when_due(now);
            let awaited = self.set.armed() + self.set.cold();
            let watches = self.pace.watches(awaited, self.set.cold());
            if watches {
                let ran = self.host.ran();
                self.pace.ran(ran);
                self.balance();
                found += self.sweep(&mut report);
            }
            let at_once =
                found > 0 || !self.wakes.is_empty() || deadline.is_some_and(|end| end <= now);
            if at_once && self.set.armed() == 0 {
                // There is nothing to ask. With a whole set there would be.
                self.pace.polled(self.set.cold(), true, 0, due);
                self.asked = now;
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
                self.asked = now;
                found += answer.reported;
                let awaited = self.set.armed() + answer.reported + self.set.cold();
                // Not one that ends a wait in which nothing happened.
                let counts = found > 0 || !self.wakes.is_empty() || timeout == Some(0);
                if watches {
                    let ran = self.host.ran();
                    let ran = self.pace.ran(ran);
                    self.pace.walked(answer.walked, ran);
                    let mut slept = 0;
                    if !at_once {
                        slept = now.saturating_sub(begin).saturating_sub(ran);
                        self.pace.slept(slept);
                    }
                    self.pace.polled(awaited, counts, slept, due);
                }
                due = false;
                if answer.silent {
                    found += self.answer_silence(&mut report);
                }
            }
            let woken = self.report_wakes(&mut report);
            if found > 0 || woken || deadline.is_some_and(|end| end <= now) {
                self.busy = found > 1;
                return Ok(());
            }
            // The event may have been a rest's.
            if self.host.send_gathered() {
                self.tend_rests();
            }
        }
    }

    /// Does without a poll, as long as the last one is less than `blind` ago and something
    /// is `found` already, or is by looking at what was served since. Returns how many
    /// sources were reported in this wait; `None` if there has to be a poll.
    fn without_poll(
        &mut self,
        now: &mut u64,
        mut blind: u64,
        deadline: Option<u64>,
        found: usize,
        report: &mut impl FnMut(Readiness),
    ) -> Option<usize> {
        // Only a poll tells of some things.
        if self.set.is_opaque() || !self.parked.is_empty() {
            blind = SHORTEST_BLIND;
        }
        if now.saturating_sub(self.asked) >= blind {
            return None;
        }
        if blind == SHORTEST_BLIND {
            return (found > 0).then_some(found);
        }
        let found = found + self.look_at_new(*now, report);
        let may_not_wait = deadline.is_some_and(|end| end <= *now) || !self.wakes.is_empty();
        if found > 0 || may_not_wait {
            return Some(found);
        }
        let found = self.keep_looking(now, deadline, report);
        (found > 0).then_some(found)
    }

    /// An operation emptied a source that it got something from: the source may
    /// be ready again soon.
    pub(crate) fn served(&mut self, key: Key) {
        match self.set.end_trial(key) {
            Some(Trial::Served) => self.served.was_right(),
            Some(Trial::Accepted) => self.accepted.was_right(),
            None => {}
        }
        if self.busy && self.served.is_worth_it() {
            self.set.presume(key, Directions::READ, Some(Trial::Served));
        } else {
            self.set.arm(key, Directions::READ);
        }
    }

    /// An operation would have blocked.
    pub(crate) fn exhausted(&mut self, key: Key, directions: Directions) {
        if directions.has(Directions::READ) {
            match self.set.end_trial(key) {
                Some(Trial::Served) => self.served.was_wrong(),
                Some(Trial::Accepted) => self.accepted.was_wrong(),
                None => {}
            }
        }
        self.set.arm(key, directions);
    }

    /// A datagram found no room at its receiver, which is not who a poll asks: it
    /// calls the sender's socket writable all the while. Whoever reads in this
    /// program has done so after one more look; another program may take long.
    pub(crate) fn refused(&mut self, key: Key) {
        self.refused += 1;
        if self.refused < PATIENCE {
            self.set.arm(key, Directions::WRITE);
        } else {
            self.refused = 0;
            self.set.disarm(key, Directions::WRITE);
            self.park(vec![(key, Directions::WRITE)], Cause::Stuck);
        }
    }

    /// A connection was accepted and registered: who connects often has something
    /// to say.
    pub(crate) fn accepted(&mut self, key: Key) {
        if self.busy && self.accepted.is_worth_it() {
            self.set
                .presume(key, Directions::READ, Some(Trial::Accepted));
        }
    }

    /// Sends what of the rests can be sent, and arms the others. Of those that other
    /// pollers have registered, nothing is known here.
    fn tend_rests(&mut self) {
        let mut rests = std::mem::take(&mut self.rests);
        self.host.rests(&mut rests);
        for rest in rests.drain(..) {
            let key = match self.set.find(rest.fd) {
                Some(key) => key,
                None if rest.is_orphan => {
                    // Its events are nobody's but ours.
                    let none = Directions::NONE;
                    let Ok(key) = self.set.insert(rest.fd, 0, none, Owner::Foreign) else {
                        continue;
                    };
                    self.host.adopt(rest.fd);
                    key
                }
                None => continue,
            };
            if rest.is_shut && self.set.tell_shut(key) {
                continue;
            }
            if self.set.awaits_writing(key) || self.parked.contains(key) {
                continue;
            }
            let was_told = self.set.take_told_writable(key);
            let sent = match rest.is_fresh {
                true => Sent::Part,
                false => self.host.send_rest(rest.fd),
            };
            match sent {
                Sent::All if rest.is_orphan => {
                    self.set.remove(key);
                    self.host.close_orphan(rest.fd);
                }
                Sent::All => {}
                // The host says that it can be written to, and it cannot.
                Sent::Nothing if was_told => {
                    self.park(vec![(key, Directions::WRITE)], Cause::Stuck)
                }
                Sent::Part | Sent::Nothing => self.set.arm_for_rest(key),
            }
        }
        // Keeps its room.
        self.rests = rests;
    }

    fn report_wakes(&mut self, report: &mut impl FnMut(Readiness)) -> bool {
        let mut woken = false;
        for token in self.wakes.drain(..) {
            woken = true;
            report(Readiness::of(token, Directions::READ));
        }
        woken
    }

    /// Splits and joins the set; see [`Pace`].
    fn balance(&mut self) {
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
                old.sort_unstable_by_key(|&(age, ..)| std::cmp::Reverse(age));
                for (_, key, fd, kind) in old {
                    if excess == 0 {
                        break;
                    }
                    if self.kind(key, fd, kind) != Kind::Stream {
                        continue;
                    }
                    if !self.is_nonblocking(key, fd) {
                        continue;
                    }
                    self.set.cool(key);
                    excess -= 1;
                }
            }
        }
    }

    /// Probes the cold sources whose turn it is; returns how many were reported.
    fn sweep(&mut self, report: &mut impl FnMut(Readiness)) -> usize {
        let due = self.pace.due(self.set.cold());
        let mut found = 0;
        for _ in 0..due {
            let Some((key, fd)) = self.set.next_cold() else {
                break;
            };
            if !self.speaks(key, fd) {
                continue;
            }
            if let Some(token) = self.set.take_cold(key) {
                found += 1;
                report(Readiness::of(token, Directions::READ));
            }
        }
        if due > 0 {
            let ran = self.host.ran();
            let ran = self.pace.ran(ran);
            self.pace.probed(due, ran);
        }
        found
    }

    /// Probes a source. One that turns out to be no connection is left to polls.
    fn speaks(&mut self, key: Key, fd: i32) -> bool {
        match self.host.probe(fd) {
            Probe::Nothing => false,
            Probe::Something => true,
            Probe::NoConnection => {
                self.set.keep_warm(key);
                false
            }
        }
    }

    /// Looks at what has been armed since the last poll, without one, until it has
    /// found something or been at all of it. Returns how many were reported.
    ///
    /// What cannot be probed is reported without a look from time to time: listeners and
    /// datagram sockets, whose owners find out by themselves.
    fn look_at_new(&mut self, now: u64, report: &mut impl FnMut(Readiness)) -> usize {
        let mut found = 0;
        let guesses = now.saturating_sub(self.guessed) >= GUESS;
        for looked in 0..self.set.armed_since_poll() {
            if found > 0 && looked >= ROUND {
                break;
            }
            let Some((key, fd, kind, may_probe)) = self.set.next_new() else {
                continue;
            };
            let is_nonblocking = match may_probe {
                true => self.is_nonblocking(key, fd),
                // One that is known to be in blocking mode is left to polls.
                false => self.set.is_nonblocking(key),
            };
            if !is_nonblocking {
                continue;
            }
            let tell = if may_probe && self.kind(key, fd, kind) == Kind::Stream {
                self.speaks(key, fd)
            } else {
                guesses
            };
            if !tell {
                continue;
            }
            if let Some((token, directions)) = self.set.take_event(PollSet::userdata(key, true)) {
                found += 1;
                report(Readiness::of(token, directions));
            }
        }
        if guesses {
            self.guessed = now;
        }
        found
    }

    /// Looks again and again, for half of the time that a poll takes at most: whoever
    /// waits for this program's answers may be about to ask the next thing.
    fn keep_looking(
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
            found = self.look_at_new(*now, report);
            *now = self.host.now();
        }
        let awaited = self.set.armed() + found;
        self.pace.kept_looking(awaited, now.saturating_sub(start));
        found
    }

    /// Whether a source is in non-blocking mode; asks the host once. One that is not is
    /// kept warm.
    fn is_nonblocking(&mut self, key: Key, fd: i32) -> bool {
        if self.set.is_nonblocking(key) {
            return true;
        }
        if self.host.is_nonblocking(fd) {
            self.set.set_nonblocking(key);
            return true;
        }
        // A probe would wait, and with it everybody.
        self.set.keep_warm(key);
        false
    }

    /// What makes a poll return at once. A clock at zero does, but its timer has
    /// to fire, which takes as long as ten other polls.
    fn return_at_once(&mut self) -> Head {
        self.unclocked += 1;
        if self.unclocked < CLOCKED {
            if let Some(fd) = self.host.always_ready() {
                return Head::Ready(fd);
            }
        }
        self.unclocked = 0;
        Head::Clock(0)
    }

    /// The clock of the next call: the caller's, cut to when parked sources or
    /// the next cold ones are due; none where none is needed.
    fn next_wait(&mut self, deadline: Option<u64>, now: u64) -> Head {
        let mut wait = deadline.map(|deadline| deadline.saturating_sub(now));
        let mut cut = |pause: u64| wait = Some(wait.map_or(pause, |wait| wait.min(pause)));
        if let Some(due) = self.parked.due() {
            cut(due.saturating_sub(now).max(1));
        }
        if self.set.cold() > 0 {
            cut(self.pace.longest_wait(self.set.cold()));
        }
        if self.set.armed() == 0 {
            cut(LONGEST_WAIT);
        }
        wait.map_or(Head::Nothing, |wait| Head::Clock(wait.min(LONGEST_WAIT)))
    }

    /// Calls the host once, or again with the identical subscriptions for as
    /// long as signals interrupt it.
    fn poll_once(
        &mut self,
        head: Head,
        report: &mut impl FnMut(Readiness),
    ) -> Result<Answer, Errno> {
        let Poller {
            set,
            host,
            events,
            parked,
            ..
        } = self;
        let subscriptions = set.subscriptions(head);
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

        let mut answer = Answer {
            walked: length,
            silent: count == 0,
            reported: 0,
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
                if directions.is_empty() {
                    continue;
                }
                answer.reported += 1;
                parked.told(event.userdata());
                report(Readiness {
                    token,
                    directions,
                    hang_up: event.is_hangup(),
                    error: !matches!(event.error(), Errno::SUCCESS | Errno::PERM),
                });
            }
        }
        Ok(answer)
    }

    /// The host returned at once and named nobody, as it would do for ever.
    /// Two things cause it, and each is answered so that it ends:
    ///
    /// * an error waits on a connected datagram socket of which only reading
    ///   is armed: reported as readable, the receive then yields the error;
    /// * the peer has closed its side of a stream of which only writing is
    ///   armed and whose send buffer is full: the source is parked, and tried
    ///   again from time to time.
    ///
    /// Returns how many were reported.
    fn answer_silence(&mut self, report: &mut impl FnMut(Readiness)) -> usize {
        let mut speaking = Vec::new();
        let writers: Vec<_> = self.set.armed_exactly(Directions::WRITE).collect();
        for (key, fd, kind) in writers {
            if self.kind(key, fd, kind) == Kind::Stream && self.host.probe(fd) == Probe::Something {
                speaking.push((key, Directions::WRITE));
            }
        }
        if !speaking.is_empty() {
            for &(key, directions) in &speaking {
                self.set.disarm(key, directions);
            }
            self.park(speaking, Cause::Stuck);
            return 0;
        }

        let mut reported = 0;
        let readers: Vec<_> = self.set.armed_exactly(Directions::READ).collect();
        for (key, fd, kind) in readers {
            if self.kind(key, fd, kind) != Kind::Datagram {
                continue;
            }
            if let Some((token, directions)) = self.set.take_event(PollSet::userdata(key, true)) {
                reported += 1;
                report(Readiness::of(token, directions));
            }
        }
        if reported == 0 {
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
            self.park(everyone, Cause::Unknown);
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

    /// Leaves sources alone that have been disarmed for it.
    fn park(&mut self, sources: Vec<(Key, Directions)>, cause: Cause) {
        let now = self.host.now();
        for (key, directions) in sources {
            self.parked.add(key, directions, cause, now);
        }
    }

    fn unpark_when_due(&mut self, now: u64) {
        self.parked
            .take_due(now, |key, directions| self.set.arm(key, directions));
    }
}

/// What one call of the host brought.
struct Answer {
    /// How many subscriptions the host walked through.
    walked: usize,
    /// No event at all, not even the clock's.
    silent: bool,
    reported: usize,
}
