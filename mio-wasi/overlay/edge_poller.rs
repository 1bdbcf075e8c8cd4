//! Waiting with an epoll: a source is registered once, and the kernel tells of edges. So
//! nothing is armed, probed or presumed here; an operation that finds a source exhausted
//! has nothing to say.
//!
//! Writes that were coalesced are sent before a wait. What the kernel does not take of
//! them is sent on when it tells that there is room.

use std::collections::BTreeMap;
use std::mem;
use std::net::Shutdown;
use std::task::Waker;

use wasmedge_host::coalesce::{Backlog, Sent};
use wasmedge_host::Errno;

use super::direction::{Direction, Interest, Readiness, Ready};
use super::registration::{Key, Owner, RegisterError};
use super::waiter::Waiter;
use super::writes::Writes;

/// What the poller asks of the system.
pub(crate) trait Epoll {
    /// What coalesces writes.
    type Writes: Writes;

    /// What keeps a descriptor registered.
    type Registered;

    /// Registers a descriptor. Whatever is ready of `interest` is told by the next wait.
    fn add(&mut self, fd: i32, interest: Interest, data: u64) -> Result<Self::Registered, Errno>;

    /// Changes the interest. Whatever is ready of it is told by the next wait.
    fn modify(
        &mut self,
        registered: &mut Self::Registered,
        interest: Interest,
        data: u64,
    ) -> Result<(), Errno>;

    /// Forgets a descriptor, before it is closed.
    fn remove(&mut self, registered: Self::Registered);

    /// Waits until something happens or `timeout` nanoseconds are over, and tells each
    /// thing: what the descriptor was registered with, and epoll's bits.
    fn wait(&mut self, timeout: Option<u64>, found: impl FnMut(u64, u32)) -> Result<(), Errno>;

    /// Monotonic clock, nanoseconds.
    fn now(&mut self) -> u64;

    /// Moves what the program has shut and the kernel has not yet, since there is a backlog,
    /// of the descriptors that `is_ours`, to `into`.
    fn take_shut(&mut self, is_ours: impl Fn(i32) -> bool, into: &mut Vec<(i32, Shutdown)>);

    /// What writes are coalesced.
    fn writes(&mut self) -> &mut Self::Writes;

    /// Whether a wait may find what is no source.
    fn has_more(&self) -> bool {
        false
    }

    /// Moves the wakers of whoever waits for what is no source, and was found by the last
    /// wait.
    fn take_wakers(&mut self, into: &mut Vec<Waker>) {
        let _ = into;
    }
}

/// What epoll says of a descriptor.
pub(crate) mod bits {
    pub(crate) const IN: u32 = 1;
    pub(crate) const PRI: u32 = 2;
    pub(crate) const OUT: u32 = 4;
    pub(crate) const ERR: u32 = 8;
    pub(crate) const HUP: u32 = 0x10;
    pub(crate) const RDHUP: u32 = 0x2000;
}

/// A registered source.
#[derive(Debug)]
struct Source<R> {
    registered: R,
    fd: i32,
    number: usize,
    interest: Interest,
    /// Something is to be sent on it before it can be written to.
    has_backlog: bool,
    /// Its owner has closed it, and it is kept for its backlog.
    is_orphan: bool,
}

#[derive(Debug)]
struct Slot<R> {
    generation: u32,
    source: Option<Source<R>>,
}

/// Waits with an epoll; see [`Waiter`].
#[derive(Debug)]
pub(crate) struct EdgePoller<E: Epoll> {
    pub(crate) epoll: E,
    slots: Vec<Slot<E::Registered>>,
    free: Vec<u32>,
    by_fd: BTreeMap<i32, u32>,
    wakes: Vec<usize>,
    /// Room for the list of backlogs, and of sources that have room for theirs.
    backlogs: Vec<Backlog>,
    /// Room for the list of what was shut.
    shut: Vec<(i32, Shutdown)>,
    with_room: Vec<(u32, u32)>,
}

impl<E: Epoll> EdgePoller<E> {
    pub(crate) fn new(epoll: E) -> EdgePoller<E> {
        EdgePoller {
            epoll,
            slots: Vec::new(),
            free: Vec::new(),
            by_fd: BTreeMap::new(),
            wakes: Vec::new(),
            backlogs: Vec::new(),
            shut: Vec::new(),
            with_room: Vec::new(),
        }
    }

    fn source(&mut self, key: Key) -> Option<&mut Source<E::Registered>> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        let is_live = slot.generation == key.generation;
        slot.source.as_mut().filter(|_| is_live)
    }

    fn key(&self, slot: u32) -> Key {
        Key {
            slot,
            generation: self.slots[slot as usize].generation,
        }
    }

    fn insert_source(
        &mut self,
        fd: i32,
        number: usize,
        interest: Interest,
        is_orphan: bool,
    ) -> Result<Key, RegisterError> {
        if self.by_fd.contains_key(&fd) {
            return Err(RegisterError::AlreadyRegistered);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                source: None,
            });
            self.slots.len() as u32 - 1
        });
        let key = self.key(slot);
        match self.epoll.add(fd, interest, pack(key)) {
            Ok(registered) => {
                self.slots[slot as usize].source = Some(Source {
                    registered,
                    fd,
                    number,
                    interest,
                    has_backlog: is_orphan,
                    is_orphan,
                });
                self.by_fd.insert(fd, slot);
                Ok(key)
            }
            Err(errno) => {
                self.free.push(slot);
                Err(match errno {
                    Errno::EXIST => RegisterError::AlreadyRegistered,
                    errno => RegisterError::Refused(errno),
                })
            }
        }
    }

    /// Sees to it that what the kernel did not take is sent on when there is room.
    fn watch_backlogs(&mut self) {
        let mut backlogs = mem::take(&mut self.backlogs);
        self.epoll.writes().backlogs(&mut backlogs);
        for backlog in backlogs.drain(..) {
            let Some(&slot) = self.by_fd.get(&backlog.fd) else {
                // Of those that nobody waits for, orphans are ours.
                if backlog.is_orphan
                    && self
                        .insert_source(backlog.fd, 0, Interest::WRITE, true)
                        .is_ok()
                {
                    self.epoll.writes().adopt(backlog.fd);
                }
                continue;
            };
            let data = pack(self.key(slot));
            let Some(source) = &mut self.slots[slot as usize].source else {
                continue;
            };
            let knew = mem::replace(&mut source.has_backlog, true);
            if !knew && !source.interest.has(Direction::Write) {
                let both = source.interest.or(Interest::WRITE);
                // It was registered a moment ago: nothing stands against a change.
                let _ = self.epoll.modify(&mut source.registered, both, data);
            }
        }
        self.backlogs = backlogs;
    }

    /// Sends a backlog, for which there is room. Returns whether nothing is left of it.
    fn send_backlog(&mut self, slot: u32) -> bool {
        let data = pack(self.key(slot));
        let Some(source) = &mut self.slots[slot as usize].source else {
            return true;
        };
        let fd = source.fd;
        if self.epoll.writes().send_backlog(fd) != Sent::All {
            // The kernel tells of the next room, since it has refused something now.
            return false;
        }
        source.has_backlog = false;
        if source.is_orphan {
            self.remove(self.key(slot));
            self.epoll.writes().close_orphan(fd);
        } else if !source.interest.has(Direction::Write) {
            let interest = source.interest;
            let _ = self.epoll.modify(&mut source.registered, interest, data);
        }
        true
    }

    /// Tells of what is shut for the program, and not yet for the kernel. Returns whether
    /// there was something.
    fn report_shut(&mut self, report: &mut impl FnMut(Readiness)) -> bool {
        let EdgePoller {
            epoll,
            slots,
            by_fd,
            shut,
            ..
        } = self;
        epoll.take_shut(|fd| by_fd.contains_key(&fd), shut);
        let mut found = false;
        for (fd, how) in shut.drain(..) {
            let slot = by_fd.get(&fd).map(|&slot| &slots[slot as usize]);
            let Some(source) = slot.and_then(|slot| slot.source.as_ref()) else {
                continue;
            };
            let closed = match how {
                Shutdown::Read => Interest::READ,
                Shutdown::Write => Interest::WRITE,
                Shutdown::Both => Interest::BOTH,
            };
            found = true;
            report(Readiness {
                token: source.number,
                ready: closed.as_ready().within(source.interest),
                read_closed: closed.has(Direction::Read),
                write_closed: closed.has(Direction::Write),
                error: false,
                priority: false,
            });
        }
        found
    }

    fn report_wakes(&mut self, report: &mut impl FnMut(Readiness)) {
        for number in self.wakes.drain(..) {
            report(Readiness::of(number, Ready::READABLE));
        }
    }
}

impl<E: Epoll> Waiter for EdgePoller<E> {
    fn insert(
        &mut self,
        fd: i32,
        number: usize,
        interest: Interest,
        _owner: Owner,
    ) -> Result<Key, RegisterError> {
        self.insert_source(fd, number, interest, false)
    }

    fn update(&mut self, key: Key, interest: Interest) {
        let data = pack(key);
        let Some(source) = self.source(key) else {
            return;
        };
        source.interest = interest;
        let waited_for = match source.has_backlog {
            true => interest.or(Interest::WRITE),
            false => interest,
        };
        let Some(source) = &mut self.slots[key.slot as usize].source else {
            return;
        };
        // What was registered stays so until it is closed.
        let _ = self.epoll.modify(&mut source.registered, waited_for, data);
    }

    fn remove(&mut self, key: Key) {
        if self.source(key).is_none() {
            return;
        }
        let slot = &mut self.slots[key.slot as usize];
        slot.generation = slot.generation.wrapping_add(1);
        if let Some(source) = slot.source.take() {
            self.by_fd.remove(&source.fd);
            self.epoll.remove(source.registered);
        }
        self.free.push(key.slot);
    }

    fn number(&self, key: Key) -> Option<usize> {
        let slot = self.slots.get(key.slot as usize)?;
        let source = slot.source.as_ref()?;
        (slot.generation == key.generation).then_some(source.number)
    }

    fn find(&self, fd: i32) -> Option<Key> {
        self.by_fd.get(&fd).map(|&slot| self.key(slot))
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
        if self.epoll.writes().flush() {
            self.watch_backlogs();
        }
    }

    fn now(&mut self) -> u64 {
        self.epoll.now()
    }

    fn wait(
        &mut self,
        timeout: Option<u64>,
        mut report: impl FnMut(Readiness),
    ) -> Result<(), Errno> {
        self.flush();
        let is_shut = self.report_shut(&mut report);
        let is_woken = is_shut || !self.wakes.is_empty();
        let has_none = self.by_fd.is_empty() && !self.epoll.has_more();
        if has_none && (is_woken || timeout == Some(0)) {
            self.report_wakes(&mut report);
            return Ok(());
        }
        let timeout = if is_woken { Some(0) } else { timeout };
        let EdgePoller {
            epoll,
            slots,
            with_room,
            ..
        } = self;
        epoll.wait(timeout, |data, events| {
            let key = unpack(data);
            let Some(slot) = slots.get(key.slot as usize) else {
                return;
            };
            // One that was closed in another way than by mio may be told of for a while.
            let Some(source) = slot
                .source
                .as_ref()
                .filter(|_| slot.generation == key.generation)
            else {
                return;
            };
            if source.has_backlog && events & (bits::OUT | bits::ERR | bits::HUP) != 0 {
                with_room.push((key.slot, events));
                return;
            }
            if let Some(readiness) = readiness(source.number, source.interest, events) {
                report(readiness);
            }
        })?;
        for (slot, mut events) in mem::take(&mut self.with_room) {
            if !self.send_backlog(slot) {
                // To whoever writes there is no room yet.
                events &= !bits::OUT;
            }
            let source = self.slots[slot as usize].source.as_ref();
            let told = source
                .filter(|source| !source.is_orphan)
                .and_then(|source| readiness(source.number, source.interest, events));
            if let Some(readiness) = told {
                report(readiness);
            }
        }
        self.report_wakes(&mut report);
        Ok(())
    }

    fn take_wakers(&mut self, into: &mut Vec<Waker>) {
        self.epoll.take_wakers(into);
    }
}

/// What mio tells of a source of which epoll says `events`; `None` where that is nothing
/// of interest.
fn readiness(number: usize, interest: Interest, events: u32) -> Option<Readiness> {
    let has = |bit: u32| events & bit != 0;
    let priority = has(bits::PRI) && interest.has_priority();
    let ready = Ready::new(has(bits::IN), has(bits::OUT)).within(interest);
    let ready = ready.or(Ready::new(priority, false));
    let told = Readiness {
        token: number,
        ready,
        read_closed: has(bits::HUP) || has(bits::IN) && has(bits::RDHUP),
        write_closed: has(bits::HUP) || has(bits::OUT) && has(bits::ERR) || events == bits::ERR,
        error: has(bits::ERR),
        priority,
    };
    let is_something = !ready.is_empty() || told.read_closed || told.write_closed || told.error;
    is_something.then_some(told)
}

fn pack(key: Key) -> u64 {
    u64::from(key.generation) << 32 | u64::from(key.slot)
}

fn unpack(data: u64) -> Key {
    Key {
        slot: data as u32,
        generation: (data >> 32) as u32,
    }
}
