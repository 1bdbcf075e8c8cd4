//! The selector's logic against the model of the host.

mod backlog;
mod backoff;
mod edges;
mod load;
mod poll_set;
mod polls;
mod random;
mod registration;
mod signals;
mod speculative;
mod split;
mod told;
mod wait;

use std::cell::RefMut;

use crate::direction::{Direction, Interest, Readiness, Ready};
use crate::model::{Model, Socket};
use crate::poller::Poller;
use crate::registration::{Key, Owner};
use crate::waiter::Waiter as _;

/// A millisecond, in nanoseconds.
const MS: u64 = 1_000_000;

/// A poller, and the model that it asks.
struct Rig {
    poller: Poller<Model>,
    model: Model,
}

impl Rig {
    fn new() -> Rig {
        let model = Model::default();
        let poller = Poller::new(model.clone()).unwrap();
        Rig { poller, model }
    }

    /// One whose calls take time.
    fn with_costs() -> Rig {
        let rig = Rig::new();
        rig.model.0.borrow_mut().costs = true;
        rig
    }

    /// Opens a socket that is not registered.
    fn open(&self, fd: i32, socket: Socket) {
        self.model.0.borrow_mut().sockets.insert(fd, socket);
    }

    /// Opens a socket and registers it, as mio does.
    fn source(&mut self, fd: i32, token: usize, interest: Interest, socket: Socket) -> Key {
        self.source_of(Owner::Mio, fd, token, interest, socket)
    }

    /// Opens a socket and registers it.
    fn source_of(
        &mut self,
        owner: Owner,
        fd: i32,
        token: usize,
        interest: Interest,
        socket: Socket,
    ) -> Key {
        self.open(fd, socket);
        let key = self.poller.set.insert(fd, token, interest, owner);
        key.unwrap()
    }

    /// Ends a registration and closes its socket.
    fn close(&mut self, key: Key, fd: i32) {
        assert!(self.poller.set.remove(key));
        self.model.0.borrow_mut().sockets.remove(&fd);
    }

    fn wait(&mut self, timeout: Option<u64>) -> Vec<Readiness> {
        let mut found = Vec::new();
        self.poller
            .wait(timeout, |readiness| found.push(readiness))
            .unwrap();
        found
    }

    /// Waits, and names who was found.
    fn tokens(&mut self, timeout: Option<u64>) -> Vec<usize> {
        tokens(&self.wait(timeout))
    }

    /// Waits for somebody to be found, and tells how long that took.
    fn delay(&mut self, timeout: Option<u64>) -> (Vec<usize>, u64) {
        let start = self.now();
        let found = self.tokens(timeout);
        (found, self.now() - start)
    }

    fn socket(&self, fd: i32) -> RefMut<'_, Socket> {
        RefMut::map(self.model.0.borrow_mut(), |state| {
            state.sockets.get_mut(&fd).expect("an open socket")
        })
    }

    fn speak(&self, fd: i32) {
        self.socket(fd).readable = true;
    }

    fn now(&self) -> u64 {
        self.model.0.borrow().now
    }

    fn polls(&self) -> usize {
        self.model.0.borrow().polls
    }

    fn probes(&self) -> usize {
        self.model.0.borrow().probes
    }

    /// The program computes.
    fn work(&self, nanos: u64) {
        let mut state = self.model.0.borrow_mut();
        state.now += nanos;
        state.cpu_time += nanos;
    }

    /// What a task does that was told: it reads everything and answers.
    fn serve(&mut self, key: Key, fd: i32) {
        let had_data = std::mem::take(&mut self.socket(fd).readable);
        self.work(20_000);
        if had_data {
            self.poller.served(key);
        } else {
            self.poller.exhausted(key, Interest::READ);
        }
    }
}

fn tokens(found: &[Readiness]) -> Vec<usize> {
    found.iter().map(|readiness| readiness.token).collect()
}

/// Sets of directions, as only tests need them.
fn union(a: Interest, b: Interest) -> Interest {
    Interest::new(
        a.has(Direction::Read) || b.has(Direction::Read),
        a.has(Direction::Write) || b.has(Direction::Write),
    )
}

/// What is reported as ready, as the interest that it answers.
fn answered(ready: Ready) -> Interest {
    Interest::new(ready.is_readable(), ready.is_writable())
}

/// Bit 0 is reading, bit 1 is writing.
fn interest(bits: u8) -> Interest {
    Interest::new(bits & 1 != 0, bits & 2 != 0)
}

/// Many connections, with descriptors and tokens from [`Connections::FIRST`] on. Calls
/// take time.
struct Connections {
    rig: Rig,
    keys: Vec<Key>,
}

impl Connections {
    const FIRST: i32 = 100;

    /// `count` readers of which none has anything to say.
    fn idle(count: i32) -> Connections {
        let mut rig = Rig::with_costs();
        let keys = (0..count)
            .map(|n| {
                let fd = Connections::FIRST + n;
                rig.source(fd, fd as usize, Interest::READ, Socket::silent())
            })
            .collect();
        Connections { rig, keys }
    }

    fn key(&self, fd: i32) -> Key {
        self.keys[(fd - Connections::FIRST) as usize]
    }

    fn serve(&mut self, fd: i32) {
        let key = self.key(fd);
        self.rig.serve(key, fd);
    }

    /// Keeps the first `hot` of them busy for `nanos`; `cold`, if any, speaks in
    /// the middle of it. Returns the requests answered and how long the cold one
    /// waited.
    fn busy(&mut self, hot: usize, nanos: u64, cold: Option<i32>) -> (usize, Option<u64>) {
        let start = self.rig.now();
        let (mut answered, mut spoke, mut heard) = (0, None, None);
        let hot = Connections::FIRST..Connections::FIRST + hot as i32;
        for fd in hot.clone() {
            self.rig.speak(fd);
        }
        loop {
            let now = self.rig.now();
            if now >= start + nanos {
                return (answered, heard);
            }
            if let (Some(fd), None) = (cold, spoke) {
                if now >= start + nanos / 2 {
                    self.rig.speak(fd);
                    spoke = Some(now);
                }
            }
            for token in self.rig.tokens(None) {
                let fd = token as i32;
                if Some(fd) == cold {
                    heard = spoke.map(|spoke| self.rig.now() - spoke);
                }
                self.serve(fd);
                if hot.contains(&fd) {
                    answered += 1;
                    // The client answers at once.
                    self.rig.speak(fd);
                }
            }
        }
    }

    /// Has one of the first `hot` of them speak each third of a millisecond, for
    /// `nanos`. The program sleeps in between.
    fn leisurely(&mut self, hot: usize, nanos: u64) {
        let end = self.rig.now() + nanos;
        for fd in (Connections::FIRST..).take(hot).cycle() {
            if self.rig.now() >= end {
                return;
            }
            self.rig.speak(fd);
            for _ in 0..2 {
                for token in self.rig.tokens(Some(MS / 3)) {
                    self.serve(token as i32);
                }
            }
        }
    }
}
