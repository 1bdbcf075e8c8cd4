//! Waiting for readiness.
//!
//! The host's poll has rules that a list of subscriptions may break: no
//! descriptor twice for one direction, none that is closed, one clock, and never
//! an empty list. They are kept here, whatever the list holds.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, SystemTime};
use wasmedge_host::abi::{self, EventType as HostType};
use wasmedge_host::fd::poll::{check_pollable, poll_uninterrupted, Direction, RETRY};
use wasmedge_host::fd::socket::keep_error;
use wasmedge_host::Errno;

/// Something to wait for.
#[derive(Clone, Debug)]
pub enum Subscription {
    /// A time.
    Timeout {
        /// Comes back in the event.
        userdata: u64,
        /// When.
        timeout: SystemTime,
    },
    /// A descriptor.
    IO {
        /// Comes back in the events.
        userdata: u64,
        /// Must stay open during the poll.
        fd: RawFd,
        /// Whether to wait until it can be read.
        read_event: bool,
        /// Whether to wait until it can be written.
        write_event: bool,
    },
    /// A descriptor or a time, whichever comes first.
    TimeoutIO {
        /// Comes back in the events.
        userdata: u64,
        /// Must stay open during the poll.
        fd: RawFd,
        /// Whether to wait until it can be read.
        read_event: bool,
        /// Whether to wait until it can be written.
        write_event: bool,
        /// When.
        timeout: SystemTime,
    },
}

impl Subscription {
    /// Waits until `timeout`.
    pub fn timeout(userdata: u64, timeout: SystemTime) -> Self {
        Self::Timeout { userdata, timeout }
    }

    /// Waits for a descriptor, and no longer than until `timeout` if there is
    /// one.
    pub fn io<F: AsRawFd>(
        userdata: u64,
        fd: &F,
        read_event: bool,
        write_event: bool,
        timeout: Option<SystemTime>,
    ) -> Self {
        let fd = fd.as_raw_fd();
        match timeout {
            None => Self::IO {
                userdata,
                fd,
                read_event,
                write_event,
            },
            Some(timeout) => Self::TimeoutIO {
                userdata,
                fd,
                read_event,
                write_event,
                timeout,
            },
        }
    }

    fn userdata(&self) -> u64 {
        match *self {
            Self::Timeout { userdata, .. }
            | Self::IO { userdata, .. }
            | Self::TimeoutIO { userdata, .. } => userdata,
        }
    }

    fn until(&self) -> Option<SystemTime> {
        match *self {
            Self::Timeout { timeout, .. } | Self::TimeoutIO { timeout, .. } => Some(timeout),
            Self::IO { .. } => None,
        }
    }

    /// The descriptor with each direction that is waited for.
    fn interests(&self) -> impl Iterator<Item = Interest> {
        let (fd, read, write) = match *self {
            Self::Timeout { .. } => (-1, false, false),
            Self::IO {
                fd,
                read_event,
                write_event,
                ..
            }
            | Self::TimeoutIO {
                fd,
                read_event,
                write_event,
                ..
            } => (fd, read_event, write_event),
        };
        let read = read.then_some((fd, Direction::Read));
        read.into_iter()
            .chain(write.then_some((fd, Direction::Write)))
    }
}

/// What came of a subscription.
#[derive(Debug)]
pub enum EventType {
    /// Its time has come.
    Timeout,
    /// The descriptor cannot be waited for, or for writing: both directions of
    /// the socket are shut, or it was never connected (`NotConnected`).
    Error(io::Error),
    /// It can be read. A read may tell an error.
    Read,
    /// It can be written.
    Write,
}

/// An answer of [`poll`].
#[derive(Debug)]
pub struct Event {
    /// What happened.
    pub event_type: EventType,
    /// As given in the subscription.
    pub userdata: u64,
}

type Interest = (RawFd, Direction);

/// What is known of an interest.
#[derive(Clone, Copy)]
enum State {
    Waiting,
    Ready,
    HungUp,
    Failed(Errno),
}

/// Waits until at least one subscription has something to tell, and returns all
/// that have, in their order.
///
/// Readiness is level-triggered. Without subscriptions it returns at once.
///
/// # Errors
///
/// The host's.
pub fn poll(subs: &[Subscription]) -> io::Result<Vec<Event>> {
    let mut states: BTreeMap<Interest, State> = BTreeMap::new();
    for interest in subs.iter().flat_map(Subscription::interests) {
        // Once per descriptor and direction, however often it is subscribed.
        states
            .entry(interest)
            .or_insert_with(|| match check_pollable(interest.0) {
                Ok(()) => State::Waiting,
                // A file: always ready.
                Err(Errno::PERM) => State::Ready,
                Err(errno) => State::Failed(errno),
            });
    }
    let deadline = subs.iter().filter_map(Subscription::until).min();
    if states.is_empty() && deadline.is_none() {
        return Ok(Vec::new());
    }
    wait(&mut states, deadline)?;
    let now = SystemTime::now();
    let mut events = Vec::new();
    for sub in subs {
        let told = sub
            .interests()
            .filter_map(|interest| event_type(interest.1, *states.get(&interest)?));
        let timeout = sub.until().filter(|time| *time <= now);
        let all = told.chain(timeout.map(|_| EventType::Timeout));
        events.extend(all.map(|event_type| Event {
            event_type,
            userdata: sub.userdata(),
        }));
    }
    Ok(events)
}

fn event_type(direction: Direction, state: State) -> Option<EventType> {
    Some(match (state, direction) {
        (State::Waiting, _) => return None,
        (State::Failed(errno), _) => EventType::Error(errno.into()),
        (State::HungUp, Direction::Write) => EventType::Error(io::Error::new(
            io::ErrorKind::NotConnected,
            "the connection is shut in both directions, or there is none",
        )),
        (_, Direction::Read) => EventType::Read,
        (State::Ready, Direction::Write) => EventType::Write,
    })
}

/// Until something is known of an interest, or the time has come.
fn wait(states: &mut BTreeMap<Interest, State>, deadline: Option<SystemTime>) -> io::Result<()> {
    let is_settled = states
        .values()
        .any(|state| !matches!(state, State::Waiting));
    let waiting: Vec<Interest> = states
        .iter()
        .filter(|(_, state)| matches!(state, State::Waiting))
        .map(|(interest, _)| *interest)
        .collect();
    loop {
        let left = match deadline {
            _ if is_settled => Some(Duration::ZERO),
            Some(deadline) => Some(until(deadline)),
            None => None,
        };
        let mut list: Vec<abi::Subscription> = (0..)
            .zip(&waiting)
            .map(|(place, &(fd, direction))| match direction {
                Direction::Read => abi::Subscription::read(place, fd),
                Direction::Write => abi::Subscription::write(place, fd),
            })
            .collect();
        // The clock comes last, so that its place is no interest's.
        list.extend(left.map(|left| clock(waiting.len(), left)));
        let mut answers = vec![abi::Event::EMPTY; list.len()];
        let count = poll_uninterrupted(&list, &mut answers)?;
        let mut is_told = is_settled;
        for answer in &answers[..count] {
            let interest = usize::try_from(answer.userdata()).ok();
            let Some(interest) = interest.and_then(|place| waiting.get(place)) else {
                continue;
            };
            is_told = true;
            let state = match answer.error() {
                Errno::SUCCESS if answer.is_hangup() => State::HungUp,
                Errno::SUCCESS | Errno::PERM => State::Ready,
                errno => State::Failed(errno),
            };
            states.insert(*interest, state);
        }
        if count == 0 {
            is_told |= find_untold(&waiting, states)?;
        }
        // A clock may fire early after an interruption.
        if is_told || left.is_some_and(|_| deadline.is_some_and(|end| until(end).is_zero())) {
            return Ok(());
        }
        if count == 0 {
            // The peer of a socket that is waited for to be written has ended
            // its side: only time helps.
            let pause = left.map_or(RETRY, |left| left.min(RETRY));
            let mut answer = [abi::Event::EMPTY];
            poll_uninterrupted(&[clock(0, pause)], &mut answer)?;
            debug_assert_eq!(answer[0].event_type(), HostType::CLOCK);
        }
    }
}

/// The host's poll ends at an error of a socket that is only waited for to be
/// read, and does not say so.
fn find_untold(waiting: &[Interest], states: &mut BTreeMap<Interest, State>) -> io::Result<bool> {
    let mut is_told = false;
    for &(fd, direction) in waiting {
        if direction == Direction::Read && keep_error(fd) {
            states.insert((fd, direction), State::Ready);
            is_told = true;
        }
    }
    Ok(is_told)
}

fn until(end: SystemTime) -> Duration {
    end.duration_since(SystemTime::now()).unwrap_or_default()
}

fn clock(place: usize, left: Duration) -> abi::Subscription {
    let nanos = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
    abi::Subscription::clock_relative(place as u64, nanos)
}
