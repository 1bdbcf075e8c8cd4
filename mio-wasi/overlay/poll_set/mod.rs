//! What the selector asks the host about: registered sources, and which of
//! their directions are *armed*.
//!
//! mio promises edges, the host answers levels. A direction is therefore armed
//! only while nobody knows it to be ready: registration arms it, an event
//! disarms it, and the I/O operation that finds it exhausted (`WouldBlock`, or
//! a short transfer on a stream) arms it again. This also keeps the set that
//! the host has to walk on every call as small as it can be. An operation that took
//! something and leaves open whether there is more has its source armed as late as the
//! next poll: mostly the next operation comes first.
//!
//! Two more states are for speed, and both are as good as armed:
//!
//! * *cold*: reading is left out of the array, and its source is probed from time to
//!   time; see `pace.rs`;
//! * *speculative*: the direction is reported as ready at the next wait without asking
//!   the host; see `speculative.rs`.
//!
//! Nothing here calls the host; the module is tested natively.

mod cold;
mod slot;
mod speculative;
mod subscriptions;

use std::collections::BTreeMap;
use std::mem;

use wasmedge_host::abi::Subscription;

use self::cold::ColdQueue;
use self::slot::{ReadState, Slot, Source, WriteState};
use self::subscriptions::Subscriptions;
use super::direction::{Direction, Interest, Readiness, Ready};
use super::registration::{Key, Owner, RegisterError};

pub(crate) use self::slot::{Kind, Probing, Speculation};
pub(crate) use self::subscriptions::{Head, CLOCK};

/// Whether an event with this user data is the registration's, if that is live.
pub(crate) fn is_of(userdata: u64, key: Key) -> bool {
    subscriptions::unpack(userdata).is_some_and(|(slot, _)| slot == key.slot)
}

/// What whoever looks for sources is told of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) fd: i32,
    pub(crate) kind: Kind,
    pub(crate) probing: Probing,
}

/// The registered sources and their armed subscriptions.
#[derive(Debug)]
pub(crate) struct PollSet {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_fd: BTreeMap<i32, u32>,
    subscriptions: Subscriptions,
    /// How many are armed of which only a poll can tell: writers that wait, and
    /// what others do the I/O on.
    opaque: usize,
    cold: ColdQueue,
    /// Who has a speculative direction, and who had one that was disarmed since.
    speculative: Vec<Key>,
    /// Who has had something taken since it was told that it can be read.
    taken: Vec<Key>,
    /// The era that armed directions are of; see `pace.rs`.
    pub(crate) era: u32,
}

impl PollSet {
    pub(crate) fn new() -> PollSet {
        PollSet {
            slots: Vec::new(),
            free: Vec::new(),
            by_fd: BTreeMap::new(),
            subscriptions: Subscriptions::new(),
            opaque: 0,
            cold: ColdQueue::default(),
            speculative: Vec::new(),
            taken: Vec::new(),
            era: 0,
        }
    }

    // ===== registration =====

    /// Registers `fd` and arms every direction of `interest`; writing of a connection
    /// that was just accepted is speculative instead.
    pub(crate) fn insert(
        &mut self,
        fd: i32,
        token: usize,
        interest: Interest,
        owner: Owner,
    ) -> Result<Key, RegisterError> {
        if self.by_fd.contains_key(&fd) {
            return Err(RegisterError::AlreadyRegistered);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[index as usize];
        let source = slot.source.insert(Source::new(fd, token, interest, owner));
        let interest = source.interest;
        let key = Key {
            slot: index,
            generation: slot.generation,
        };
        self.by_fd.insert(fd, index);
        if owner == Owner::MioAccepted {
            self.speculate_writing(key);
            self.arm_slot(index, interest.without(Interest::WRITE));
        } else {
            self.arm_slot(index, interest);
        }
        Ok(key)
    }

    /// Finds the registration of `fd`, for sources that keep no key.
    pub(crate) fn find(&self, fd: i32) -> Option<Key> {
        let slot = *self.by_fd.get(&fd)?;
        Some(self.key(slot))
    }

    /// The token of a registration, if the key is live.
    pub(crate) fn token(&self, key: Key) -> Option<usize> {
        let slot = self.slots.get(key.slot as usize)?;
        let source = slot.source.as_ref()?;
        (slot.generation == key.generation).then_some(source.token)
    }

    /// Replaces token and interest and arms the whole interest anew, as mio's
    /// `reregister` promises. Returns whether the key was live.
    pub(crate) fn update(&mut self, key: Key, token: usize, interest: Interest) -> bool {
        let Some(source) = self.source_mut(key) else {
            return false;
        };
        source.reregister(token, interest);
        let interest = source.interest;
        self.disarm_slot(key.slot, Interest::BOTH.without(interest));
        self.arm_slot(key.slot, interest);
        true
    }

    /// Forgets a registration. Must come before the descriptor is closed: a
    /// closed descriptor in a poll is reported only once something else ends
    /// the wait. Returns whether the key was live.
    pub(crate) fn remove(&mut self, key: Key) -> bool {
        let Some(fd) = self.source_mut(key).map(|source| source.fd) else {
            return false;
        };
        self.disarm_slot(key.slot, Interest::BOTH);
        let slot = &mut self.slots[key.slot as usize];
        slot.source = None;
        slot.generation = slot.generation.wrapping_add(1);
        self.by_fd.remove(&fd);
        self.free.push(key.slot);
        true
    }

    // ===== arming =====

    /// Arms those of `interest` that the registration is interested in. What is cold
    /// stays so. Of reading that is closed nothing new comes, and the host would tell the
    /// old again.
    pub(crate) fn arm(&mut self, key: Key, interest: Interest) {
        if let Some(source) = self.source_mut(key) {
            let mut interest = source.interest.and(interest);
            let is_closed = source.closed.has(Direction::Read);
            if is_closed || matches!(source.read, ReadState::Cold { .. }) {
                interest = interest.without(Interest::READ);
            }
            self.arm_slot(key.slot, interest);
        }
    }

    /// Arms writing, whatever the registration is interested in: the source has a
    /// backlog to send. Its event reports no direction that is not of interest.
    pub(crate) fn arm_for_backlog(&mut self, key: Key) {
        if let Some(source) = self.source_mut(key) {
            source.told_writable = false;
            self.arm_slot(key.slot, Interest::WRITE);
        }
    }

    /// Disarms without an event. Used to leave a source alone that the host cannot
    /// wait for.
    pub(crate) fn disarm(&mut self, key: Key, interest: Interest) {
        if self.source_mut(key).is_some() {
            self.disarm_slot(key.slot, interest);
        }
    }

    /// Something was taken from a source, and perhaps there is more.
    pub(crate) fn took(&mut self, key: Key) {
        if let Some(source) = self.source_mut(key) {
            if source.read == ReadState::Told && !source.closed.has(Direction::Read) {
                source.read = ReadState::Taken;
                if !mem::replace(&mut source.listed_taken, true) {
                    self.taken.push(key);
                }
            }
        }
    }

    /// Arms the sources that something was taken from.
    pub(crate) fn arm_taken(&mut self) {
        while let Some(key) = self.taken.pop() {
            let Some(source) = self.source_mut(key) else {
                continue;
            };
            source.listed_taken = false;
            if source.read == ReadState::Taken {
                self.arm(key, Interest::READ);
            }
        }
    }

    /// The end of what a source has to say was read.
    pub(crate) fn ended(&mut self, key: Key) {
        if let Some(source) = self.source_mut(key) {
            source.closed = source.closed.or(Interest::READ);
        }
    }

    /// Disarms what the event with this user data told, and says what to tell of its
    /// source. `None` where the subscription is not (or no longer) of this set, or its
    /// direction is of no interest.
    pub(crate) fn take_event(&mut self, userdata: u64, hang_up: bool) -> Option<Readiness> {
        let (index, direction) = subscriptions::unpack(userdata)?;
        let source = self.slots.get_mut(index as usize)?.source.as_mut()?;
        source.position_mut(direction)?;
        source.told_writable |= direction == Direction::Write;
        match direction {
            Direction::Read => self.leave_read(index, ReadState::Told),
            Direction::Write => self.leave_write(index, WriteState::Told),
        }
        let source = self.slots[index as usize].source.as_ref()?;
        let is_asked = source.interest.has(direction);
        is_asked.then(|| source.readiness(Ready::of(direction), hang_up))
    }

    /// The socket of which a hang-up with this user data may be a failure: mio does the
    /// I/O on it, and has not ended it itself.
    pub(crate) fn failed(&self, userdata: u64) -> Option<i32> {
        let (index, _) = subscriptions::unpack(userdata)?;
        let source = self.slots.get(index as usize)?.source.as_ref()?;
        let may_have = source.owner != Owner::Foreign && source.closed != Interest::BOTH;
        may_have.then_some(source.fd)
    }

    /// Whether an event for writing is awaited, or speculative.
    pub(crate) fn awaits_writing(&self, key: Key) -> bool {
        let source = self.slots[key.slot as usize].source.as_ref();
        source.is_some_and(|source| {
            matches!(
                source.write,
                WriteState::Armed { .. } | WriteState::Speculative
            )
        })
    }

    /// Whether an event has told that the source can be written to; true once.
    pub(crate) fn take_told_writable(&mut self, key: Key) -> bool {
        let source = self.source_mut(key);
        source.is_some_and(|source| mem::take(&mut source.told_writable))
    }

    // ===== polls =====

    /// The armed subscriptions, led by `head`, for a poll.
    pub(crate) fn subscriptions(&mut self, head: Head) -> &[Subscription] {
        self.subscriptions.for_poll(head)
    }

    /// The user data under which an armed direction's event would come.
    pub(crate) fn userdata(key: Key, direction: Direction) -> u64 {
        subscriptions::pack(key.slot, direction)
    }

    /// How many subscriptions are armed, the head not counted.
    pub(crate) fn armed(&self) -> usize {
        self.subscriptions.len()
    }

    /// How many directions have been armed since the last poll.
    pub(crate) fn armed_since_poll(&self) -> usize {
        self.subscriptions.added_since_poll()
    }

    /// Whether only a poll can tell of something that is armed.
    pub(crate) fn is_opaque(&self) -> bool {
        self.opaque > 0
    }

    /// Whether no source is waited for, nor is any speculative.
    pub(crate) fn is_quiet(&self) -> bool {
        self.armed() == 0
            && self.cold() == 0
            && self.speculative.is_empty()
            && self.taken.is_empty()
    }

    /// Goes round among what has been armed since the last poll, and names one. `None`
    /// where there is none, or it is a writer.
    pub(crate) fn next_new(&mut self) -> Option<Entry> {
        match self.subscriptions.next_new()? {
            (slot, Direction::Read) => self.entry(slot),
            (_, Direction::Write) => None,
        }
    }

    /// Every registration that is armed for exactly `interest`.
    pub(crate) fn armed_exactly(&self, interest: Interest) -> impl Iterator<Item = Entry> + '_ {
        (0..self.slots.len() as u32).filter_map(move |slot| {
            let source = self.slots[slot as usize].source.as_ref()?;
            (source.armed() == interest).then(|| self.entry(slot))?
        })
    }

    // ===== what is known of a source =====

    /// Remembers what kind of socket a source is.
    pub(crate) fn set_kind(&mut self, key: Key, kind: Kind) {
        if let Some(source) = self.source_mut(key) {
            source.kind = kind;
        }
    }

    /// Remembers that the source is in non-blocking mode, so that it may be probed.
    pub(crate) fn allow_probing(&mut self, key: Key) {
        if let Some(source) = self.source_mut(key) {
            if source.probing == Probing::Untried {
                source.probing = Probing::Allowed;
            }
        }
    }

    // ===== transitions =====

    fn key(&self, slot: u32) -> Key {
        Key {
            slot,
            generation: self.slots[slot as usize].generation,
        }
    }

    fn entry(&self, slot: u32) -> Option<Entry> {
        let source = self.slots[slot as usize].source.as_ref()?;
        Some(Entry {
            key: self.key(slot),
            fd: source.fd,
            kind: source.kind,
            probing: source.probing,
        })
    }

    fn source_mut(&mut self, key: Key) -> Option<&mut Source> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        match slot.generation == key.generation {
            true => slot.source.as_mut(),
            false => None,
        }
    }

    fn arm_slot(&mut self, slot: u32, interest: Interest) {
        let Some(source) = self.slots[slot as usize].source.as_mut() else {
            return;
        };
        if interest.has(Direction::Read) {
            let is_cold = matches!(source.read, ReadState::Cold { .. });
            let is_waited_for = matches!(
                source.read,
                ReadState::Armed { .. } | ReadState::Speculative
            );
            if !is_waited_for {
                if is_cold {
                    self.cold.leave();
                }
                self.opaque += usize::from(source.owner == Owner::Foreign);
                let at = self.subscriptions.push(slot, Direction::Read, source.fd);
                source.read = ReadState::Armed { at, era: self.era };
            }
        }
        let waits_to_write = matches!(
            source.write,
            WriteState::Armed { .. } | WriteState::Speculative
        );
        if interest.has(Direction::Write) && !waits_to_write {
            self.opaque += 1;
            let at = self.subscriptions.push(slot, Direction::Write, source.fd);
            source.write = WriteState::Armed { at };
        }
    }

    fn disarm_slot(&mut self, slot: u32, interest: Interest) {
        for direction in [Direction::Read, Direction::Write] {
            match direction {
                _ if !interest.has(direction) => {}
                Direction::Read => self.leave_read(slot, ReadState::Idle),
                Direction::Write => self.leave_write(slot, WriteState::Idle),
            }
        }
    }

    /// Reading goes over into a state in which it is not armed.
    fn leave_read(&mut self, slot: u32, next: ReadState) {
        let Some(source) = self.slots[slot as usize].source.as_mut() else {
            return;
        };
        let is_foreign = source.owner == Owner::Foreign;
        match mem::replace(&mut source.read, next) {
            ReadState::Idle | ReadState::Told | ReadState::Taken | ReadState::Speculative => {}
            ReadState::Cold { .. } => self.cold.leave(),
            ReadState::Armed { at, .. } => {
                self.opaque -= usize::from(is_foreign);
                self.remove_subscription(at);
            }
        }
    }

    /// Writing goes over into a state in which it is not armed.
    fn leave_write(&mut self, slot: u32, next: WriteState) {
        let Some(source) = self.slots[slot as usize].source.as_mut() else {
            return;
        };
        if let WriteState::Armed { at } = mem::replace(&mut source.write, next) {
            self.opaque -= 1;
            self.remove_subscription(at);
        }
    }

    fn remove_subscription(&mut self, at: u32) {
        let PollSet {
            slots,
            subscriptions,
            ..
        } = self;
        subscriptions.remove(at, |slot, direction, at| {
            let source = slots[slot as usize].source.as_mut();
            // The one that goes has no position any more.
            if let Some(position) = source.and_then(|source| source.position_mut(direction)) {
                *position = at;
            }
        });
    }
}
