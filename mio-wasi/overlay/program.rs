//! What the program's polls wait with: the plugin's epoll where the plugin is, else the
//! host's poll. Which it is, is decided when the first poll is made.

use std::task::Waker;

use wasmedge_host::backend::plugin;
use wasmedge_host::Errno;

use super::direction::{Interest, Readiness};
use super::edge_poller::EdgePoller;
use super::plugin::PluginEpoll;
use super::poller::Poller;
use super::registration::{Key, Owner, RegisterError};
use super::signals::{ListenerId, Listeners};
use super::waiter::Waiter;
use super::wasmedge::WasmEdge;

/// One of the two.
#[derive(Debug)]
pub(super) enum Program {
    /// The host's poll.
    Levels(Box<Poller<WasmEdge>>),
    /// The plugin's epoll.
    Edges(EdgePoller<PluginEpoll>),
}

impl Program {
    /// # Errors
    ///
    /// The system's, such as too many open files.
    pub(super) fn new() -> Result<Program, Errno> {
        Ok(if plugin::is_there() {
            Program::Edges(EdgePoller::new(PluginEpoll::new()?))
        } else {
            Program::Levels(Box::new(Poller::new(WasmEdge::new())?))
        })
    }

    /// The poller that has to be told of what operations found.
    pub(super) fn levels(&mut self) -> Option<&mut Poller<WasmEdge>> {
        match self {
            Program::Levels(poller) => Some(poller),
            Program::Edges(_) => None,
        }
    }
}

impl Program {
    /// Takes a signal from now on, and listens for it. `None`: none ever comes.
    pub(super) fn listen(&mut self, signal: i32) -> Result<Option<ListenerId>, Errno> {
        match self {
            Program::Levels(_) => Ok(None),
            Program::Edges(poller) => poller.epoll.listen(signal).map(Some),
        }
    }

    /// Who listens for which signal; `None` where none ever comes.
    pub(super) fn listeners(&mut self) -> Option<&mut Listeners> {
        match self {
            Program::Levels(_) => None,
            Program::Edges(poller) => Some(poller.epoll.listeners()),
        }
    }
}

macro_rules! either {
    ($self:ident, $waiter:ident => $call:expr) => {
        match $self {
            Program::Levels($waiter) => $call,
            Program::Edges($waiter) => $call,
        }
    };
}

impl Waiter for Program {
    fn insert(
        &mut self,
        fd: i32,
        number: usize,
        interest: Interest,
        owner: Owner,
    ) -> Result<Key, RegisterError> {
        either!(self, waiter => waiter.insert(fd, number, interest, owner))
    }

    fn update(&mut self, key: Key, interest: Interest) {
        either!(self, waiter => waiter.update(key, interest));
    }

    fn remove(&mut self, key: Key) {
        either!(self, waiter => waiter.remove(key));
    }

    fn number(&self, key: Key) -> Option<usize> {
        either!(self, waiter => waiter.number(key))
    }

    fn find(&self, fd: i32) -> Option<Key> {
        either!(self, waiter => waiter.find(fd))
    }

    fn wake(&mut self, number: usize) {
        either!(self, waiter => waiter.wake(number));
    }

    fn forget_wake(&mut self, number: usize) {
        either!(self, waiter => waiter.forget_wake(number));
    }

    fn flush(&mut self) {
        either!(self, waiter => waiter.flush());
    }

    fn now(&mut self) -> u64 {
        either!(self, waiter => waiter.now())
    }

    fn wait(
        &mut self,
        timeout: Option<u64>,
        report: impl FnMut(Readiness),
    ) -> Result<(), Errno> {
        either!(self, waiter => waiter.wait(timeout, report))
    }

    fn take_wakers(&mut self, into: &mut Vec<Waker>) {
        either!(self, waiter => waiter.take_wakers(into));
    }
}
