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
//! Nothing here calls the host; the module is tested natively.

use std::collections::BTreeMap;

use wasmedge_wasi_socket::abi::Subscription;

/// A set of directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Directions(u8);

impl Directions {
    #[cfg(test)]
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

    #[cfg(test)]
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

/// Why a source cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegisterError {
    /// The descriptor is registered already: the host would answer the second
    /// subscription with an error and never with readiness.
    AlreadyRegistered,
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
}

const READ: usize = 0;
const WRITE: usize = 1;

/// User data of the clock subscription; no slot has this number.
pub(crate) const CLOCK: u64 = u64::MAX;

/// The registered sources and their armed subscriptions.
#[derive(Debug)]
pub(crate) struct PollSet {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_fd: BTreeMap<i32, u32>,
    /// Index 0 is kept for the clock, whether or not a poll uses it.
    subscriptions: Vec<Subscription>,
}

impl PollSet {
    pub(crate) fn new() -> PollSet {
        PollSet {
            slots: Vec::new(),
            free: Vec::new(),
            by_fd: BTreeMap::new(),
            subscriptions: vec![Subscription::clock_relative(CLOCK, 0)],
        }
    }

    /// Registers `fd` and arms every direction of `interest`.
    pub(crate) fn insert(
        &mut self,
        fd: i32,
        token: usize,
        interest: Directions,
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
                });
                self.slots.len() as u32 - 1
            }
        };
        let slot = &mut self.slots[index as usize];
        slot.fd = fd;
        slot.token = token;
        slot.interest = interest;
        slot.kind = Kind::Unknown;
        slot.live = true;
        let key = Key {
            slot: index,
            generation: slot.generation,
        };
        self.by_fd.insert(fd, index);
        self.arm_slot(index, interest);
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
            let directions = slot.interest.and(directions);
            self.arm_slot(key.slot, directions);
        }
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
        self.disarm_slot(index, told);
        Some((token, told))
    }

    /// The armed subscriptions, led by a relative clock of `timeout`
    /// nanoseconds if there is one.
    pub(crate) fn subscriptions(&mut self, timeout: Option<u64>) -> &[Subscription] {
        match timeout {
            Some(nanoseconds) => {
                self.subscriptions[0] = Subscription::clock_relative(CLOCK, nanoseconds);
                &self.subscriptions
            }
            None => &self.subscriptions[1..],
        }
    }

    /// How many subscriptions are armed, the clock not counted.
    pub(crate) fn armed(&self) -> usize {
        self.subscriptions.len() - 1
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
        let slot = &mut self.slots[index as usize];
        if directions.has(Directions::READ) && slot.position[READ] == 0 {
            slot.position[READ] = self.subscriptions.len() as u32;
            self.subscriptions
                .push(Subscription::read(pack(index, READ), slot.fd));
        }
        if directions.has(Directions::WRITE) && slot.position[WRITE] == 0 {
            slot.position[WRITE] = self.subscriptions.len() as u32;
            self.subscriptions
                .push(Subscription::write(pack(index, WRITE), slot.fd));
        }
    }

    fn disarm_slot(&mut self, index: u32, directions: Directions) {
        for direction in [READ, WRITE] {
            if !directions.has(directions_of(direction)) {
                continue;
            }
            let at = std::mem::take(&mut self.slots[index as usize].position[direction]);
            if at == 0 {
                continue;
            }
            self.subscriptions.swap_remove(at as usize);
            if let Some(moved) = self.subscriptions.get(at as usize) {
                if let Some((slot, direction)) = unpack(moved.userdata()) {
                    self.slots[slot as usize].position[direction] = at;
                }
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
