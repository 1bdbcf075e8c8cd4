//! A model of WasmEdge's poller: level-triggered, with virtual time, with the
//! misbehaviours that were measured on the real one, and with an assertion in
//! every place where the real one aborts, hangs or corrupts itself.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Shutdown;
use std::rc::Rc;

use wasmedge_host::abi::{Event, EventType, Subscription};
use wasmedge_host::coalesce::{Backlog, Sent};
use wasmedge_host::Errno;

use crate::host::{Host, Probe};
use crate::writes::Writes;

/// A socket of the model. Made by one of its functions, each of which changes one thing.
#[derive(Clone, Debug, Default)]
pub struct Socket {
    pub readable: bool,
    pub writable: bool,
    pub hang_up: bool,
    pub datagram: bool,
    /// The peer has closed its side. Ends every wait that names the socket,
    /// also one that did not ask about reading.
    pub read_closed: bool,
    /// A datagram socket has an error to tell. Ends every wait that names it,
    /// is reported to writers only.
    pub pending_error: bool,
    /// The connection has failed, and nobody was told yet.
    pub reset: bool,
    /// Waits for connections.
    pub listener: bool,
    /// Is in blocking mode, which natively does no harm to whoever only reads
    /// when there is something.
    pub blocking: bool,
}

/// Sockets as tests name them.
impl Socket {
    /// A stream with nothing to read, and no room to write.
    pub fn silent() -> Socket {
        Socket::default()
    }

    pub fn readable() -> Socket {
        Socket {
            readable: true,
            ..Socket::default()
        }
    }

    pub fn writable() -> Socket {
        Socket {
            writable: true,
            ..Socket::default()
        }
    }

    pub fn hung_up() -> Socket {
        Socket {
            hang_up: true,
            ..Socket::default()
        }
    }

    /// One whose peer has ended its direction, and whose send buffer is full.
    pub fn half_closed() -> Socket {
        Socket {
            read_closed: true,
            ..Socket::default()
        }
    }

    /// One with an error to tell.
    pub fn failed() -> Socket {
        Socket {
            pending_error: true,
            ..Socket::default()
        }
    }

    pub fn listener() -> Socket {
        Socket {
            listener: true,
            ..Socket::default()
        }
    }

    /// This one, as a datagram socket.
    pub fn datagram(self) -> Socket {
        Socket {
            datagram: true,
            ..self
        }
    }

    /// This one, in blocking mode.
    pub fn blocking(self) -> Socket {
        Socket {
            blocking: true,
            ..self
        }
    }
}

#[derive(Debug, Default)]
pub struct State {
    pub sockets: BTreeMap<i32, Socket>,
    pub now: u64,
    pub polls: usize,
    pub probes: usize,
    /// Processor time used.
    pub cpu_time: u64,
    /// Calls take time: 600 ns for each subscription and for each that the poll before
    /// had and this one has not, or the other way round, 2500 for a probe.
    pub costs: bool,
    /// User data of the last poll's subscriptions.
    before: BTreeSet<u64>,
    /// The next poll comes back with EINTR everywhere.
    pub signals: u32,
    /// The subscriptions that a signal interrupted: the next call must repeat them.
    interrupted: Option<Vec<Shape>>,
    interrupted_deadline: Option<u64>,
    /// Bytes that sockets have still to send, and whether the kernel has just
    /// refused them.
    pub backlogs: BTreeMap<i32, (usize, bool)>,
    /// What the program has shut and nobody was told of yet.
    pub shut: Vec<(i32, Shutdown)>,
    /// Sockets that their owners have closed.
    pub orphans: BTreeSet<i32>,
    pub adopted: BTreeSet<i32>,
    /// How much the kernel takes of each socket.
    pub room: BTreeMap<i32, usize>,
    pub tries: usize,
    /// A wait that nothing would ever end.
    pub hung: bool,
}

/// The poller's own socket.
pub const ALWAYS_READY: i32 = 3;

/// A handle to the model; the test holds another.
#[derive(Clone, Debug, Default)]
pub struct Model(pub Rc<RefCell<State>>);

/// A subscription taken apart: user data, type, and descriptor or time-out.
type Shape = (u64, EventType, i64);

fn shape(subscriptions: &[Subscription]) -> Vec<Shape> {
    subscriptions
        .iter()
        .map(|s| {
            let detail = match s.fd() {
                Some(fd) => i64::from(fd),
                None => s.nanos().expect("a clock has a time-out") as i64,
            };
            (s.userdata(), s.event_type(), detail)
        })
        .collect()
}

impl Host for Model {
    type Writes = Model;

    fn poll(
        &mut self,
        subscriptions: &[Subscription],
        events: &mut [Event],
    ) -> Result<usize, Errno> {
        let state = &mut *self.0.borrow_mut();
        state.polls += 1;
        if state.costs {
            let these: BTreeSet<u64> = subscriptions.iter().map(|s| s.userdata()).collect();
            let changed = these.symmetric_difference(&state.before).count();
            let took = 600 * (subscriptions.len() + changed) as u64;
            state.before = these;
            state.now += took;
            state.cpu_time += took;
        }
        assert!(state.polls < 1_000_000, "the poller spins");
        assert!(!subscriptions.is_empty(), "an empty poll corrupts the host");
        assert!(events.len() >= subscriptions.len(), "too few events");

        let asked = shape(subscriptions);
        let mut named: Vec<_> = asked.iter().map(|&(_, tag, fd)| (tag.0, fd)).collect();
        named.sort_unstable();
        named.dedup();
        assert_eq!(named.len(), asked.len(), "a direction is named twice");

        let mut deadline = None;
        for &(_, tag, detail) in &asked {
            if tag == EventType::CLOCK {
                deadline = Some(state.now.saturating_add(detail as u64));
            } else {
                let fd = i32::try_from(detail).expect("descriptors are 32 bits");
                assert!(
                    state.sockets.contains_key(&fd),
                    "a closed descriptor is polled"
                );
            }
        }

        let replay = state.interrupted.take();
        if let Some(before) = &replay {
            assert_eq!(
                before, &asked,
                "the host aborts unless the call is repeated"
            );
            // The old timer still fires at the old deadline.
            deadline = state.interrupted_deadline.take();
        }
        if state.signals > 0 {
            state.signals -= 1;
            for (event, &(userdata, tag, _)) in events.iter_mut().zip(&asked) {
                *event = Event::new(userdata, tag, Errno::INTR, false);
            }
            let count = asked.len();
            state.interrupted = Some(asked);
            state.interrupted_deadline = deadline;
            return Ok(count);
        }

        let mut count = 0;
        let mut ended = false;
        for &(userdata, tag, detail) in &asked {
            if tag == EventType::CLOCK {
                continue;
            }
            let socket = &state.sockets[&(detail as i32)];
            ended |= socket.read_closed || socket.pending_error;
            let ready = if tag == EventType::READ {
                socket.readable || socket.read_closed || socket.hang_up
            } else {
                socket.writable || socket.hang_up || socket.pending_error
            };
            if ready {
                events[count] = Event::new(userdata, tag, Errno::SUCCESS, socket.hang_up);
                count += 1;
            }
        }
        if count > 0 || ended {
            if replay.is_some() && count > 0 {
                // Descriptors that are not ready come back as EEXIST.
                for &(userdata, tag, detail) in &asked {
                    if tag != EventType::CLOCK
                        && !events[..count].iter().any(|e| e.userdata() == userdata)
                        && state.sockets.contains_key(&(detail as i32))
                    {
                        events[count] = Event::new(userdata, tag, Errno::EXIST, false);
                        count += 1;
                    }
                }
            }
            return Ok(count);
        }
        match deadline {
            Some(deadline) => {
                state.now = state.now.max(deadline);
                let clock = asked
                    .iter()
                    .find(|s| s.1 == EventType::CLOCK)
                    .expect("a clock");
                events[0] = Event::new(clock.0, EventType::CLOCK, Errno::SUCCESS, false);
                Ok(1)
            }
            None => {
                state.hung = true;
                panic!("the wait would never end");
            }
        }
    }

    fn now(&mut self) -> u64 {
        self.0.borrow().now
    }

    fn cpu_time(&mut self) -> u64 {
        self.0.borrow().cpu_time
    }

    fn is_datagram(&mut self, fd: i32) -> bool {
        self.0.borrow().sockets[&fd].datagram
    }

    fn is_nonblocking(&mut self, fd: i32) -> bool {
        !self.0.borrow().sockets[&fd].blocking
    }

    fn probe(&mut self, fd: i32) -> Probe {
        let state = &mut *self.0.borrow_mut();
        state.probes += 1;
        if state.costs {
            state.now += 2500;
            state.cpu_time += 2500;
        }
        let socket = &state.sockets[&fd];
        assert!(!socket.datagram, "a probe would take a datagram's error");
        assert!(!socket.blocking, "a probe would block");
        if socket.listener {
            Probe::NoConnection
        } else if socket.readable || socket.read_closed || socket.hang_up {
            Probe::Something
        } else {
            Probe::Nothing
        }
    }

    fn keep_error(&mut self, fd: i32) -> bool {
        let mut state = self.0.borrow_mut();
        let socket = state.sockets.get_mut(&fd).expect("an open socket");
        std::mem::take(&mut socket.reset)
    }

    fn take_shut(&mut self, is_ours: impl Fn(i32) -> bool, into: &mut Vec<(i32, Shutdown)>) {
        let mut state = self.0.borrow_mut();
        into.extend(state.shut.extract_if(.., |(fd, _)| is_ours(*fd)));
    }

    fn writes(&mut self) -> &mut Model {
        self
    }

    fn always_ready(&mut self) -> Option<i32> {
        let mut state = self.0.borrow_mut();
        state.sockets.insert(ALWAYS_READY, Socket::hung_up());
        Some(ALWAYS_READY)
    }
}

impl Writes for Model {
    fn flush(&mut self) -> bool {
        let state = self.0.borrow();
        !state.backlogs.is_empty() || !state.orphans.is_empty()
    }

    fn backlogs(&mut self, into: &mut Vec<Backlog>) {
        let state = &mut *self.0.borrow_mut();
        for (&fd, (_, fresh)) in &mut state.backlogs {
            into.push(Backlog {
                fd,
                is_orphan: state.orphans.contains(&fd),
                is_fresh: std::mem::take(fresh),
            });
        }
    }

    fn send_backlog(&mut self, fd: i32) -> Sent {
        let state = &mut *self.0.borrow_mut();
        state.tries += 1;
        let Some((left, _)) = state.backlogs.get_mut(&fd) else {
            return Sent::All;
        };
        let room = state.room.entry(fd).or_default();
        let taken = (*left).min(*room);
        *left -= taken;
        *room -= taken;
        if *left == 0 {
            state.backlogs.remove(&fd);
            return Sent::All;
        }
        if *room == 0 && taken > 0 {
            if let Some(socket) = state.sockets.get_mut(&fd) {
                socket.writable = false;
            }
        }
        if taken > 0 {
            Sent::Part
        } else {
            Sent::Nothing
        }
    }

    fn adopt(&mut self, fd: i32) {
        let state = &mut *self.0.borrow_mut();
        assert!(state.orphans.contains(&fd));
        assert!(state.adopted.insert(fd));
    }

    fn close_orphan(&mut self, fd: i32) {
        let state = &mut *self.0.borrow_mut();
        assert!(state.adopted.remove(&fd));
        assert!(!state.backlogs.contains_key(&fd));
        state.orphans.remove(&fd);
        state.sockets.remove(&fd);
    }
}
