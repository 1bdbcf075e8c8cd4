//! What the selector asks the host about: registered sources, and which of
//! their directions are *armed*.
//!
//! mio promises edges, the host answers levels. A direction is therefore armed
//! only while nobody knows it to be ready: registration arms it, an event
//! disarms it, and the I/O operation that finds it exhausted (`WouldBlock`, or
//! a short transfer on a stream) arms it again. This also keeps the set that
//! the host has to walk on every call as small as it can be.
//!
//! The subscriptions live in one dense array that is handed to the host as it
//! is: arming appends, disarming swaps the last one into the gap. A source's
//! slot number travels in the subscription's user data and comes back with the
//! event, so no event needs a lookup and no poll rebuilds the array.
//!
//! Two more states are for speed, and both are as good as armed:
//!
//! * *cold*: the direction is left out of the array, and its source is probed
//!   from time to time; see `pace.rs`;
//! * *presumed*: the direction is told as ready at the next wait without asking
//!   the host; see `presumption.rs`.
//!
//! What has been armed since the last poll stands at the end of the array: while
//! polls are left out, those are the ones to look at; see `pace.rs`.
//!
//! Nothing here calls the host; the module is tested natively.

use std::collections::{BTreeMap, VecDeque};

use wasmedge_host::abi::Subscription;

/// A set of directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Directions(u8);

impl Directions {
    pub(crate) const NONE: Directions = Directions(0);
    pub(crate) const READ: Directions = Directions(1);
    pub(crate) const WRITE: Directions = Directions(2);
    pub(crate) const BOTH: Directions = Directions(3);

    pub(crate) const fn new(read: bool, write: bool) -> Directions {
        Directions(read as u8 | (write as u8) << 1)
    }

    pub(crate) const fn has(self, other: Directions) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn and(self, other: Directions) -> Directions {
        Directions(self.0 & other.0)
    }

    pub(crate) const fn with(self, other: Directions) -> Directions {
        Directions(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Directions) -> Directions {
        Directions(self.0 & !other.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Names one registration. A key that outlives its registration matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    slot: u32,
    generation: u32,
}

impl Key {
    /// Whether `other` names this or another registration at the same place. At most one
    /// of all of those is live.
    pub(crate) fn shares(self, other: Key) -> bool {
        self.slot == other.slot
    }

    /// Whether an event with this user data is the registration's, if it is live.
    pub(crate) fn is_of(self, userdata: u64) -> bool {
        unpack(userdata).is_some_and(|(slot, _)| slot == self.slot)
    }
}

/// Why a source cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegisterError {
    /// The descriptor is registered already: the host would answer the second
    /// subscription with an error and never with readiness.
    AlreadyRegistered,
}

/// Who does the I/O on a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// mio, through the host layer: the source may be probed.
    Mio,
    /// Mio, and the socket was just accepted: it is connected, and nothing has
    /// been sent on it.
    MioAccepted,
    /// Mio, and the socket waits for connections: it is never writable, and asking about
    /// that (as tokio does) is not worth a subscription.
    MioListener,
    /// Somebody else, unseen.
    Foreign,
}

/// What made a direction be presumed ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trial {
    /// It was served a moment ago.
    Served,
    /// The connection is new.
    Accepted,
}

/// What kind of socket a source is; asked of the host only when it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unknown,
    Stream,
    Datagram,
}

#[derive(Debug)]
struct Slot {
    fd: i32,
    generation: u32,
    token: usize,
    interest: Directions,
    /// Position in `subscriptions` of the read and of the write subscription;
    /// 0 (the clock's place) where the direction is not armed.
    position: [u32; 2],
    kind: Kind,
    live: bool,
    /// Whether reading may become cold.
    may_cool: bool,
    owner: Owner,
    /// The socket is known to be in non-blocking mode.
    nonblocking: bool,
    /// The era in which reading was armed.
    era: u32,
    /// Names the place in the queue of cold sources; 0 where it is not cold.
    cold: u32,
    presumed: Directions,
    /// An event has told that it can be written to.
    told_writable: bool,
    /// It has been told that the writing side is shut.
    told_shut: bool,
    /// Reading was presumed, and it is not known yet whether rightly.
    trial: Option<Trial>,
}

impl Slot {
    /// What of `interest` can ever come to pass.
    fn of_interest(&self, interest: Directions) -> Directions {
        match self.owner {
            Owner::MioListener => interest.and(Directions::READ),
            _ => interest,
        }
    }
}

const READ: usize = 0;
const WRITE: usize = 1;

/// What leads the subscriptions of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Nothing: the wait has no end.
    Nothing,
    /// A relative clock, in nanoseconds.
    Clock(u64),
    /// A descriptor that is always ready to read: the poll returns at once.
    Ready(i32),
}

/// User data of the head; no slot has this number.
pub(crate) const CLOCK: u64 = u64::MAX;

/// The registered sources and their armed subscriptions.
#[derive(Debug)]
pub(crate) struct PollSet {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_fd: BTreeMap<i32, u32>,
    /// Index 0 is kept for the head, whether or not a poll uses it.
    subscriptions: Vec<Subscription>,
    /// Those from here on have been armed since the last poll.
    new: usize,
    /// Where the next look at the new ones begins.
    cursor: usize,
    /// How many are armed of which only a poll can tell: writers that wait, and
    /// what others do the I/O on.
    opaque: usize,
    /// Cold sources in the order in which they are to be probed, and what is
    /// left of former ones.
    queue: VecDeque<(u32, u32)>,
    /// How many sources are cold.
    cold: usize,
    last_cold: u32,
    presumed: Vec<Key>,
    /// The era that armed directions are of; see `pace.rs`.
    pub(crate) era: u32,
}

impl PollSet {
    pub(crate) fn new() -> PollSet {
        PollSet {
            slots: Vec::new(),
            free: Vec::new(),
            by_fd: BTreeMap::new(),
            subscriptions: vec![Subscription::clock_relative(CLOCK, 0)],
            new: 1,
            cursor: 0,
            opaque: 0,
            queue: VecDeque::new(),
            cold: 0,
            last_cold: 0,
            presumed: Vec::new(),
            era: 0,
        }
    }

    /// Registers `fd` and arms every direction of `interest`; a connection that
    /// was just accepted is presumed writable instead.
    pub(crate) fn insert(
        &mut self,
        fd: i32,
        token: usize,
        interest: Directions,
        owner: Owner,
    ) -> Result<Key, RegisterError> {
        if self.by_fd.contains_key(&fd) {
            return Err(RegisterError::AlreadyRegistered);
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(Slot {
                    fd,
                    generation: 0,
                    token,
                    interest,
                    position: [0; 2],
                    kind: Kind::Unknown,
                    live: false,
                    may_cool: false,
                    owner,
                    nonblocking: false,
                    era: 0,
                    cold: 0,
                    presumed: Directions::NONE,
                    told_writable: false,
                    told_shut: false,
                    trial: None,
                });
                self.slots.len() as u32 - 1
            }
        };
        let slot = &mut self.slots[index as usize];
        slot.fd = fd;
        slot.token = token;
        slot.owner = owner;
        let interest = slot.of_interest(interest);
        slot.interest = interest;
        slot.kind = match owner {
            Owner::MioAccepted => Kind::Stream,
            Owner::Mio | Owner::MioListener | Owner::Foreign => Kind::Unknown,
        };
        slot.live = true;
        slot.may_cool = owner != Owner::Foreign;
        slot.nonblocking = owner == Owner::MioAccepted;
        slot.told_writable = false;
        slot.told_shut = false;
        slot.trial = None;
        let key = Key {
            slot: index,
            generation: slot.generation,
        };
        self.by_fd.insert(fd, index);
        if owner == Owner::MioAccepted {
            let writing = interest.and(Directions::WRITE);
            self.presume(key, writing, None);
            self.arm_slot(index, interest.without(writing));
        } else {
            self.arm_slot(index, interest);
        }
        Ok(key)
    }

    /// Finds the registration of `fd`, for sources that keep no key.
    pub(crate) fn find(&self, fd: i32) -> Option<Key> {
        let slot = *self.by_fd.get(&fd)?;
        Some(Key {
            slot,
            generation: self.slots[slot as usize].generation,
        })
    }

    /// Replaces token and interest and arms the whole interest anew, as mio's
    /// `reregister` promises. Returns whether the key was live.
    pub(crate) fn update(&mut self, key: Key, token: usize, interest: Directions) -> bool {
        let Some(slot) = self.slot_mut(key) else {
            return false;
        };
        slot.token = token;
        let interest = slot.of_interest(interest);
        slot.interest = interest;
        self.disarm_slot(key.slot, Directions::BOTH.without(interest));
        self.arm_slot(key.slot, interest);
        true
    }

    /// Forgets a registration. Must come before the descriptor is closed: a
    /// closed descriptor in a poll is reported only once something else ends
    /// the wait. Returns whether the key was live.
    pub(crate) fn remove(&mut self, key: Key) -> bool {
        if self.slot_mut(key).is_none() {
            return false;
        }
        self.disarm_slot(key.slot, Directions::BOTH);
        let slot = &mut self.slots[key.slot as usize];
        slot.live = false;
        slot.generation = slot.generation.wrapping_add(1);
        let fd = slot.fd;
        self.by_fd.remove(&fd);
        self.free.push(key.slot);
        true
    }

    /// Arms those of `directions` that the registration is interested in.
    pub(crate) fn arm(&mut self, key: Key, directions: Directions) {
        if let Some(slot) = self.slot_mut(key) {
            let mut directions = slot.interest.and(directions);
            if slot.cold != 0 {
                directions = directions.without(Directions::READ);
            }
            self.arm_slot(key.slot, directions);
        }
    }

    /// Arms writing, whatever the registration is interested in: the source has a
    /// rest to send. Its event names no direction that is not of interest.
    pub(crate) fn arm_for_rest(&mut self, key: Key) {
        if let Some(slot) = self.slot_mut(key) {
            slot.told_writable = false;
            self.arm_slot(key.slot, Directions::WRITE);
        }
    }

    /// Whether an event for writing is awaited, or presumed.
    pub(crate) fn awaits_writing(&self, key: Key) -> bool {
        let slot = &self.slots[key.slot as usize];
        slot.position[WRITE] != 0 || slot.presumed.has(Directions::WRITE)
    }

    /// Whether an event has told that the source can be written to; true once.
    pub(crate) fn take_told_writable(&mut self, key: Key) -> bool {
        let slot = self.slot_mut(key);
        slot.is_some_and(|slot| std::mem::take(&mut slot.told_writable))
    }

    /// Disarms what the event with this user data told, and names its source.
    /// `None` where the subscription is not (or no longer) of this set.
    pub(crate) fn take_event(&mut self, userdata: u64) -> Option<(usize, Directions)> {
        let (index, direction) = unpack(userdata)?;
        let slot = self.slots.get(index as usize)?;
        let at = slot.position[direction];
        if at == 0 {
            return None;
        }
        let token = slot.token;
        let told = directions_of(direction);
        let of_interest = told.and(slot.interest);
        self.disarm_slot(index, told);
        self.slots[index as usize].told_writable |= direction == WRITE;
        Some((token, of_interest))
    }

    /// The armed subscriptions, led by `head`, for a poll.
    pub(crate) fn subscriptions(&mut self, head: Head) -> &[Subscription] {
        self.new = self.subscriptions.len();
        self.subscriptions[0] = match head {
            Head::Nothing => return &self.subscriptions[1..],
            Head::Clock(nanoseconds) => Subscription::clock_relative(CLOCK, nanoseconds),
            Head::Ready(fd) => Subscription::read(CLOCK, fd),
        };
        &self.subscriptions
    }

    /// How many subscriptions are armed, the head not counted.
    pub(crate) fn armed(&self) -> usize {
        self.subscriptions.len() - 1
    }

    /// How many directions have been armed since the last poll.
    pub(crate) fn armed_since_poll(&self) -> usize {
        self.subscriptions.len() - self.new
    }

    /// Whether only a poll can tell of something that is armed.
    pub(crate) fn is_opaque(&self) -> bool {
        self.opaque > 0
    }

    /// Goes round among what has been armed since the last poll, and names one:
    /// `(key, descriptor, kind, whether it may be probed)`. `None` where there is none,
    /// or it is a writer.
    pub(crate) fn next_new(&mut self) -> Option<(Key, i32, Kind, bool)> {
        let count = self.armed_since_poll();
        if count == 0 {
            return None;
        }
        self.cursor = (self.cursor + 1) % count;
        let armed = &self.subscriptions[self.new + self.cursor];
        let (index, direction) = unpack(armed.userdata())?;
        let slot = &self.slots[index as usize];
        let key = Key {
            slot: index,
            generation: slot.generation,
        };
        (direction == READ).then_some((key, slot.fd, slot.kind, slot.may_cool))
    }

    /// Whether no source is waited for, nor presumed ready.
    pub(crate) fn is_quiet(&self) -> bool {
        self.armed() == 0 && self.cold == 0 && self.presumed.is_empty()
    }

    /// How many sources are cold.
    pub(crate) fn cold(&self) -> usize {
        self.cold
    }

    /// The sources that may become cold, of which reading was armed `least` eras
    /// ago or earlier: `(age, key, descriptor, kind)`.
    pub(crate) fn armed_since(
        &self,
        least: u32,
    ) -> impl Iterator<Item = (u32, Key, i32, Kind)> + '_ {
        self.subscriptions[1..].iter().filter_map(move |armed| {
            let (index, direction) = unpack(armed.userdata())?;
            let slot = &self.slots[index as usize];
            let age = self.era.wrapping_sub(slot.era);
            // A writer that waits is seldom, and would need both.
            let alone = direction == READ && slot.position[WRITE] == 0;
            (age >= least && alone && slot.may_cool).then_some((
                age,
                Key {
                    slot: index,
                    generation: slot.generation,
                },
                slot.fd,
                slot.kind,
            ))
        })
    }

    /// Whether the source is known to be in non-blocking mode.
    pub(crate) fn is_nonblocking(&self, key: Key) -> bool {
        self.slots[key.slot as usize].nonblocking
    }

    /// Remembers that the source is in non-blocking mode.
    pub(crate) fn set_nonblocking(&mut self, key: Key) {
        if let Some(slot) = self.slot_mut(key) {
            slot.nonblocking = true;
        }
    }

    /// Makes reading of a source cold.
    pub(crate) fn cool(&mut self, key: Key) {
        let Some(slot) = self.slot_mut(key) else {
            return;
        };
        if slot.position[READ] == 0 {
            return;
        }
        self.disarm_slot(key.slot, Directions::READ);
        self.last_cold = self.last_cold.wrapping_add(1).max(1);
        self.slots[key.slot as usize].cold = self.last_cold;
        self.cold += 1;
        self.queue.push_back((key.slot, self.last_cold));
    }

    /// The cold source that is to be probed next. It goes to the end of the
    /// queue.
    pub(crate) fn next_cold(&mut self) -> Option<(Key, i32)> {
        while let Some((index, name)) = self.queue.pop_front() {
            let slot = &self.slots[index as usize];
            if slot.cold != name {
                // Closed or armed since.
                continue;
            }
            self.queue.push_back((index, name));
            let key = Key {
                slot: index,
                generation: slot.generation,
            };
            return Some((key, slot.fd));
        }
        None
    }

    /// Arms all cold sources.
    pub(crate) fn warm_all(&mut self) {
        for (index, name) in std::mem::take(&mut self.queue) {
            if self.slots[index as usize].cold == name {
                self.arm_slot(index, Directions::READ);
            }
        }
    }

    /// A probe found that a source can be read. Names it; it is not awaited then.
    pub(crate) fn take_cold(&mut self, key: Key) -> Option<usize> {
        let slot = self.slot_mut(key).filter(|slot| slot.cold != 0)?;
        let token = slot.token;
        self.disarm_slot(key.slot, Directions::READ);
        Some(token)
    }

    /// A source that cannot be probed is armed, for good.
    pub(crate) fn keep_warm(&mut self, key: Key) {
        if let Some(slot) = self.slot_mut(key) {
            slot.may_cool = false;
            self.arm_slot(key.slot, Directions::READ);
        }
    }

    /// Presumes that those of `directions` that the registration is interested
    /// in are ready.
    pub(crate) fn presume(&mut self, key: Key, directions: Directions, trial: Option<Trial>) {
        let Some(slot) = self.slot_mut(key) else {
            return;
        };
        let directions = slot.interest.and(directions);
        if directions.is_empty() {
            return;
        }
        if trial.is_some() {
            slot.trial = trial;
        }
        let listed = !slot.presumed.is_empty();
        slot.presumed = slot.presumed.with(directions);
        self.disarm_awaited(key.slot, directions);
        if !listed {
            self.presumed.push(key);
        }
    }

    /// The writing side is shut, or will be when the rest is out. Natively that ends
    /// the wait of who waits to write: presumes it writable, once, if that is of
    /// interest. Returns whether it was now.
    pub(crate) fn tell_shut(&mut self, key: Key) -> bool {
        match self.slot_mut(key) {
            Some(slot) if !slot.told_shut && slot.interest.has(Directions::WRITE) => {
                slot.told_shut = true;
            }
            _ => return false,
        }
        self.presume(key, Directions::WRITE, None);
        true
    }

    /// Hands out what is presumed ready.
    pub(crate) fn take_presumed(&mut self, mut report: impl FnMut(usize, Directions)) {
        let mut presumed = std::mem::take(&mut self.presumed);
        for key in presumed.drain(..) {
            if let Some(slot) = self.slot_mut(key) {
                let directions = std::mem::replace(&mut slot.presumed, Directions::NONE);
                if !directions.is_empty() {
                    report(slot.token, directions);
                }
            }
        }
        // Keeps its room.
        self.presumed = presumed;
    }

    /// Ends the trial of a source, if it was on one.
    pub(crate) fn end_trial(&mut self, key: Key) -> Option<Trial> {
        self.slot_mut(key)?.trial.take()
    }

    /// Every registration that is armed for exactly `directions`:
    /// `(key, descriptor, kind)`.
    pub(crate) fn armed_exactly(
        &self,
        directions: Directions,
    ) -> impl Iterator<Item = (Key, i32, Kind)> + '_ {
        self.slots
            .iter()
            .enumerate()
            .filter(move |(_, slot)| {
                let armed = Directions::new(slot.position[READ] != 0, slot.position[WRITE] != 0);
                slot.live && armed == directions
            })
            .map(|(index, slot)| {
                let key = Key {
                    slot: index as u32,
                    generation: slot.generation,
                };
                (key, slot.fd, slot.kind)
            })
    }

    /// Remembers what kind of socket a source is.
    pub(crate) fn set_kind(&mut self, key: Key, kind: Kind) {
        if let Some(slot) = self.slot_mut(key) {
            slot.kind = kind;
        }
    }

    /// The user data under which an armed direction's event would come.
    pub(crate) fn userdata(key: Key, read: bool) -> u64 {
        pack(key.slot, if read { READ } else { WRITE })
    }

    /// Disarms without an event. Used to park a source that the host cannot
    /// wait for.
    pub(crate) fn disarm(&mut self, key: Key, directions: Directions) {
        if self.slot_mut(key).is_some() {
            self.disarm_slot(key.slot, directions);
        }
    }

    fn slot_mut(&mut self, key: Key) -> Option<&mut Slot> {
        self.slots
            .get_mut(key.slot as usize)
            .filter(|slot| slot.live && slot.generation == key.generation)
    }

    fn arm_slot(&mut self, index: u32, directions: Directions) {
        let era = self.era;
        let slot = &mut self.slots[index as usize];
        let directions = directions.without(slot.presumed);
        if directions.has(Directions::READ) && slot.position[READ] == 0 {
            if slot.cold != 0 {
                slot.cold = 0;
                self.cold -= 1;
            }
            slot.era = era;
            self.opaque += usize::from(slot.owner == Owner::Foreign);
            slot.position[READ] = self.subscriptions.len() as u32;
            self.subscriptions
                .push(Subscription::read(pack(index, READ), slot.fd));
        }
        if directions.has(Directions::WRITE) && slot.position[WRITE] == 0 {
            self.opaque += 1;
            slot.position[WRITE] = self.subscriptions.len() as u32;
            self.subscriptions
                .push(Subscription::write(pack(index, WRITE), slot.fd));
        }
    }

    fn disarm_slot(&mut self, index: u32, directions: Directions) {
        let slot = &mut self.slots[index as usize];
        slot.presumed = slot.presumed.without(directions);
        self.disarm_awaited(index, directions);
    }

    /// Disarms, but leaves alone what is presumed.
    fn disarm_awaited(&mut self, index: u32, directions: Directions) {
        let slot = &mut self.slots[index as usize];
        if directions.has(Directions::READ) && slot.cold != 0 {
            slot.cold = 0;
            self.cold -= 1;
        }
        for direction in [READ, WRITE] {
            if !directions.has(directions_of(direction)) {
                continue;
            }
            let slot = &mut self.slots[index as usize];
            let mut at = std::mem::take(&mut slot.position[direction]) as usize;
            if at == 0 {
                continue;
            }
            self.opaque -= usize::from(direction == WRITE || slot.owner == Owner::Foreign);
            if at < self.new {
                // The gap goes to the end of the old ones, so that the new ones stay
                // together.
                self.new -= 1;
                self.subscriptions.swap(at, self.new);
                self.note_position(at);
                at = self.new;
            }
            self.subscriptions.swap_remove(at);
            self.note_position(at);
        }
    }

    /// What was moved to this place is there now.
    fn note_position(&mut self, at: usize) {
        let moved = self.subscriptions.get(at);
        if let Some((slot, direction)) = moved.and_then(|moved| unpack(moved.userdata())) {
            let position = &mut self.slots[slot as usize].position[direction];
            // 0: it is the one that goes.
            if *position != 0 {
                *position = at as u32;
            }
        }
    }
}

fn directions_of(direction: usize) -> Directions {
    if direction == READ {
        Directions::READ
    } else {
        Directions::WRITE
    }
}

fn pack(slot: u32, direction: usize) -> u64 {
    u64::from(slot) << 1 | direction as u64
}

fn unpack(userdata: u64) -> Option<(u32, usize)> {
    let slot = u32::try_from(userdata >> 1).ok()?;
    Some((slot, (userdata & 1) as usize))
}
