//! What is held for which socket. Plain data: the host is behind [`SendSink`].

use super::last_writer::Origin;
use crate::Errno;
use std::collections::hash_map::{Entry, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::io::IoSlice;
use std::time::Duration;

/// At most so many bytes of a socket are held: as much as a TLS record, and little
/// enough to copy.
pub const MAX_HELD_BYTES: usize = 16 * 1024;

/// At most so many sockets hold something at once. More gains no calls, and keeps the
/// first one waiting for longer.
pub const MAX_HELD_SOCKETS: usize = 4;

/// After so many ticks with a single write a socket stops coalescing.
const SINGLE_WRITES: u8 = 4;

/// At most so many closed sockets are kept for their backlog. The kernel has a limit
/// for those, too.
const MAX_ORPHANS: usize = 256;

/// How long one who cannot come back waits for a backlog to go out. A peer that reads
/// nothing for so long is not going to.
pub const LAST_DRAIN: Duration = Duration::from_secs(1);

/// Look for closed descriptors when there are this many. Those that are closed
/// by something other than this crate's types leave an entry behind.
const SWEEP_AT_LEAST: usize = 64;

/// What is asked of the host.
pub(super) trait SendSink {
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
    Held,
    /// Bytes that the kernel did not take.
    Backlog,
}

#[derive(Debug)]
struct Socket<O> {
    /// "No delay" was asked for.
    nodelay: bool,
    /// The socket was connected when it last mattered.
    connected: bool,
    /// The writing side is shut, or will be once the backlog is out.
    shut: bool,
    /// The tick of the last write, and how many ticks up to it had one write only.
    tick: u32,
    single_writes: u8,
    state: State,
    held: Vec<u8>,
    /// So many of `held` are sent.
    sent: usize,
    /// The kernel has refused the backlog since it was last listed.
    fresh: bool,
    /// The socket was closed, and is kept for its backlog.
    orphan: Option<O>,
    /// A selector waits for it: nobody else may close it.
    adopted: bool,
}

impl<O> Socket<O> {
    fn new() -> Socket<O> {
        Socket {
            nodelay: false,
            connected: false,
            shut: false,
            tick: 0,
            single_writes: 0,
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
pub struct Backlog {
    /// Its descriptor.
    pub fd: i32,
    /// The app has closed it: nobody but a selector waits for it.
    pub is_orphan: bool,
    /// The kernel has just refused it: there is no use in another try.
    pub is_fresh: bool,
}

/// How far sending a backlog came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing is left.
    All,
    /// The kernel took something.
    Part,
    /// The kernel took nothing.
    Nothing,
}

/// How many sockets there are of a kind.
pub(super) struct Counts {
    pub(super) known: usize,
    pub(super) holding: usize,
    pub(super) backlogs: usize,
}

/// What is known of all sockets. `O` is what owns a descriptor.
pub(super) struct Coalescer<O> {
    sockets: HashMap<i32, Socket<O>, BuildHasherDefault<FdHasher>>,
    /// The sockets that hold something, in the order in which they began.
    holding: Vec<i32>,
    /// Sockets with a backlog, and orphans.
    backlogs: Vec<i32>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    sweep_at: usize,
    /// Counts the ticks. A socket's first write is in another one than its last.
    tick: u32,
}

impl<O> Coalescer<O> {
    pub(super) fn new() -> Coalescer<O> {
        Coalescer {
            sockets: HashMap::default(),
            holding: Vec::with_capacity(MAX_HELD_SOCKETS + 1),
            backlogs: Vec::new(),
            spare: Vec::new(),
            sweep_at: SWEEP_AT_LEAST,
            tick: 1,
        }
    }

    /// How many sockets are known, hold something, have a backlog or are orphans.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            known: self.sockets.len(),
            holding: self.holding.len(),
            backlogs: self.backlogs.len(),
        }
    }

    /// So many ticks have ended since the last call, in which nothing was held.
    pub(super) fn pass(&mut self, ticks: u32) {
        self.tick = self.tick.wrapping_add(ticks);
    }

    /// Whether the kernel has not taken all of what was written on `fd`.
    pub(super) fn has_backlog(&self, fd: i32) -> bool {
        self.backlogs.contains(&fd)
    }

    /// A socket of whose backlog something is left.
    pub(super) fn any_backlog(&self) -> Option<i32> {
        let is_left = |fd: &&i32| {
            let socket = self.sockets.get(*fd);
            socket.is_some_and(|socket| !socket.left().is_empty())
        };
        self.backlogs.iter().find(is_left).copied()
    }

    /// Tries to send all backlogs.
    pub(super) fn try_backlogs(&mut self, sink: &mut impl SendSink) {
        for fd in self.backlogs.clone() {
            self.send_backlog(sink, fd);
        }
    }

    /// Whether "no delay" was asked for.
    pub(super) fn nodelay(&self, fd: i32) -> bool {
        self.sockets.get(&fd).is_some_and(|socket| socket.nodelay)
    }

    /// Has a socket coalesce from now on, or no longer.
    pub(super) fn set_nodelay(&mut self, sink: &mut impl SendSink, fd: i32, on: bool) {
        if on {
            if self.sockets.len() >= self.sweep_at {
                self.sockets
                    .retain(|&fd, socket| socket.state != State::Empty || sink.is_open(fd));
                self.sweep_at = (2 * self.sockets.len()).max(SWEEP_AT_LEAST);
            }
            self.sockets.entry(fd).or_insert_with(Socket::new).nodelay = true;
        } else if let Some(socket) = self.sockets.get_mut(&fd) {
            socket.nodelay = false;
            self.flush_socket(sink, fd);
            self.forget_idle(fd);
        }
    }

    /// A write of `bufs`. `None` if it is to be sent by itself, now.
    pub(super) fn write(
        &mut self,
        sink: &mut impl SendSink,
        fd: i32,
        bufs: &[IoSlice<'_>],
        origin: Origin,
    ) -> Option<Result<usize, Errno>> {
        let total = bufs
            .iter()
            .fold(0usize, |sum, buf| sum.saturating_add(buf.len()));
        if total == 0 {
            return None;
        }
        let socket = match self.sockets.entry(fd) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) if origin == Origin::SelectorAgain && total <= MAX_HELD_BYTES => {
                entry.insert(Socket {
                    // It has just taken something.
                    connected: true,
                    ..Socket::new()
                })
            }
            Entry::Vacant(_) => return None,
        };
        if socket.shut {
            // While the backlog is not out the kernel does not know yet.
            return (socket.state == State::Backlog).then_some(Err(Errno::PIPE));
        }
        match socket.state {
            State::Empty => {
                let holds = match origin {
                    Origin::Outside => false,
                    Origin::Selector => socket.nodelay,
                    Origin::SelectorAgain => true,
                };
                if !holds || total > MAX_HELD_BYTES {
                    return None;
                }
                let again = std::mem::replace(&mut socket.tick, self.tick) == self.tick;
                if again || origin == Origin::SelectorAgain {
                    socket.single_writes = 0;
                } else if socket.single_writes >= SINGLE_WRITES {
                    return None;
                } else {
                    socket.single_writes += 1;
                }
                if !socket.connected {
                    socket.connected = sink.is_connected(fd);
                    if !socket.connected {
                        return None;
                    }
                }
                socket.state = State::Held;
                if let Some(spare) = self.spare.pop() {
                    socket.held = spare;
                }
                self.holding.push(fd);
                if self.holding.len() > MAX_HELD_SOCKETS {
                    self.flush_socket(sink, self.holding[0]);
                }
            }
            State::Held
                if origin != Origin::Outside && socket.held.len() + total <= MAX_HELD_BYTES =>
            {
                socket.single_writes = 0;
            }
            State::Held | State::Backlog => return self.write_through(sink, fd, bufs),
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
        sink: &mut impl SendSink,
        fd: i32,
        bufs: &[IoSlice<'_>],
    ) -> Option<Result<usize, Errno>> {
        let socket = self.sockets.get_mut(&fd)?;
        let left = socket.left().len();
        let result = sink.send(fd, socket.left(), bufs);
        match result {
            Ok(n) if n >= left => {
                self.on_drained(sink, fd);
                // Whether the kernel would take any of the new is not known then.
                (n > left).then_some(Ok(n - left))
            }
            Ok(n) => {
                self.on_refused(fd, n);
                Some(Err(Errno::AGAIN))
            }
            Err(Errno::AGAIN) => {
                self.on_refused(fd, 0);
                Some(Err(Errno::AGAIN))
            }
            Err(Errno::INTR) => Some(Err(Errno::INTR)),
            Err(errno) => {
                self.on_error(sink, fd, errno);
                Some(Err(errno))
            }
        }
    }

    /// Sends what all sockets have held back. The tick ends.
    pub(super) fn flush(&mut self, sink: &mut impl SendSink) {
        self.tick = self.tick.wrapping_add(1);
        while let Some(&fd) = self.holding.first() {
            self.flush_socket(sink, fd);
        }
    }

    /// Sends what a socket has held back.
    pub(super) fn flush_socket(&mut self, sink: &mut impl SendSink, fd: i32) {
        if self
            .sockets
            .get(&fd)
            .is_some_and(|socket| socket.state == State::Held)
        {
            self.send_held(sink, fd);
        }
    }

    /// Tries to send a backlog.
    pub(super) fn send_backlog(&mut self, sink: &mut impl SendSink, fd: i32) -> Sent {
        match self.sockets.get(&fd) {
            Some(socket) if socket.state == State::Backlog => self.send_held(sink, fd),
            _ => Sent::All,
        }
    }

    fn send_held(&mut self, sink: &mut impl SendSink, fd: i32) -> Sent {
        let Some(socket) = self.sockets.get_mut(&fd) else {
            return Sent::All;
        };
        loop {
            match sink.send(fd, socket.left(), &[]) {
                Ok(n) if n >= socket.left().len() => self.on_drained(sink, fd),
                Ok(n) => {
                    self.on_refused(fd, n);
                    return if n > 0 { Sent::Part } else { Sent::Nothing };
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    self.on_refused(fd, 0);
                    return Sent::Nothing;
                }
                Err(errno) => {
                    if socket.orphan.is_none() {
                        sink.keep(fd, errno);
                    }
                    self.on_error(sink, fd, errno);
                }
            }
            return Sent::All;
        }
    }

    /// The kernel took so many bytes of what is held, and not all.
    fn on_refused(&mut self, fd: i32, taken: usize) {
        self.holding.retain(|&other| other != fd);
        if let Some(socket) = self.sockets.get_mut(&fd) {
            if socket.state != State::Backlog {
                socket.state = State::Backlog;
                self.backlogs.push(fd);
            }
            socket.sent += taken;
            socket.fresh = true;
        }
    }

    /// What was held is lost.
    fn on_error(&mut self, sink: &mut impl SendSink, fd: i32, errno: Errno) {
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
        self.on_drained(sink, fd);
    }

    /// Nothing is held any more.
    fn on_drained(&mut self, sink: &mut impl SendSink, fd: i32) {
        self.holding.retain(|&other| other != fd);
        let Some(socket) = self.sockets.get_mut(&fd) else {
            return;
        };
        socket.state = State::Empty;
        socket.sent = 0;
        let mut buffer = std::mem::take(&mut socket.held);
        if self.spare.len() <= MAX_HELD_SOCKETS && buffer.capacity() > 0 {
            buffer.clear();
            self.spare.push(buffer);
        }
        if socket.shut {
            sink.shut(fd);
        }
        self.forget_idle(fd);
    }

    /// Forgets what need not be known any more.
    fn forget_idle(&mut self, fd: i32) {
        let Some(socket) = self.sockets.get(&fd) else {
            return;
        };
        // An orphan that is adopted is closed by its selector.
        if socket.state != State::Empty || socket.adopted {
            return;
        }
        self.backlogs.retain(|&other| other != fd);
        // That it is shut matters should "no delay" be asked for again.
        if socket.orphan.is_some() || !(socket.nodelay || socket.shut) {
            self.sockets.remove(&fd);
        }
    }

    /// Shutting the writing side. Returns whether it has to wait for the backlog.
    pub(super) fn shut(&mut self, sink: &mut impl SendSink, fd: i32) -> bool {
        self.flush_socket(sink, fd);
        match self.sockets.get_mut(&fd) {
            Some(socket) => {
                socket.shut = true;
                socket.state == State::Backlog
            }
            None => false,
        }
    }

    /// The socket is closed; gives back what is to be dropped.
    pub(super) fn close(&mut self, sink: &mut impl SendSink, fd: i32, owner: O) -> Option<O> {
        self.flush_socket(sink, fd);
        let orphans = self.backlogs.len();
        if let Some(socket) = self.sockets.get_mut(&fd) {
            let is_kept =
                socket.state == State::Backlog && orphans <= MAX_ORPHANS && !sink.closes_hard(fd);
            if is_kept {
                socket.nodelay = false;
                socket.orphan = Some(owner);
                socket.fresh = true;
                return None;
            }
        }
        self.forget(fd);
        Some(owner)
    }

    /// `fd` is closed, or its number was just given to a new socket.
    pub(super) fn forget(&mut self, fd: i32) -> Option<O> {
        let socket = self.sockets.remove(&fd)?;
        if socket.state != State::Empty || socket.orphan.is_some() {
            self.holding.retain(|&other| other != fd);
            self.backlogs.retain(|&other| other != fd);
        }
        socket.orphan
    }

    /// Lists the sockets with a backlog.
    pub(super) fn backlogs(&mut self, into: &mut Vec<Backlog>) {
        for &fd in &self.backlogs {
            if let Some(socket) = self.sockets.get_mut(&fd) {
                into.push(Backlog {
                    fd,
                    is_orphan: socket.orphan.is_some(),
                    is_fresh: std::mem::take(&mut socket.fresh),
                });
            }
        }
    }

    pub(super) fn set_adopted(&mut self, fd: i32, adopted: bool) {
        if let Some(socket) = self.sockets.get_mut(&fd) {
            socket.adopted = adopted;
            self.forget_idle(fd);
        }
    }
}

#[cfg(all(test, not(target_os = "wasi")))]
mod tests;
