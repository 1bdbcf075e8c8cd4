//! The registration that travels with an I/O source, and what its operations tell.

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmedge_host::backend::plugin;
use wasmedge_host::fd::socket;
use wasmedge_host::{coalesce, ready};

use super::direction::{Direction, Interest};
use super::registration::{Key, Owner};
use super::poller::Poller;
use super::selector::{asked, Selector};
use super::wasmedge::WasmEdge;
use crate::{Registry, Token};

/// The registration that travels with an I/O source, so that arming it
/// again needs no lookup.
pub(crate) struct IoSourceState {
    registration: Option<Registration>,
    /// The last receive got as much as it had room for: the source was served,
    /// though the next receive may find nothing.
    full: AtomicBool,
}

struct Registration {
    selector: Selector,
    key: Key,
    fd: RawFd,
}

impl Registration {
    /// Tells the poller that asks for levels; one that is told of edges needs nothing.
    fn tell(&self, told: impl FnOnce(&mut Poller<WasmEdge>)) {
        if let Some(poller) = self.selector.lock().waiter.levels() {
            told(poller);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Also when the source is dropped without having been
        // deregistered: its descriptor is closed right after, and a closed
        // descriptor must not stay in the set.
        coalesce::flush_socket(self.fd);
        self.selector.lock().deregister(self.key);
    }
}

impl IoSourceState {
    pub(crate) fn new() -> IoSourceState {
        IoSourceState {
            registration: None,
            full: AtomicBool::new(false),
        }
    }

    /// Runs an I/O operation and arms the directions that it exhausted, or may have.
    pub(crate) fn do_io<T, F, R>(&self, f: F, io: &T) -> io::Result<R>
    where
        F: FnOnce(&T) -> io::Result<R>,
    {
        if plugin::is_there() {
            // The kernel sees for itself what an operation leaves.
            return match &self.registration {
                Some(registration) => coalesce::within(registration.fd, || f(io)),
                None => f(io),
            };
        }
        // What operations outside of mio left behind is not ours.
        ready::take_exhausted();
        let result = match &self.registration {
            // Only then will the selector come by.
            Some(registration) => coalesce::within(registration.fd, || f(io)),
            None => f(io),
        };
        if let Some(registration) = &self.registration {
            let exhausted = ready::take_exhausted();
            let would_block =
                matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
            let mut interest = Interest::new(exhausted.is_read(), exhausted.is_write());
            if exhausted.is_full() {
                self.full.store(true, Ordering::Relaxed);
            }
            let key = registration.key;
            if exhausted.is_receiver() {
                registration.tell(|poller| poller.refused(key));
            } else if interest.is_empty() && would_block {
                // Not one of our socket operations: it could be either.
                interest = Interest::BOTH;
            }
            if exhausted.is_full() || exhausted.is_taken() {
                registration.tell(|poller| poller.set.took(key));
            }
            if exhausted.is_ended() {
                registration.tell(|poller| poller.set.ended(key));
            }
            if !interest.is_empty() {
                let served = if interest.has(Direction::Read) {
                    let was_full = self.full.swap(false, Ordering::Relaxed);
                    interest == Interest::READ && (was_full || !would_block)
                } else {
                    false
                };
                registration.tell(|poller| match served {
                    true => poller.served(key),
                    false => poller.exhausted(key, interest),
                });
            }
        }
        result
    }

    pub(crate) fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: crate::Interest,
        fd: RawFd,
    ) -> io::Result<()> {
        if self.registration.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let selector = registry.selector().clone();
        // Unlike what a `SourceFd` names, what has an I/O source is a socket.
        let is_new = super::is_accepted(fd);
        let owner = match is_new {
            true => Owner::MioAccepted,
            // Of edges it makes no difference, and it need not be asked.
            false if plugin::is_there() => Owner::Mio,
            false if socket::is_listener(fd).unwrap_or(false) => Owner::MioListener,
            false => Owner::Mio,
        };
        let key = selector.insert(fd, token, interests, owner)?;
        let registration = Registration { selector, key, fd };
        if is_new {
            registration.tell(|poller| poller.accepted(key));
        }
        self.registration = Some(registration);
        Ok(())
    }

    pub(crate) fn reregister(
        &mut self,
        _registry: &Registry,
        token: Token,
        interests: crate::Interest,
        _fd: RawFd,
    ) -> io::Result<()> {
        let registration = self.registration.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let interest = asked(interests)?;
        registration
            .selector
            .lock()
            .reregister(registration.key, token.0, interest);
        Ok(())
    }

    pub(crate) fn deregister(&mut self, _registry: &Registry, _fd: RawFd) -> io::Result<()> {
        match self.registration.take() {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
