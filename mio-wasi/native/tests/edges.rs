//! Waiting by edges, with the kernel's epoll in the place of the plugin's, which hands all
//! on to it.
#![cfg(target_os = "linux")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::mem;
use std::net::Shutdown;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use rustix::event::epoll;
use wasmedge_host::coalesce::{Backlog, Sent};
use wasmedge_host::Errno;

use crate::direction::{Direction, Interest, Readiness};
use crate::edge_poller::{bits, EdgePoller, Epoll};
use crate::registration::{Key, Owner, RegisterError};
use crate::waiter::Waiter;
use crate::writes::Writes;

/// Bytes that the kernel did not take, and whose they are.
#[derive(Debug, Default)]
struct State {
    sockets: BTreeMap<i32, Rc<UnixStream>>,
    backlogs: BTreeMap<i32, Vec<u8>>,
    orphans: Vec<i32>,
    adopted: Vec<i32>,
    shut: Vec<(i32, Shutdown)>,
}

#[derive(Clone, Debug, Default)]
struct Kept(Rc<RefCell<State>>);

impl Writes for Kept {
    fn flush(&mut self) -> bool {
        !self.0.borrow().backlogs.is_empty()
    }

    fn backlogs(&mut self, into: &mut Vec<Backlog>) {
        let state = self.0.borrow();
        into.extend(state.backlogs.keys().map(|&fd| Backlog {
            fd,
            is_orphan: state.orphans.contains(&fd),
            is_fresh: true,
        }));
    }

    fn send_backlog(&mut self, fd: i32) -> Sent {
        let state = &mut *self.0.borrow_mut();
        let Some(left) = state.backlogs.get_mut(&fd) else {
            return Sent::All;
        };
        let mut sent = Sent::Nothing;
        let mut socket = &*state.sockets[&fd];
        while !left.is_empty() {
            match socket.write(left) {
                Ok(count) => {
                    left.drain(..count);
                    sent = Sent::Part;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    return sent;
                }
            }
        }
        state.backlogs.remove(&fd);
        Sent::All
    }

    fn adopt(&mut self, fd: i32) {
        self.0.borrow_mut().adopted.push(fd);
    }

    fn close_orphan(&mut self, fd: i32) {
        let mut state = self.0.borrow_mut();
        state.adopted.retain(|&other| other != fd);
        state.orphans.retain(|&other| other != fd);
        state.sockets.remove(&fd);
    }
}

/// The kernel's epoll.
struct Linux {
    epoll: OwnedFd,
    kept: Kept,
    /// What is waited for beside the sources: readable when a signal has come.
    signals: Option<UnixStream>,
    has_signal: bool,
}

fn flags(interest: Interest) -> epoll::EventFlags {
    let mut flags = epoll::EventFlags::ET;
    if interest.has(Direction::Read) {
        flags |= epoll::EventFlags::IN | epoll::EventFlags::RDHUP;
    }
    if interest.has(Direction::Write) {
        flags |= epoll::EventFlags::OUT;
    }
    flags
}

impl Epoll for Linux {
    type Writes = Kept;
    type Registered = Rc<UnixStream>;

    fn add(&mut self, fd: i32, interest: Interest, data: u64) -> Result<Rc<UnixStream>, Errno> {
        let socket = self.kept.0.borrow().sockets.get(&fd).cloned();
        let socket = socket.ok_or(Errno::BADF)?;
        let data = epoll::EventData::new_u64(data);
        epoll::add(&self.epoll, &*socket, data, flags(interest)).map_err(|_| Errno::EXIST)?;
        Ok(socket)
    }

    fn modify(
        &mut self,
        registered: &mut Rc<UnixStream>,
        interest: Interest,
        data: u64,
    ) -> Result<(), Errno> {
        let data = epoll::EventData::new_u64(data);
        epoll::modify(&self.epoll, &**registered, data, flags(interest)).map_err(|_| Errno::NOENT)
    }

    fn remove(&mut self, registered: Rc<UnixStream>) {
        epoll::delete(&self.epoll, &*registered).unwrap();
    }

    fn wait(&mut self, timeout: Option<u64>, mut found: impl FnMut(u64, u32)) -> Result<(), Errno> {
        let time = timeout.map(|nanos| rustix::event::Timespec {
            tv_sec: (nanos / 1_000_000_000) as i64,
            tv_nsec: (nanos % 1_000_000_000) as i64,
        });
        let mut events = Vec::with_capacity(64);
        let room = rustix::buffer::spare_capacity(&mut events);
        epoll::wait(&self.epoll, room, time.as_ref()).unwrap();
        for event in &events {
            // The record is packed.
            let (data, flags) = (event.data, event.flags);
            match data.u64() {
                SIGNALS => self.has_signal = true,
                data => found(data, flags.bits()),
            }
        }
        Ok(())
    }

    fn now(&mut self) -> u64 {
        0
    }

    fn take_shut(&mut self, is_ours: impl Fn(i32) -> bool, into: &mut Vec<(i32, Shutdown)>) {
        let mut state = self.kept.0.borrow_mut();
        into.extend(state.shut.extract_if(.., |(fd, _)| is_ours(*fd)));
    }

    fn writes(&mut self) -> &mut Kept {
        &mut self.kept
    }

    fn has_more(&self) -> bool {
        self.signals.is_some()
    }

    fn take_wakers(&mut self, into: &mut Vec<Waker>) {
        if mem::take(&mut self.has_signal) {
            into.push(Waker::noop().clone());
        }
    }
}

/// What signals are registered with: no source is.
const SIGNALS: u64 = u64::MAX;

struct Rig {
    poller: EdgePoller<Linux>,
    kept: Kept,
}

impl Rig {
    fn new() -> Rig {
        let kept = Kept::default();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let poller = EdgePoller::new(Linux {
            epoll,
            kept: kept.clone(),
            signals: None,
            has_signal: false,
        });
        Rig { poller, kept }
    }

    /// A socket that is not registered, by its number, and its peer.
    fn open(&self) -> (i32, UnixStream) {
        let (socket, peer) = UnixStream::pair().unwrap();
        socket.set_nonblocking(true).unwrap();
        peer.set_nonblocking(true).unwrap();
        let fd = socket.as_raw_fd();
        let socket = Rc::new(socket);
        self.kept.0.borrow_mut().sockets.insert(fd, socket);
        (fd, peer)
    }

    fn register(&mut self, fd: i32, number: usize, interest: Interest) -> Key {
        let key = self.poller.insert(fd, number, interest, Owner::Mio);
        key.unwrap()
    }

    fn wait(&mut self, timeout: Option<u64>) -> Vec<Readiness> {
        let mut found = Vec::new();
        let waited = self.poller.wait(timeout, |readiness| found.push(readiness));
        waited.unwrap();
        found
    }

    /// The number, whether it is readable and whether it is writable, of all that is found
    /// at once.
    fn found(&mut self) -> Vec<(usize, bool, bool)> {
        let found = self.wait(Some(0));
        let told = found.iter().map(|readiness| {
            let ready = readiness.ready;
            (readiness.token, ready.is_readable(), ready.is_writable())
        });
        told.collect()
    }

    /// Fills the socket's buffer; then so many bytes are what the kernel did not take.
    fn leave(&self, fd: i32, count: usize) -> usize {
        let state = &mut *self.kept.0.borrow_mut();
        let mut socket = &*state.sockets[&fd];
        let mut filled = 0;
        while let Ok(count) = socket.write(&[1; 4096]) {
            filled += count;
        }
        state.backlogs.insert(fd, vec![2; count]);
        filled
    }
}

/// Reads all that is there.
fn drain(mut peer: &UnixStream) -> usize {
    let (mut all, mut buffer) = (0, [0; 65536]);
    loop {
        match peer.read(&mut buffer) {
            Ok(0) => return all,
            Ok(count) => all += count,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                return all;
            }
        }
    }
}

#[test]
fn what_happens_is_told_once() {
    let mut rig = Rig::new();
    let (fd, mut peer) = rig.open();
    rig.register(fd, 7, Interest::BOTH);
    assert_eq!(rig.found(), [(7, false, true)]);
    assert_eq!(rig.found(), []);
    peer.write_all(b"one").unwrap();
    assert_eq!(
        rig.found(),
        [(7, true, true)],
        "the kernel tells of all of it"
    );
    assert_eq!(rig.found(), []);
    peer.write_all(b"two").unwrap();
    assert_eq!(rig.found(), [(7, true, true)], "though one was not read");
}

#[test]
fn only_what_is_of_interest_is_told() {
    let mut rig = Rig::new();
    let (reader, mut peer) = rig.open();
    let (writer, _other) = rig.open();
    rig.register(reader, 1, Interest::READ);
    rig.register(writer, 2, Interest::WRITE);
    assert_eq!(rig.found(), [(2, false, true)]);
    peer.write_all(b"one").unwrap();
    assert_eq!(rig.found(), [(1, true, false)]);
}

#[test]
fn a_half_close_and_a_whole_one_are_told() {
    let mut rig = Rig::new();
    let (fd, peer) = rig.open();
    rig.register(fd, 7, Interest::BOTH);
    rig.found();
    peer.shutdown(Shutdown::Write).unwrap();
    let found = rig.wait(Some(0));
    assert_eq!(found.len(), 1);
    assert!(found[0].ready.is_readable() && found[0].read_closed && !found[0].write_closed);
    drop(peer);
    let found = rig.wait(Some(0));
    assert!(found[0].read_closed && found[0].write_closed);
}

#[test]
fn an_update_tells_all_anew() {
    let mut rig = Rig::new();
    let (fd, mut peer) = rig.open();
    let key = rig.register(fd, 7, Interest::BOTH);
    peer.write_all(b"one").unwrap();
    assert_eq!(rig.found(), [(7, true, true)]);
    rig.poller.update(key, Interest::READ);
    assert_eq!(rig.found(), [(7, true, false)]);
    assert_eq!(rig.found(), []);
}

#[test]
fn what_is_removed_is_told_no_longer_and_its_key_names_nothing() {
    let mut rig = Rig::new();
    let (fd, mut peer) = rig.open();
    let key = rig.register(fd, 7, Interest::READ);
    assert_eq!(rig.poller.find(fd), Some(key));
    let again = rig.poller.insert(fd, 8, Interest::READ, Owner::Mio);
    assert_eq!(again, Err(RegisterError::AlreadyRegistered));
    rig.poller.remove(key);
    peer.write_all(b"one").unwrap();
    assert_eq!(rig.found(), []);
    assert_eq!(rig.poller.find(fd), None);

    // The next one takes the place of the first.
    let other = rig.register(fd, 9, Interest::READ);
    assert_eq!(rig.found(), [(9, true, false)]);
    assert!(key.shares(other));
    rig.poller.update(key, Interest::BOTH);
    rig.poller.remove(key);
    assert_eq!(rig.poller.number(key), None);
    assert_eq!(rig.poller.number(other), Some(9));
}

#[test]
fn what_cannot_be_waited_for_is_refused_and_leaves_nothing() {
    let mut rig = Rig::new();
    let (fd, _peer) = rig.open();
    let refused = rig.poller.insert(-1, 7, Interest::READ, Owner::Foreign);
    assert_eq!(refused, Err(RegisterError::Refused(Errno::BADF)));
    rig.register(fd, 8, Interest::WRITE);
    assert_eq!(rig.found(), [(8, false, true)]);
}

#[test]
fn a_wake_ends_the_wait_and_hides_nothing() {
    let mut rig = Rig::new();
    rig.poller.wake(3);
    rig.poller.wake(3);
    assert_eq!(rig.wait(None).len(), 1, "with nothing registered");
    let (fd, _peer) = rig.open();
    rig.register(fd, 7, Interest::WRITE);
    rig.poller.wake(3);
    rig.poller.wake(4);
    rig.poller.forget_wake(4);
    let found: Vec<usize> = rig.wait(None).iter().map(|found| found.token).collect();
    assert_eq!(found, [7, 3]);
}

#[test]
fn a_timeout_lasts_as_long_as_asked() {
    let mut rig = Rig::new();
    let (fd, _peer) = rig.open();
    rig.register(fd, 7, Interest::READ);
    for with_sources in [true, false] {
        let (start, time) = (Instant::now(), Duration::from_millis(30));
        assert_eq!(rig.wait(Some(time.as_nanos() as u64)), []);
        assert!(start.elapsed() >= time, "{with_sources}");
        if let Some(key) = rig.poller.find(fd) {
            rig.poller.remove(key);
        }
    }
}

#[test]
fn a_backlog_goes_out_when_there_is_room_and_then_the_writer_is_told() {
    for interest in [Interest::BOTH, Interest::READ] {
        let mut rig = Rig::new();
        let (fd, peer) = rig.open();
        rig.register(fd, 7, interest);
        rig.found();
        let before = rig.leave(fd, 100_000);
        assert_eq!(rig.found(), []);
        let mut after = 0;
        let mut told = Vec::new();
        while !rig.kept.0.borrow().backlogs.is_empty() {
            assert_eq!(told, []);
            after += drain(&peer);
            told = rig.found();
        }
        after += drain(&peer);
        assert_eq!(after, before + 100_000);
        if interest.has(Direction::Write) {
            assert_eq!(told, [(7, false, true)]);
        } else {
            assert_eq!(told, [], "nobody asked");
            // It is registered as it was.
            assert_eq!(rig.found(), []);
        }
    }
}

/// Else whoever writes would wait for room, and not learn that it may write no more.
#[test]
fn a_shutdown_that_waits_for_the_backlog_is_told_at_once() {
    let mut rig = Rig::new();
    let (fd, _peer) = rig.open();
    rig.register(fd, 7, Interest::BOTH);
    rig.found();
    rig.leave(fd, 100);
    rig.kept.0.borrow_mut().shut.push((fd, Shutdown::Write));
    rig.kept
        .0
        .borrow_mut()
        .shut
        .push((fd + 1000, Shutdown::Write));
    let found = rig.wait(None);
    assert_eq!(found.len(), 1);
    assert!(found[0].ready.is_writable() && found[0].write_closed && !found[0].read_closed);
    assert_eq!(rig.found(), [], "once");
    assert_eq!(
        rig.kept.0.borrow().shut.len(),
        1,
        "the other is somebody else's"
    );
}

#[test]
fn an_orphan_is_closed_when_its_backlog_is_out() {
    let mut rig = Rig::new();
    let (fd, peer) = rig.open();
    let before = rig.leave(fd, 1000);
    rig.kept.0.borrow_mut().orphans.push(fd);
    assert_eq!(rig.found(), []);
    assert_eq!(rig.kept.0.borrow().adopted, [fd]);
    assert_eq!(drain(&peer), before);
    assert_eq!(rig.found(), [], "its room is nobody's news");
    assert_eq!(drain(&peer), 1000);
    let state = rig.kept.0.borrow();
    assert!(state.sockets.is_empty() && state.adopted.is_empty());
    assert_eq!(rig.poller.find(fd), None);
}

#[test]
fn an_error_is_told_to_whoever_has_a_backlog() {
    let mut rig = Rig::new();
    let (fd, peer) = rig.open();
    rig.register(fd, 7, Interest::READ);
    rig.leave(fd, 0);
    assert_eq!(rig.found(), []);
    drop(peer);
    let found = rig.wait(Some(0));
    assert!(found
        .iter()
        .any(|found| found.token == 7 && found.write_closed));
}

/// The numbers are the kernel's.
#[test]
fn bits_are_those_of_the_kernel() {
    use epoll::EventFlags;
    for (ours, flag) in [
        (bits::IN, EventFlags::IN),
        (bits::PRI, EventFlags::PRI),
        (bits::OUT, EventFlags::OUT),
        (bits::ERR, EventFlags::ERR),
        (bits::HUP, EventFlags::HUP),
        (bits::RDHUP, EventFlags::RDHUP),
    ] {
        assert_eq!(ours, flag.bits());
    }
}

/// A program that never sleeps looks with a time-out of zero, and may have no source.
#[test]
fn a_signal_is_found_without_sources_and_without_a_wait() {
    let mut rig = Rig::new();
    let (signals, mut sender) = UnixStream::pair().unwrap();
    let data = epoll::EventData::new_u64(SIGNALS);
    epoll::add(
        &rig.poller.epoll.epoll,
        &signals,
        data,
        epoll::EventFlags::IN,
    )
    .unwrap();
    rig.poller.epoll.signals = Some(signals);
    let mut wakers = Vec::new();
    let mut look = |rig: &mut Rig| {
        rig.poller
            .wait(Some(0), |readiness| panic!("{readiness:?}"))
            .unwrap();
        rig.poller.take_wakers(&mut wakers);
        mem::take(&mut wakers).len()
    };
    assert_eq!(look(&mut rig), 0);
    sender.write_all(b"!").unwrap();
    assert_eq!(look(&mut rig), 1);
}
