//! Gathering small writes, where the app asked for no delay.
//!
//! The kernel holds a small segment back until the one before it is acknowledged,
//! which the peer does up to 43 ms later, and the host has no `TCP_NODELAY` to
//! switch that off. A socket that it was asked for therefore *gathers*: what is
//! written in one turn of the scheduler is sent in one call, before whatever ends
//! the turn. The contract:
//!
//! * Only a stream gathers, only if it was asked to ([`set_asked`]) and is connected,
//!   and only a write [`within`] an operation of its selector: there somebody is
//!   sure to come by and [`flush`]. All other writes send what is gathered on their
//!   socket, and themselves behind it.
//! * [`LIMIT`] bytes of a socket are gathered at most. What does not fit is sent in one
//!   call with what is gathered, and has the result that it has natively. At most
//!   [`MOST`] sockets gather at once: the one that began first is sent when another
//!   one comes, so that none waits until many others were served.
//! * Whatever may wait, for whatever it may be, sends first: every poll, sleep and
//!   name lookup, every socket operation that is not within a selector's, every
//!   blocking closure; and a socket that is shut, handed on or closed.
//! * An error is told by the next operation on the socket, see `pending.rs`.
//! * What the kernel does not take stays, as the socket's *rest*: further writes are
//!   `WouldBlock` until it is out, and selectors see to it that it goes out
//!   ([`rests`]). Shutting comes after it. A socket that is closed meanwhile is kept
//!   open until then, as an orphan, as natively the kernel would keep it.
//! * At the end of the program, see `exit.rs`, the rest has [`LAST_TRY`] to go out.
//!
//! While no socket was asked to gather, each operation costs one load.

use crate::Errno;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::IoSlice;
use std::time::Duration;

/// So many bytes of a socket are gathered at most.
pub const LIMIT: usize = 16 * 1024;

/// So many sockets gather at once at most.
pub const MOST: usize = 4;

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
}

impl<O> Gather<O> {
    fn new() -> Gather<O> {
        Gather {
            sockets: HashMap::default(),
            gathering: Vec::with_capacity(MOST + 1),
            rests: Vec::new(),
            spare: Vec::new(),
            sweep_at: SWEEP_AT_LEAST,
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
        may_gather: bool,
    ) -> Option<Result<usize, Errno>> {
        let socket = self.sockets.get_mut(&fd)?;
        let total = bufs
            .iter()
            .fold(0usize, |sum, buf| sum.saturating_add(buf.len()));
        if total == 0 {
            return None;
        }
        if socket.shut {
            // While the rest is not out the kernel does not know yet.
            return (socket.state == State::Rest).then_some(Err(Errno::PIPE));
        }
        let gathers = may_gather && socket.asked;
        match socket.state {
            State::Empty => {
                if !gathers || total > LIMIT {
                    return None;
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
            State::Gathering if gathers && socket.held.len() + total <= LIMIT => {}
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

    /// Sends what all sockets have gathered.
    fn flush(&mut self, wire: &mut impl Wire) {
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
        if !socket.asked {
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
    use super::{Gather, Rest, Sent, Wire, LAST_TRY};
    use crate::abi::{Event, Subscription};
    use crate::fd::poll::poll_again;
    use crate::sys::{self, SendBufs};
    use crate::{exit, pending, Errno};
    use std::io::IoSlice;
    use std::os::fd::{AsRawFd, OwnedFd, RawFd};
    use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::Relaxed};
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
    /// The socket whose selector runs an operation on it; -1 for none.
    static WITHIN: AtomicI32 = AtomicI32::new(-1);

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
    /// calls [`flush`] before it waits.
    #[inline]
    pub fn within<R>(fd: RawFd, f: impl FnOnce() -> R) -> R {
        let outer = WITHIN.load(Relaxed);
        WITHIN.store(fd, Relaxed);
        let result = f();
        WITHIN.store(outer, Relaxed);
        result
    }

    /// Whether writes may concern this file at all.
    #[inline]
    pub(crate) fn may_concern() -> bool {
        !is_idle()
    }

    /// A write. `None` if it is to be sent as it is.
    pub(crate) fn write(
        fd: RawFd,
        bufs: &[IoSlice<'_>],
        is_stream: bool,
    ) -> Option<Result<usize, Errno>> {
        let may_gather = is_stream && WITHIN.load(Relaxed) == fd;
        with(|gather| gather.write(&mut Host, fd, bufs, may_gather))
    }

    /// Sends what is gathered. Returns whether there are [`rests`].
    #[inline]
    pub fn flush() -> bool {
        if GATHERING.load(Relaxed) != 0 {
            with(|gather| gather.flush(&mut Host));
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

    /// What is to be done before something that may block the program: [`flush`],
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
        if GATHERING.load(Relaxed) != 0 && WITHIN.load(Relaxed) == -1 {
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
