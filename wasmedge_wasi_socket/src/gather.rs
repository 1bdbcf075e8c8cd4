//! Gathering small writes.
//!
//! The kernel holds a small segment back until the one before it is acknowledged,
//! which the peer does up to 43 ms later, and the host has no `TCP_NODELAY` to
//! switch that off. A socket that it was asked for therefore *gathers*: what is
//! written in one turn of the scheduler is sent in one call, before whatever ends
//! the turn. A socket that was not asked does as the kernel would (Nagle's
//! algorithm): its first write in a turn goes out at once, what follows is gathered,
//! which saves calls. The contract:
//!
//! * Only a TCP stream that is connected gathers, and only a write `within` an
//!   operation of its selector: there somebody is sure to come by and `flush`. All
//!   other writes send what is gathered on their socket, and themselves behind it.
//! * One that was not asked (`set_asked`) begins with a write that follows one of its
//!   own in the same turn, with none of others between: it has no entry here before,
//!   and none after the turn.
//! * [`LIMIT`] bytes of a socket are gathered at most. What does not fit is sent in one
//!   call with what is gathered, and has the result that it has natively. At most
//!   [`MOST`] sockets gather at once: the one that began first is sent when another
//!   one comes, so that none waits until many others were served.
//! * A socket that was asked and in `ALONE` turns on end wrote once in each gains
//!   nothing: it sends at once, until it writes twice in one turn. Most are like that:
//!   a request, an answer.
//! * Whatever may wait, for whatever it may be, sends first: every poll, sleep and
//!   name lookup, every socket operation that is not within a selector's, every
//!   blocking closure; and a socket that is shut, handed on or closed.
//! * An error is told by the next operation on the socket, see `pending.rs`.
//! * What the kernel does not take stays, as the socket's *rest*: further writes are
//!   `WouldBlock` until it is out, and selectors see to it that it goes out
//!   (`rests`). Shutting comes after it. A socket that is closed meanwhile is kept
//!   open until then, as an orphan, as natively the kernel would keep it.
//! * At the end of the program, see `exit.rs`, the rest has [`LAST_TRY`] to go out.
//!
//! While no socket gathers nor was asked to, each operation costs one load, a write
//! three and a store.

use crate::Errno;
use std::collections::hash_map::{Entry, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::io::IoSlice;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::time::Duration;

/// So many bytes of a socket are gathered at most.
pub const LIMIT: usize = 16 * 1024;

/// So many sockets gather at once at most.
pub const MOST: usize = 4;

/// After so many turns with one write a socket stops to gather.
const ALONE: u8 = 4;

/// So many closed sockets are kept for their rest at most.
const MOST_ORPHANS: usize = 256;

/// How long who cannot come back may wait for a rest to go out.
pub const LAST_TRY: Duration = Duration::from_secs(1);

/// Look for closed descriptors when there are this many. Those that are closed
/// by something other than this crate's types leave an entry behind.
const SWEEP_AT_LEAST: usize = 64;

/// What is asked of the host.
trait Wire {
    /// Sends `head` and `bufs` in one call.
    fn send(&mut self, fd: i32, head: &[u8], bufs: &[IoSlice<'_>]) -> Result<usize, Errno>;

    /// Shuts the writing side.
    fn shut(&mut self, fd: i32);

    /// Whether the socket has a peer.
    fn is_connected(&mut self, fd: i32) -> bool;

    /// Whether the host knows a descriptor of this number.
    fn is_open(&mut self, fd: i32) -> bool;

    /// Whether closing the socket discards what is not sent.
    fn closes_hard(&mut self, fd: i32) -> bool;

    /// Keeps an error for the next operation on the socket.
    fn keep(&mut self, fd: i32, errno: Errno);
}

/// Where a write comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Not from within an operation of a selector.
    Others,
    /// From within one.
    Selector,
    /// The same, and the last write of this turn was the socket's, and went out by
    /// itself.
    SelectorAgain,
}

/// Who writes in a turn. A guest has one thread: these are atomic only to be static.
struct Turn {
    /// The socket whose selector runs an operation on it; -1 for none.
    within: AtomicI32,
    /// The socket whose write went out by itself last in this turn, within an operation
    /// of its selector; -1 for none.
    wrote: AtomicI32,
}

impl Turn {
    const fn new() -> Turn {
        Turn {
            within: AtomicI32::new(-1),
            wrote: AtomicI32::new(-1),
        }
    }

    /// Runs `f` as an operation on `fd` of its selector.
    #[inline]
    fn within<R>(&self, fd: i32, f: impl FnOnce() -> R) -> R {
        let outer = self.within.load(Relaxed);
        self.within.store(fd, Relaxed);
        let result = f();
        self.within.store(outer, Relaxed);
        result
    }

    /// Whether no selector runs an operation.
    #[inline]
    fn is_outside(&self) -> bool {
        self.within.load(Relaxed) == -1
    }

    /// Where a write on the stream `fd` comes from.
    #[inline]
    fn by(&self, fd: i32) -> By {
        if self.within.load(Relaxed) != fd {
            By::Others
        } else if self.follows(fd) {
            By::SelectorAgain
        } else {
            By::Selector
        }
    }

    /// Whether the next write on `fd` follows one of this turn.
    #[inline]
    fn follows(&self, fd: i32) -> bool {
        self.wrote.load(Relaxed) == fd
    }

    /// All of a write on the stream `fd` went out by itself.
    #[inline]
    fn wrote(&self, fd: i32) {
        let is_within = self.within.load(Relaxed) == fd;
        self.wrote.store(if is_within { fd } else { -1 }, Relaxed);
    }

    /// The next write on `fd` goes out by itself, and is told what the kernel says: its
    /// writing side is shut, or it is another socket.
    #[inline]
    fn follows_nothing(&self, fd: i32) {
        if self.follows(fd) {
            self.wrote.store(-1, Relaxed);
        }
    }

    /// The turn is over.
    #[inline]
    fn end(&self) {
        self.wrote.store(-1, Relaxed);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is nothing.
    Empty,
    /// Bytes that were not sent yet.
    Gathering,
    /// Bytes that the kernel did not take.
    Rest,
}

#[derive(Debug)]
struct Socket<O> {
    asked: bool,
    /// The socket was connected when it last mattered.
    connected: bool,
    /// The writing side is shut, or will be once the rest is out.
    shut: bool,
    /// The turn of the last write, and how many turns up to it had one write only.
    turn: u32,
    alone: u8,
    state: State,
    held: Vec<u8>,
    /// So many of `held` are sent.
    sent: usize,
    /// The kernel has refused the rest since it was last listed.
    fresh: bool,
    /// The socket was closed, and is kept for its rest.
    orphan: Option<O>,
    /// A selector waits for it: nobody else may close it.
    adopted: bool,
}

impl<O> Socket<O> {
    fn new() -> Socket<O> {
        Socket {
            asked: false,
            connected: false,
            shut: false,
            turn: 0,
            alone: 0,
            state: State::Empty,
            held: Vec::new(),
            sent: 0,
            fresh: false,
            orphan: None,
            adopted: false,
        }
    }

    fn left(&self) -> &[u8] {
        &self.held[self.sent..]
    }
}

/// Descriptors are random numbers.
#[derive(Default)]
struct FdHasher(u64);

impl Hasher for FdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(byte.into());
        }
    }

    fn write_u32(&mut self, fd: u32) {
        self.0 = (self.0 ^ u64::from(fd)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_i32(&mut self, fd: i32) {
        self.write_u32(fd as u32);
    }

    fn finish(&self) -> u64 {
        // The map takes the lowest bits, the product is good in the highest.
        self.0.rotate_left(32)
    }
}

/// A socket of which something is left that the kernel did not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Its descriptor.
    pub fd: i32,
    /// The app has closed it: nobody but a selector waits for it.
    pub is_orphan: bool,
    /// The kernel has just refused it: there is no use in another try.
    pub is_fresh: bool,
    /// The writing side is shut once the rest is out. Natively it would be by now, and
    /// the socket count as writable.
    pub is_shut: bool,
}

/// How far sending a rest came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing is left.
    All,
    /// The kernel took something.
    Part,
    /// The kernel took nothing.
    Nothing,
}

/// What is known of all sockets. `O` is what owns a descriptor.
struct Gather<O> {
    sockets: HashMap<i32, Socket<O>, BuildHasherDefault<FdHasher>>,
    /// The sockets that gather, in the order in which they began.
    gathering: Vec<i32>,
    /// Sockets with a rest, and orphans.
    rests: Vec<i32>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    sweep_at: usize,
    /// Counts the turns. A socket's first write is in another one than its last.
    turn: u32,
}

impl<O> Gather<O> {
    fn new() -> Gather<O> {
        Gather {
            sockets: HashMap::default(),
            gathering: Vec::with_capacity(MOST + 1),
            rests: Vec::new(),
            spare: Vec::new(),
            sweep_at: SWEEP_AT_LEAST,
            turn: 1,
        }
    }

    fn asked(&self, fd: i32) -> bool {
        self.sockets.get(&fd).is_some_and(|socket| socket.asked)
    }

    fn set_asked(&mut self, wire: &mut impl Wire, fd: i32, on: bool) {
        if on {
            if self.sockets.len() >= self.sweep_at {
                self.sockets
                    .retain(|&fd, socket| socket.state != State::Empty || wire.is_open(fd));
                self.sweep_at = (2 * self.sockets.len()).max(SWEEP_AT_LEAST);
            }
            self.sockets.entry(fd).or_insert_with(Socket::new).asked = true;
        } else if let Some(socket) = self.sockets.get_mut(&fd) {
            socket.asked = false;
            self.flush_socket(wire, fd);
            self.tidy(fd);
        }
    }

    /// A write of `bufs`. `None` if it is to be sent by itself, now.
    fn write(
        &mut self,
        wire: &mut impl Wire,
        fd: i32,
        bufs: &[IoSlice<'_>],
        by: By,
    ) -> Option<Result<usize, Errno>> {
        let total = bufs
            .iter()
            .fold(0usize, |sum, buf| sum.saturating_add(buf.len()));
        if total == 0 {
            return None;
        }
        let socket = match self.sockets.entry(fd) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) if by == By::SelectorAgain && total <= LIMIT => {
                entry.insert(Socket {
                    // It has just taken something.
                    connected: true,
                    ..Socket::new()
                })
            }
            Entry::Vacant(_) => return None,
        };
        if socket.shut {
            // While the rest is not out the kernel does not know yet.
            return (socket.state == State::Rest).then_some(Err(Errno::PIPE));
        }
        match socket.state {
            State::Empty => {
                let gathers = match by {
                    By::Others => false,
                    By::Selector => socket.asked,
                    By::SelectorAgain => true,
                };
                if !gathers || total > LIMIT {
                    return None;
                }
                let again = std::mem::replace(&mut socket.turn, self.turn) == self.turn;
                if again || by == By::SelectorAgain {
                    socket.alone = 0;
                } else if socket.alone >= ALONE {
                    return None;
                } else {
                    socket.alone += 1;
                }
                if !socket.connected {
                    socket.connected = wire.is_connected(fd);
                    if !socket.connected {
                        return None;
                    }
                }
                socket.state = State::Gathering;
                if let Some(spare) = self.spare.pop() {
                    socket.held = spare;
                }
                self.gathering.push(fd);
                if self.gathering.len() > MOST {
                    self.flush_socket(wire, self.gathering[0]);
                }
            }
            State::Gathering if by != By::Others && socket.held.len() + total <= LIMIT => {
                socket.alone = 0;
            }
            State::Gathering | State::Rest => return self.write_through(wire, fd, bufs),
        }
        let socket = self.sockets.get_mut(&fd)?;
        for buf in bufs {
            socket.held.extend_from_slice(buf);
        }
        Some(Ok(total))
    }

    /// Sends what is held, and `bufs` behind it.
    fn write_through(
        &mut self,
        wire: &mut impl Wire,
        fd: i32,
        bufs: &[IoSlice<'_>],
    ) -> Option<Result<usize, Errno>> {
        let socket = self.sockets.get_mut(&fd)?;
        let left = socket.left().len();
        let result = wire.send(fd, socket.left(), bufs);
        match result {
            Ok(n) if n >= left => {
                self.emptied(wire, fd);
                // Whether the kernel would take any of the new is not known then.
                (n > left).then_some(Ok(n - left))
            }
            Ok(n) => {
                self.refused(fd, n);
                Some(Err(Errno::AGAIN))
            }
            Err(Errno::AGAIN) => {
                self.refused(fd, 0);
                Some(Err(Errno::AGAIN))
            }
            Err(Errno::INTR) => Some(Err(Errno::INTR)),
            Err(errno) => {
                self.broke(wire, fd, errno);
                Some(Err(errno))
            }
        }
    }

    /// Sends what all sockets have gathered. The turn ends.
    fn flush(&mut self, wire: &mut impl Wire) {
        self.turn = self.turn.wrapping_add(1);
        while let Some(&fd) = self.gathering.first() {
            self.flush_socket(wire, fd);
        }
    }

    /// Sends what a socket has gathered.
    fn flush_socket(&mut self, wire: &mut impl Wire, fd: i32) {
        if self
            .sockets
            .get(&fd)
            .is_some_and(|socket| socket.state == State::Gathering)
        {
            self.send_held(wire, fd);
        }
    }

    /// Tries to send a rest.
    fn send_rest(&mut self, wire: &mut impl Wire, fd: i32) -> Sent {
        match self.sockets.get(&fd) {
            Some(socket) if socket.state == State::Rest => self.send_held(wire, fd),
            _ => Sent::All,
        }
    }

    fn send_held(&mut self, wire: &mut impl Wire, fd: i32) -> Sent {
        let Some(socket) = self.sockets.get_mut(&fd) else {
            return Sent::All;
        };
        loop {
            match wire.send(fd, socket.left(), &[]) {
                Ok(n) if n >= socket.left().len() => self.emptied(wire, fd),
                Ok(n) => {
                    self.refused(fd, n);
                    return if n > 0 { Sent::Part } else { Sent::Nothing };
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    self.refused(fd, 0);
                    return Sent::Nothing;
                }
                Err(errno) => {
                    if socket.orphan.is_none() {
                        wire.keep(fd, errno);
                    }
                    self.broke(wire, fd, errno);
                }
            }
            return Sent::All;
        }
    }

    /// The kernel took so many bytes of what is held, and not all.
    fn refused(&mut self, fd: i32, taken: usize) {
        self.gathering.retain(|&other| other != fd);
        if let Some(socket) = self.sockets.get_mut(&fd) {
            if socket.state != State::Rest {
                socket.state = State::Rest;
                self.rests.push(fd);
            }
            socket.sent += taken;
            socket.fresh = true;
        }
    }

    /// What was held is lost.
    fn broke(&mut self, wire: &mut impl Wire, fd: i32, errno: Errno) {
        if let Some(socket) = self.sockets.get_mut(&fd) {
            // The next write asks anew, and is told what is natively.
            socket.connected = false;
            // An error after which the kernel might take more: the stream must
            // not go on with a hole.
            socket.shut |= !matches!(
                errno,
                Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN | Errno::BADF
            );
        }
        self.emptied(wire, fd);
    }

    /// Nothing is held any more.
    fn emptied(&mut self, wire: &mut impl Wire, fd: i32) {
        self.gathering.retain(|&other| other != fd);
        let Some(socket) = self.sockets.get_mut(&fd) else {
            return;
        };
        socket.state = State::Empty;
        socket.sent = 0;
        let mut buffer = std::mem::take(&mut socket.held);
        if self.spare.len() <= MOST && buffer.capacity() > 0 {
            buffer.clear();
            self.spare.push(buffer);
        }
        if socket.shut {
            wire.shut(fd);
        }
        self.tidy(fd);
    }

    /// Forgets what need not be known any more.
    fn tidy(&mut self, fd: i32) {
        let Some(socket) = self.sockets.get(&fd) else {
            return;
        };
        // An orphan that is adopted is closed by its selector.
        if socket.state != State::Empty || socket.adopted {
            return;
        }
        self.rests.retain(|&other| other != fd);
        // That it is shut matters should it be asked again.
        if socket.orphan.is_some() || !(socket.asked || socket.shut) {
            self.sockets.remove(&fd);
        }
    }

    /// Shutting the writing side. Returns whether it has to wait for the rest.
    fn shut(&mut self, wire: &mut impl Wire, fd: i32) -> bool {
        self.flush_socket(wire, fd);
        match self.sockets.get_mut(&fd) {
            Some(socket) => {
                socket.shut = true;
                socket.state == State::Rest
            }
            None => false,
        }
    }

    /// The socket is closed; gives back what is to be dropped.
    fn close(&mut self, wire: &mut impl Wire, fd: i32, owner: O) -> Option<O> {
        self.flush_socket(wire, fd);
        let orphans = self.rests.len();
        if let Some(socket) = self.sockets.get_mut(&fd) {
            let is_kept =
                socket.state == State::Rest && orphans <= MOST_ORPHANS && !wire.closes_hard(fd);
            if is_kept {
                socket.asked = false;
                socket.orphan = Some(owner);
                socket.fresh = true;
                return None;
            }
        }
        self.forget(fd);
        Some(owner)
    }

    /// `fd` is closed, or its number was just given to a new socket.
    fn forget(&mut self, fd: i32) -> Option<O> {
        let socket = self.sockets.remove(&fd)?;
        if socket.state != State::Empty || socket.orphan.is_some() {
            self.gathering.retain(|&other| other != fd);
            self.rests.retain(|&other| other != fd);
        }
        socket.orphan
    }

    /// Lists the sockets with a rest.
    fn rests(&mut self, into: &mut Vec<Rest>) {
        for &fd in &self.rests {
            if let Some(socket) = self.sockets.get_mut(&fd) {
                into.push(Rest {
                    fd,
                    is_orphan: socket.orphan.is_some(),
                    is_fresh: std::mem::take(&mut socket.fresh),
                    is_shut: socket.shut,
                });
            }
        }
    }

    fn set_adopted(&mut self, fd: i32, adopted: bool) {
        if let Some(socket) = self.sockets.get_mut(&fd) {
            socket.adopted = adopted;
            self.tidy(fd);
        }
    }
}

#[cfg(target_os = "wasi")]
pub use self::guest::*;

#[cfg(target_os = "wasi")]
mod guest {
    use super::{By, Gather, Rest, Sent, Turn, Wire, LAST_TRY};
    use crate::abi::{Event, Subscription};
    use crate::fd::poll::poll_again;
    use crate::sys::{self, SendBufs};
    use crate::{exit, pending, Errno};
    use std::io::IoSlice;
    use std::os::fd::{AsRawFd, OwnedFd, RawFd};
    use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
    use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
    use std::time::Instant;

    static GATHER: OnceLock<Mutex<Gather<OwnedFd>>> = OnceLock::new();

    // A guest has one thread, so none of these ever disagrees with the above.

    /// How many sockets there is something to know of.
    static KNOWN: AtomicUsize = AtomicUsize::new(0);
    /// How many gather.
    static GATHERING: AtomicUsize = AtomicUsize::new(0);
    /// How many have a rest, or are orphans.
    static RESTS: AtomicUsize = AtomicUsize::new(0);
    /// How many turns have ended of which [`Gather`] has not been told.
    static TURNS: AtomicU32 = AtomicU32::new(0);
    static TURN: Turn = Turn::new();

    /// How long to wait where the host cannot tell how long, in nanoseconds.
    const PAUSE: u64 = 1_000_000;

    struct Host;

    impl Wire for Host {
        fn send(&mut self, fd: i32, head: &[u8], bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
            sys::send_by_number(fd, &SendBufs::behind(head, bufs))
        }

        fn shut(&mut self, fd: i32) {
            // Natively the app has had its answer by now.
            let _ = sys::shutdown_by_number(fd, 2);
        }

        fn is_connected(&mut self, fd: i32) -> bool {
            sys::is_connected(fd)
        }

        fn is_open(&mut self, fd: i32) -> bool {
            sys::is_open(fd)
        }

        fn closes_hard(&mut self, fd: i32) -> bool {
            sys::linger_by_number(fd) == Ok((true, 0))
        }

        fn keep(&mut self, fd: i32, errno: Errno) {
            pending::put(fd, errno);
        }
    }

    fn lock() -> MutexGuard<'static, Gather<OwnedFd>> {
        GATHER
            .get_or_init(|| Mutex::new(Gather::new()))
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn count(gather: &Gather<OwnedFd>) {
        KNOWN.store(gather.sockets.len(), Relaxed);
        GATHERING.store(gather.gathering.len(), Relaxed);
        RESTS.store(gather.rests.len(), Relaxed);
    }

    fn with<R>(f: impl FnOnce(&mut Gather<OwnedFd>) -> R) -> R {
        let mut gather = lock();
        let result = f(&mut gather);
        count(&gather);
        result
    }

    /// Whether there is a socket that gathers, could, or has a rest.
    #[inline]
    fn is_idle() -> bool {
        KNOWN.load(Relaxed) == 0
    }

    /// Whether "no delay" was asked for.
    pub(crate) fn asked(fd: RawFd) -> bool {
        !is_idle() && lock().asked(fd)
    }

    /// Has a socket gather from now on, or no longer.
    pub(crate) fn set_asked(fd: RawFd, on: bool) {
        if on {
            exit::prepare();
        } else if is_idle() {
            return;
        }
        with(|gather| gather.set_asked(&mut Host, fd, on));
    }

    /// Runs `f` as an operation on `fd` of a selector that has it registered, and
    /// calls `flush` before it waits.
    #[inline]
    pub fn within<R>(fd: RawFd, f: impl FnOnce() -> R) -> R {
        TURN.within(fd, f)
    }

    /// Whether a write on `fd` may concern this file at all.
    #[inline]
    pub(crate) fn may_concern(fd: RawFd) -> bool {
        !is_idle() || TURN.follows(fd)
    }

    /// All of a write on the stream `fd` went out by itself.
    #[inline]
    pub(crate) fn wrote(fd: RawFd) {
        TURN.wrote(fd);
    }

    /// The next write on `fd` goes out by itself, and is told what the kernel says.
    #[inline]
    pub(crate) fn follows_nothing(fd: RawFd) {
        TURN.follows_nothing(fd);
    }

    /// A write. `None` if it is to be sent as it is.
    pub(crate) fn write(
        fd: RawFd,
        bufs: &[IoSlice<'_>],
        is_stream: bool,
    ) -> Option<Result<usize, Errno>> {
        let by = if is_stream { TURN.by(fd) } else { By::Others };
        if by == By::SelectorAgain {
            exit::prepare();
        }
        with(|gather| {
            let turns = TURNS.load(Relaxed);
            TURNS.store(0, Relaxed);
            gather.turn = gather.turn.wrapping_add(turns);
            gather.write(&mut Host, fd, bufs, by)
        })
    }

    /// Sends what is gathered. Returns whether there are `rests`.
    #[inline]
    pub fn flush() -> bool {
        TURN.end();
        if GATHERING.load(Relaxed) != 0 {
            with(|gather| gather.flush(&mut Host));
        } else {
            TURNS.store(TURNS.load(Relaxed).wrapping_add(1), Relaxed);
        }
        RESTS.load(Relaxed) != 0
    }

    /// Sends what `fd` has gathered.
    #[inline]
    pub fn flush_socket(fd: RawFd) {
        if GATHERING.load(Relaxed) != 0 {
            with(|gather| gather.flush_socket(&mut Host, fd));
        }
    }

    /// What is to be done before something that may block the program: `flush`,
    /// and a try for the rests.
    #[inline]
    pub fn before_blocking() {
        if flush() {
            with(try_rests);
        }
    }

    fn try_rests(gather: &mut Gather<OwnedFd>) {
        for fd in gather.rests.clone() {
            gather.send_rest(&mut Host, fd);
        }
    }

    /// As [`before_blocking`], of an operation on a socket: within a selector's it
    /// does not block.
    #[inline]
    pub(crate) fn before_operation() {
        if GATHERING.load(Relaxed) != 0 && TURN.is_outside() {
            before_blocking();
        }
    }

    /// Lists the sockets with a rest, and the orphans. Selectors wait until they can
    /// be written to, and then call [`send_rest`].
    pub fn rests(into: &mut Vec<Rest>) {
        with(|gather| gather.rests(into));
    }

    /// Tries to send the rest of `fd`.
    pub fn send_rest(fd: RawFd) -> Sent {
        with(|gather| gather.send_rest(&mut Host, fd))
    }

    /// A selector has registered the orphan `fd`, and nobody but it may close it; or
    /// it no longer has.
    pub fn set_adopted(fd: RawFd, adopted: bool) {
        with(|gather| gather.set_adopted(fd, adopted));
    }

    /// Shutting the writing side of `fd`. Returns whether it is put off until the rest
    /// is out.
    pub(crate) fn shut(fd: RawFd) -> bool {
        follows_nothing(fd);
        !is_idle() && with(|gather| gather.shut(&mut Host, fd))
    }

    /// Closes a socket, once its rest is out.
    pub(crate) fn close(owner: OwnedFd) {
        if !is_idle() {
            let fd = owner.as_raw_fd();
            drop(with(|gather| gather.close(&mut Host, fd, owner)));
        }
    }

    /// `fd` is handed to who may write to it in other ways: what is gathered goes
    /// out, and a rest has a moment to do so.
    pub(crate) fn release(fd: RawFd) {
        if !is_idle() {
            flush_socket(fd);
            finish(|gather| gather.rests.contains(&fd).then_some(fd));
        }
    }

    /// `fd` is a new socket, which may have the number of one that is gone; or it is
    /// closed, with nothing to be sent.
    pub(crate) fn forget(fd: RawFd) {
        follows_nothing(fd);
        if !is_idle() {
            drop(with(|gather| gather.forget(fd)));
        }
    }

    /// Waits for a while until what `next` names can be written to, and sends it.
    fn finish(next: impl Fn(&Gather<OwnedFd>) -> Option<RawFd>) {
        let start = Instant::now();
        let mut events = [Event::EMPTY; 2];
        loop {
            let fd = next(&lock());
            let left = LAST_TRY.saturating_sub(start.elapsed());
            let (Some(fd), false) = (fd, left.is_zero()) else {
                return;
            };
            let writable = Subscription::write(0, fd);
            let clock = |nanos| Subscription::clock_relative(1, nanos);
            let wait = [writable, clock(left.as_nanos() as u64)];
            let waited = poll_again(&wait, &mut events);
            if send_rest(fd) == Sent::Nothing {
                // The host has no answer, or a wrong one: only time helps.
                let waited = waited.and_then(|_| poll_again(&[clock(PAUSE)], &mut events));
                if waited.is_err() {
                    return;
                }
            }
        }
    }

    /// The program ends.
    pub(crate) fn at_exit() {
        if is_idle() {
            return;
        }
        flush();
        finish(|gather| {
            let has_rest = |fd: &&i32| {
                let socket = gather.sockets.get(*fd);
                socket.is_some_and(|socket| !socket.left().is_empty())
            };
            gather.rests.iter().find(has_rest).copied()
        });
    }

    /// The program ends in the midst of something.
    pub(crate) fn at_abort() {
        // It may be in the midst of this.
        if let Some(Ok(mut gather)) = GATHER.get().map(Mutex::try_lock) {
            gather.flush(&mut Host);
        }
    }
}

#[cfg(all(test, not(target_os = "wasi")))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::rc::Rc;

    /// A socket of the kernel.
    #[derive(Default)]
    struct Kernel {
        /// What the peer gets, and how much the kernel will still take.
        sent: Vec<u8>,
        room: usize,
        shut: bool,
        not_connected: bool,
        error: Option<Errno>,
        hard: bool,
        kept: Vec<Errno>,
        calls: usize,
    }

    #[derive(Default)]
    struct Model(BTreeMap<i32, Kernel>);

    impl Model {
        fn with(fds: &[i32]) -> Model {
            let open = |&fd| {
                (
                    fd,
                    Kernel {
                        room: 1 << 20,
                        ..Kernel::default()
                    },
                )
            };
            Model(fds.iter().map(open).collect())
        }

        fn at(&mut self, fd: i32) -> &mut Kernel {
            self.0.get_mut(&fd).expect("a socket that is open")
        }

        fn sent(&self, fd: i32) -> &[u8] {
            &self.0[&fd].sent
        }
    }

    impl Wire for Model {
        fn send(&mut self, fd: i32, head: &[u8], bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
            let Some(kernel) = self.0.get_mut(&fd) else {
                return Err(Errno::BADF);
            };
            kernel.calls += 1;
            assert!(!head.is_empty() || !bufs.is_empty());
            if let Some(errno) = kernel.error {
                return Err(errno);
            }
            if kernel.shut {
                return Err(Errno::PIPE);
            }
            let mut all = head.to_vec();
            for buf in bufs {
                all.extend_from_slice(buf);
            }
            all.truncate(kernel.room);
            if all.is_empty() {
                return Err(Errno::AGAIN);
            }
            kernel.room -= all.len();
            kernel.sent.extend_from_slice(&all);
            Ok(all.len())
        }

        fn shut(&mut self, fd: i32) {
            self.at(fd).shut = true;
        }

        fn is_connected(&mut self, fd: i32) -> bool {
            self.0.get(&fd).is_some_and(|kernel| !kernel.not_connected)
        }

        fn is_open(&mut self, fd: i32) -> bool {
            self.0.contains_key(&fd)
        }

        fn closes_hard(&mut self, fd: i32) -> bool {
            self.at(fd).hard
        }

        fn keep(&mut self, fd: i32, errno: Errno) {
            self.at(fd).kept.push(errno);
        }
    }

    type Owner = Rc<()>;

    fn gather(fds: &[i32]) -> (Gather<Owner>, Model) {
        let (mut gather, mut model) = (Gather::new(), Model::with(fds));
        for &fd in fds {
            gather.set_asked(&mut model, fd, true);
        }
        (gather, model)
    }

    /// As the layer above does it: what is not gathered is sent by itself.
    fn write(
        gather: &mut Gather<Owner>,
        model: &mut Model,
        fd: i32,
        data: &[u8],
        within: bool,
    ) -> Result<usize, Errno> {
        let bufs = [IoSlice::new(data)];
        let by = match within {
            true => By::Selector,
            false => By::Others,
        };
        match gather.write(model, fd, &bufs, by) {
            Some(result) => result,
            None if data.is_empty() => Ok(0),
            None => model.send(fd, &[], &bufs),
        }
    }

    #[test]
    fn writes_of_a_turn_are_one_call() {
        let (mut gather, mut model) = gather(&[7]);
        for part in [&b"one "[..], b"two ", b"three"] {
            assert_eq!(
                write(&mut gather, &mut model, 7, part, true),
                Ok(part.len())
            );
        }
        assert_eq!(model.at(7).calls, 0);
        gather.flush(&mut model);
        assert_eq!(model.sent(7), b"one two three");
        assert_eq!(model.at(7).calls, 1);
        gather.flush(&mut model);
        assert_eq!(model.at(7).calls, 1);
    }

    #[test]
    fn who_writes_once_in_each_turn_soon_sends_at_once() {
        let (mut gather, mut model) = gather(&[7]);
        let mut calls = 0;
        for turn in 0..10 {
            assert_eq!(write(&mut gather, &mut model, 7, b"a", true), Ok(1));
            let at_once = model.at(7).calls > calls;
            assert_eq!(at_once, turn >= usize::from(ALONE), "in turn {turn}");
            gather.flush(&mut model);
            calls = model.at(7).calls;
        }
        // It begins again with the second write of a turn.
        assert_eq!(write(&mut gather, &mut model, 7, b"b", true), Ok(1));
        assert_eq!(write(&mut gather, &mut model, 7, b"c", true), Ok(1));
        assert_eq!(model.at(7).calls, calls + 1);
        gather.flush(&mut model);
        assert_eq!(model.at(7).calls, calls + 2);
        assert_eq!(write(&mut gather, &mut model, 7, b"d", true), Ok(1));
        assert_eq!(write(&mut gather, &mut model, 7, b"e", true), Ok(1));
        gather.flush(&mut model);
        assert_eq!(model.at(7).calls, calls + 3);
        assert_eq!(model.sent(7), b"aaaaaaaaaabcde");
    }

    #[test]
    fn who_was_not_asked_or_is_elsewhere_sends_at_once() {
        let (mut gather, mut model) = gather(&[7]);
        model.0.insert(
            8,
            Kernel {
                room: 100,
                ..Kernel::default()
            },
        );
        assert_eq!(write(&mut gather, &mut model, 8, b"a", true), Ok(1));
        assert_eq!(model.sent(8), b"a");
        assert_eq!(write(&mut gather, &mut model, 7, b"a", false), Ok(1));
        assert_eq!(model.sent(7), b"a");
        // In order, and in one call.
        assert_eq!(write(&mut gather, &mut model, 7, b"b", true), Ok(1));
        assert_eq!(write(&mut gather, &mut model, 7, b"c", false), Ok(1));
        assert_eq!(model.sent(7), b"abc");
        assert_eq!(model.at(7).calls, 2);
    }

    #[test]
    fn who_was_not_asked_gathers_what_follows_in_a_turn() {
        let (mut gather, mut model) = gather(&[7]);
        gather.set_asked(&mut model, 7, false);
        // What the layer above knows to be the second write of a turn.
        let again = |gather: &mut Gather<Owner>, model: &mut Model, data: &[u8]| {
            gather.write(model, 7, &[IoSlice::new(data)], By::SelectorAgain)
        };
        for turn in 1..=6 {
            let calls = model.at(7).calls;
            assert_eq!(write(&mut gather, &mut model, 7, b"a", true), Ok(1));
            assert_eq!(model.at(7).calls, calls + 1);
            assert_eq!(again(&mut gather, &mut model, b""), None);
            assert_eq!(again(&mut gather, &mut model, b"bc"), Some(Ok(2)));
            // Others may have written meanwhile.
            assert_eq!(write(&mut gather, &mut model, 7, b"d", true), Ok(1));
            assert_eq!(model.at(7).calls, calls + 1);
            gather.flush(&mut model);
            assert_eq!(model.at(7).calls, calls + 2);
            assert_eq!(model.sent(7), b"abcd".repeat(turn));
            assert!(gather.sockets.is_empty());
        }
        let large = vec![b'x'; LIMIT + 1];
        assert_eq!(again(&mut gather, &mut model, &large), None);
        assert!(gather.sockets.is_empty());
    }

    #[test]
    fn a_socket_without_a_peer_does_not_gather() {
        let (mut gather, mut model) = gather(&[7]);
        model.at(7).not_connected = true;
        model.at(7).error = Some(Errno::NOTCONN);
        assert_eq!(
            write(&mut gather, &mut model, 7, b"a", true),
            Err(Errno::NOTCONN)
        );
    }

    #[test]
    fn no_longer_asked_sends() {
        let (mut gather, mut model) = gather(&[7]);
        assert_eq!(write(&mut gather, &mut model, 7, b"a", true), Ok(1));
        gather.set_asked(&mut model, 7, false);
        assert_eq!(model.sent(7), b"a");
        assert!(gather.sockets.is_empty());
    }

    #[test]
    fn what_is_above_the_limit_goes_out_with_what_is_gathered() {
        let (mut gather, mut model) = gather(&[7]);
        let large = vec![b'x'; LIMIT];
        assert_eq!(write(&mut gather, &mut model, 7, b"a", true), Ok(1));
        assert_eq!(write(&mut gather, &mut model, 7, &large, true), Ok(LIMIT));
        assert_eq!(model.sent(7).len(), LIMIT + 1);
        assert_eq!(model.at(7).calls, 1);
        // With nothing gathered it is sent by itself.
        let larger = vec![b'x'; LIMIT + 1];
        assert_eq!(
            write(&mut gather, &mut model, 7, &larger, true),
            Ok(LIMIT + 1)
        );
        assert_eq!(model.at(7).calls, 2);
        assert!(gather.gathering.is_empty());
    }

    #[test]
    fn the_first_of_many_is_sent() {
        let fds: Vec<i32> = (0..2 * MOST as i32).collect();
        let (mut gather, mut model) = gather(&fds);
        for &fd in &fds {
            assert_eq!(write(&mut gather, &mut model, fd, b"a", true), Ok(1));
        }
        assert_eq!(gather.gathering, fds[MOST..]);
        assert_eq!(model.sent(0), b"a");
        assert!(gather.spare.len() <= MOST + 1);
    }

    #[test]
    fn a_rest_stays_in_order_and_holds_writers_back() {
        let (mut gather, mut model) = gather(&[7]);
        model.at(7).room = 3;
        assert_eq!(write(&mut gather, &mut model, 7, b"abcde", true), Ok(5));
        gather.flush(&mut model);
        assert_eq!(model.sent(7), b"abc");
        assert_eq!(
            write(&mut gather, &mut model, 7, b"fg", true),
            Err(Errno::AGAIN)
        );
        let mut rests = Vec::new();
        gather.rests(&mut rests);
        let rest = |is_fresh| Rest {
            fd: 7,
            is_orphan: false,
            is_fresh,
            is_shut: false,
        };
        assert_eq!(rests, [rest(true)]);
        rests.clear();
        gather.rests(&mut rests);
        assert_eq!(rests, [rest(false)]);

        model.at(7).room = 1;
        assert_eq!(gather.send_rest(&mut model, 7), Sent::Part);
        assert_eq!(gather.send_rest(&mut model, 7), Sent::Nothing);
        // Whoever comes when there is room takes the rest along.
        model.at(7).room = 2;
        assert_eq!(write(&mut gather, &mut model, 7, b"fg", true), Ok(1));
        assert_eq!(model.sent(7), b"abcdef");
        assert!(gather.rests.is_empty());
    }

    #[test]
    fn an_error_is_kept_once_and_ends_gathering() {
        let (mut gather, mut model) = gather(&[7]);
        assert_eq!(write(&mut gather, &mut model, 7, b"a", true), Ok(1));
        model.at(7).error = Some(Errno::CONNRESET);
        gather.flush(&mut model);
        assert_eq!(model.at(7).kept, [Errno::CONNRESET]);
        model.at(7).error = Some(Errno::PIPE);
        model.at(7).not_connected = true;
        assert_eq!(
            write(&mut gather, &mut model, 7, b"b", true),
            Err(Errno::PIPE)
        );
        assert_eq!(model.at(7).kept.len(), 1);
    }

    #[test]
    fn a_stream_does_not_go_on_with_a_hole() {
        let (mut gather, mut model) = gather(&[7]);
        assert_eq!(write(&mut gather, &mut model, 7, b"a", true), Ok(1));
        model.at(7).error = Some(Errno::NOBUFS);
        gather.flush(&mut model);
        assert_eq!(model.at(7).kept, [Errno::NOBUFS]);
        model.at(7).error = None;
        assert_eq!(
            write(&mut gather, &mut model, 7, b"b", true),
            Err(Errno::PIPE)
        );
        assert_eq!(model.sent(7), b"");
    }

    #[test]
    fn shutting_comes_after_the_rest() {
        let (mut gather, mut model) = gather(&[7]);
        model.at(7).room = 1;
        assert_eq!(write(&mut gather, &mut model, 7, b"abc", true), Ok(3));
        assert!(gather.shut(&mut model, 7));
        assert_eq!(
            write(&mut gather, &mut model, 7, b"d", true),
            Err(Errno::PIPE)
        );
        assert!(!model.at(7).shut);
        let mut rests = Vec::new();
        gather.rests(&mut rests);
        assert!(rests[0].is_shut);
        model.at(7).room = 10;
        assert_eq!(gather.send_rest(&mut model, 7), Sent::All);
        assert!(model.at(7).shut);
        assert_eq!(model.sent(7), b"abc");
        assert_eq!(
            write(&mut gather, &mut model, 7, b"d", true),
            Err(Errno::PIPE)
        );
    }

    #[test]
    fn a_closed_socket_is_kept_until_its_rest_is_out() {
        let (mut gather, mut model) = gather(&[7]);
        let owner = Owner::default();
        assert_eq!(write(&mut gather, &mut model, 7, b"a", true), Ok(1));
        // Nothing is left: it is closed at once.
        assert!(gather.close(&mut model, 7, owner.clone()).is_some());
        assert_eq!(model.sent(7), b"a");

        for is_adopted in [false, true] {
            gather.set_asked(&mut model, 7, true);
            model.at(7).room = 0;
            assert_eq!(write(&mut gather, &mut model, 7, b"bc", true), Ok(2));
            assert!(gather.close(&mut model, 7, owner.clone()).is_none());
            if is_adopted {
                gather.set_adopted(7, true);
            }
            model.at(7).room = 10;
            assert_eq!(gather.send_rest(&mut model, 7), Sent::All);
            assert_eq!(Rc::strong_count(&owner), 1 + usize::from(is_adopted));
            gather.set_adopted(7, false);
            assert_eq!(Rc::strong_count(&owner), 1);
            assert!(gather.sockets.is_empty() && gather.rests.is_empty());
        }
        assert_eq!(model.sent(7), b"abcbc");
    }

    #[test]
    fn a_closed_socket_that_lingers_for_no_time_is_closed_at_once() {
        let (mut gather, mut model) = gather(&[7]);
        model.at(7).room = 0;
        model.at(7).hard = true;
        assert_eq!(write(&mut gather, &mut model, 7, b"a", true), Ok(1));
        assert!(gather.close(&mut model, 7, Owner::default()).is_some());
        assert!(gather.sockets.is_empty() && gather.rests.is_empty());
    }

    #[test]
    fn closed_sockets_are_not_kept_without_limit() {
        let fds: Vec<i32> = (0..2 * MOST_ORPHANS as i32).collect();
        let (mut gather, mut model) = gather(&fds);
        let owner = Owner::default();
        for &fd in &fds {
            model.at(fd).room = 0;
            assert_eq!(write(&mut gather, &mut model, fd, b"a", true), Ok(1));
            drop(gather.close(&mut model, fd, owner.clone()));
        }
        assert!(Rc::strong_count(&owner) <= MOST_ORPHANS + 2);
    }

    #[test]
    fn a_new_socket_with_the_number_of_one_that_is_gone_starts_afresh() {
        let (mut gather, mut model) = gather(&[7]);
        assert_eq!(write(&mut gather, &mut model, 7, b"a", true), Ok(1));
        gather.forget(7);
        gather.flush(&mut model);
        assert_eq!(model.sent(7), b"");
        assert!(!gather.asked(7));
    }

    #[test]
    fn descriptors_that_others_close_do_not_add_up() {
        let mut gather = Gather::<Owner>::new();
        let mut model = Model::default();
        for fd in 0..10_000 {
            gather.set_asked(&mut model, fd, true);
        }
        assert!(gather.sockets.len() <= SWEEP_AT_LEAST);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Write { fd: i32, len: usize, within: bool },
        Flush,
        Room { fd: i32, bytes: usize },
        SendRest { fd: i32 },
        Ask { fd: i32, on: bool },
        Shut { fd: i32 },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let fd = 0..7i32;
        let len = prop_oneof![4 => 0..200usize, 1 => 0..LIMIT + 100];
        let bytes = prop_oneof![2 => 0..300usize, 1 => 0..2 * LIMIT];
        let step = prop_oneof![
            8 => (fd.clone(), len, prop::bool::weighted(0.8))
                .prop_map(|(fd, len, within)| Step::Write { fd, len, within }),
            3 => Just(Step::Flush),
            4 => (fd.clone(), bytes).prop_map(|(fd, bytes)| Step::Room { fd, bytes }),
            2 => fd.clone().prop_map(|fd| Step::SendRest { fd }),
            1 => (fd.clone(), any::<bool>()).prop_map(|(fd, on)| Step::Ask { fd, on }),
            1 => prop::option::weighted(0.1, fd).prop_map(|fd| match fd {
                Some(fd) => Step::Shut { fd },
                None => Step::Flush,
            }),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn nothing_is_lost_doubled_or_out_of_order(steps in steps()) {
            let fds: Vec<i32> = (0..7).collect();
            let (mut gather, mut model) = gather(&fds);
            let mut taken = vec![Vec::new(); fds.len()];
            let mut next = 0u8;
            let turn = Turn::new();
            for &fd in &fds {
                model.at(fd).room = 2000;
            }
            for step in steps {
                match step {
                    Step::Write { fd, len, within } => {
                        let data: Vec<u8> = (0..len)
                            .map(|_| {
                                next = next.wrapping_mul(5).wrapping_add(17);
                                next
                            })
                            .collect();
                        let bufs = [IoSlice::new(&data)];
                        let mut write = || {
                            let by = turn.by(fd);
                            match gather.write(&mut model, fd, &bufs, by) {
                                Some(result) => result,
                                None if len == 0 => Ok(0),
                                None => {
                                    let result = model.send(fd, &[], &bufs);
                                    if result == Ok(len) {
                                        turn.wrote(fd);
                                    }
                                    result
                                }
                            }
                        };
                        let result = if within { turn.within(fd, write) } else { write() };
                        if let Ok(n) = result {
                            prop_assert!(n > 0 || len == 0);
                            taken[fd as usize].extend_from_slice(&data[..n]);
                        }
                        // All that was taken, and nothing else.
                        let held = gather.sockets.get(&fd).map_or(&[][..], Socket::left);
                        prop_assert!(held.len() <= LIMIT);
                        let all = model.sent(fd).len() + held.len();
                        prop_assert_eq!(all, taken[fd as usize].len());
                        prop_assert!(taken[fd as usize].ends_with(held));
                        prop_assert!(gather.gathering.len() <= MOST);
                    }
                    Step::Flush => {
                        turn.end();
                        gather.flush(&mut model);
                        prop_assert!(gather.gathering.is_empty());
                    }
                    Step::Room { fd, bytes } => model.at(fd).room += bytes,
                    Step::SendRest { fd } => {
                        gather.send_rest(&mut model, fd);
                    }
                    // Asked after it was shut, a socket tells of it one call late.
                    Step::Ask { fd, .. } if model.at(fd).shut => {}
                    Step::Ask { fd, on } => gather.set_asked(&mut model, fd, on),
                    Step::Shut { fd } => {
                        turn.follows_nothing(fd);
                        if !gather.shut(&mut model, fd) {
                            model.shut(fd);
                        }
                    }
                }
            }
            gather.flush(&mut model);
            for &fd in &fds {
                model.at(fd).room = 1 << 20;
                prop_assert_eq!(gather.send_rest(&mut model, fd), Sent::All);
                prop_assert_eq!(model.sent(fd), &taken[fd as usize][..]);
                prop_assert!(model.0[&fd].kept.is_empty());
            }
            prop_assert!(gather.rests.is_empty());
        }
    }
}
