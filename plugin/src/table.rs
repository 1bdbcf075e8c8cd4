//! The guest's numbers, and the descriptors behind them.
//!
//! What it promises:
//!
//! * A number is one of the table's own: bit 31 is set. WASI's numbers are random, of 31
//!   bits, so no number means something in both.
//! * A number that was closed is refused, and does not reach what was opened later. A
//!   number holds a slot and a generation of it, and slots are taken in turn: a number
//!   comes back after eight million others at the earliest.
//! * A descriptor stays open while a call uses it, also when another thread closes its
//!   number meanwhile. The last call that uses it closes it. So the kernel cannot give its
//!   number to something else in between.
//!
//! Looking up a number takes no lock.

use std::collections::VecDeque;
use std::fmt;
use std::os::fd::{IntoRawFd as _, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::{Errno, sys};

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A socket.
    Socket = 1,
    /// A Unix socket of a pair, which reaches nothing but the other one.
    Pair = 2,
    /// An epoll.
    Epoll = 3,
    /// A counter.
    Event = 4,
    /// Standard input.
    Stdin = 5,
    /// The signals that came.
    Signals = 6,
}

impl Kind {
    fn of(number: u64) -> Option<Kind> {
        Some(match number {
            1 => Kind::Socket,
            2 => Kind::Pair,
            3 => Kind::Epoll,
            4 => Kind::Event,
            5 => Kind::Stdin,
            6 => Kind::Signals,
            _ => return None,
        })
    }

    /// Whether it is a socket of any kind.
    pub fn is_socket(self) -> bool {
        matches!(self, Kind::Socket | Kind::Pair)
    }
}

// A number: bit 31, the generation in 11 bits, the slot in 20.
const OURS: u32 = 1 << 31;
const SLOT_BITS: u32 = 20;
/// So that no number is -1 or one of the system's errors where it is taken for negative.
const GENERATIONS: u64 = 2047;
const SLOTS: u32 = 1 << SLOT_BITS;
/// So many slots are free before one is used again.
const RESTING: usize = 4096;
const CHUNK: u32 = 4096;

/// A slot, in one word: users in 16 bits, one bit for closing, the generation in 12, the
/// kind in 4, the descriptor in 31. A free one has the kind 0.
#[derive(Clone, Copy)]
struct Word(u64);

const USER: u64 = 1 << 48;
const MOST_USERS: u64 = 0xffff;
const CLOSING: u64 = 1 << 47;

impl Word {
    fn free(generation: u64) -> Word {
        Word((generation % GENERATIONS) << 35)
    }

    fn open(self, fd: RawFd, kind: Kind) -> Word {
        Word(self.0 | (kind as u64) << 31 | u64::from(fd as u32 & 0x7fff_ffff))
    }

    fn users(self) -> u64 {
        self.0 >> 48
    }

    fn is_closing(self) -> bool {
        self.0 & CLOSING != 0
    }

    fn generation(self) -> u64 {
        self.0 >> 35 & 0xfff
    }

    fn kind(self) -> Option<Kind> {
        Kind::of(self.0 >> 31 & 0xf)
    }

    fn fd(self) -> RawFd {
        (self.0 & 0x7fff_ffff) as RawFd
    }
}

type Chunk = Box<[AtomicU64]>;

/// See the top of the file.
pub struct Table {
    chunks: Box<[OnceLock<Chunk>]>,
    free: Mutex<Free>,
}

#[derive(Default)]
struct Free {
    /// Slots that were used, the one that rests longest first.
    resting: VecDeque<u32>,
    /// How many slots were ever used.
    used: u32,
}

impl Default for Table {
    fn default() -> Table {
        Table {
            chunks: (0..SLOTS / CHUNK).map(|_| OnceLock::new()).collect(),
            free: Mutex::default(),
        }
    }
}

impl Table {
    /// A number for the descriptor, which is closed with it.
    ///
    /// # Errors
    /// `EMFILE`: there are a million already.
    pub fn insert(&self, fd: OwnedFd, kind: Kind) -> Result<u32, Errno> {
        let slot = self.take_slot().ok_or(Errno::MFILE)?;
        let word = self.word(slot).ok_or(Errno::MFILE)?;
        // Nobody else uses a slot that is free.
        let free = Word(word.load(Ordering::Acquire));
        let opened = free.open(fd.into_raw_fd(), kind);
        word.store(opened.0, Ordering::Release);
        Ok(OURS | (opened.generation() as u32) << SLOT_BITS | slot)
    }

    /// What the number stands for, which stays open for as long as it is held.
    ///
    /// # Errors
    /// `EBADF`: it is no open number. `EBUSY`: 65 000 calls use it already.
    #[inline]
    pub fn get(&self, number: u32) -> Result<Lease<'_>, Errno> {
        self.lease(number, 0)
    }

    /// Closes a number. From now on it is refused.
    ///
    /// # Errors
    /// As [`Table::get`].
    pub fn close(&self, number: u32) -> Result<(), Errno> {
        let lease = self.lease(number, CLOSING)?;
        if lease.kind == Kind::Stdin {
            // The open file is WASI's too, so an epoll would go on reporting it.
            let _ = self.each(Kind::Epoll, |epoll| {
                let _ = sys::epoll_control(epoll, libc::EPOLL_CTL_DEL, lease.fd, 0, 0);
            });
        }
        Ok(())
    }

    /// How many numbers are open.
    pub fn len(&self) -> usize {
        let mut open = 0;
        self.words(|_, word| open += usize::from(word.kind().is_some()));
        open
    }

    /// Whether no number is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn lease(&self, number: u32, closing: u64) -> Result<Lease<'_>, Errno> {
        if number & OURS == 0 {
            return Err(Errno::BADF);
        }
        let slot = number & (SLOTS - 1);
        let generation = u64::from(number & !OURS) >> SLOT_BITS;
        let word = self.word(slot).ok_or(Errno::BADF)?;
        let mut seen = Word(word.load(Ordering::Acquire));
        loop {
            let kind = seen.kind().ok_or(Errno::BADF)?;
            if seen.generation() != generation || seen.is_closing() {
                return Err(Errno::BADF);
            }
            if seen.users() == MOST_USERS {
                return Err(Errno::BUSY);
            }
            let new = (seen.0 + USER) | closing;
            match word.compare_exchange_weak(seen.0, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    return Ok(Lease {
                        fd: seen.fd(),
                        kind,
                        slot,
                        word,
                        table: self,
                    });
                }
                Err(now) => seen = Word(now),
            }
        }
    }

    /// The descriptors of a kind.
    fn each(&self, kind: Kind, mut found: impl FnMut(RawFd)) -> Result<(), Errno> {
        let mut numbers = Vec::new();
        self.words(|slot, word| {
            if word.kind() == Some(kind) && !word.is_closing() {
                numbers.push(OURS | (word.generation() as u32) << SLOT_BITS | slot);
            }
        });
        for number in numbers {
            // It may have been closed since.
            if let Ok(lease) = self.get(number) {
                found(lease.fd);
            }
        }
        Ok(())
    }

    fn words(&self, mut found: impl FnMut(u32, Word)) {
        for (i, chunk) in self.chunks.iter().enumerate() {
            for (j, word) in chunk.get().into_iter().flatten().enumerate() {
                found(
                    i as u32 * CHUNK + j as u32,
                    Word(word.load(Ordering::Acquire)),
                );
            }
        }
    }

    #[inline]
    fn word(&self, slot: u32) -> Option<&AtomicU64> {
        let chunk = self.chunks.get((slot / CHUNK) as usize)?.get()?;
        chunk.get((slot % CHUNK) as usize)
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_slot(&self) -> Option<u32> {
        let mut free = self.free();
        if free.resting.len() >= RESTING || free.used == SLOTS {
            return free.resting.pop_front();
        }
        let slot = free.used;
        let chunk = self.chunks.get((slot / CHUNK) as usize)?;
        chunk.get_or_init(|| (0..CHUNK).map(|_| AtomicU64::new(0)).collect());
        free.used += 1;
        Some(slot)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.words(|_, word| {
            if let Some(kind) = word.kind() {
                release(word.fd(), kind);
            }
        });
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({} open)", self.len())
    }
}

fn release(fd: RawFd, kind: Kind) {
    if kind == Kind::Signals {
        sys::signals_close();
    }
    sys::close(fd);
}

/// A descriptor in use.
pub struct Lease<'a> {
    /// The descriptor.
    pub fd: RawFd,
    /// What it is.
    pub kind: Kind,
    slot: u32,
    word: &'a AtomicU64,
    table: &'a Table,
}

impl Drop for Lease<'_> {
    #[inline]
    fn drop(&mut self) {
        let before = Word(self.word.fetch_sub(USER, Ordering::AcqRel));
        if before.is_closing() && before.users() == 1 {
            // The last one. Closing is never undone, so there will be no more.
            release(self.fd, self.kind);
            let next = Word::free(before.generation() + 1);
            self.word.store(next.0, Ordering::Release);
            self.table.free().resting.push_back(self.slot);
        }
    }
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.kind, self.fd)
    }
}
