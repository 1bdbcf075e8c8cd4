//! mio's selector contract, on top of the poller.

use std::fmt;
use std::io;
#[cfg(debug_assertions)]
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::event::{Event, Events};
use super::poller::Poller;
use super::wasmedge::WasmEdge;
use crate::Token;

/// Unique id for use as `SelectorId`.
#[cfg(debug_assertions)]
static NEXT_ID: AtomicUsize = AtomicUsize::new(1);

/// A handle to a poller; clones share it.
#[derive(Clone)]
pub(crate) struct Selector {
    #[cfg(debug_assertions)]
    id: usize,
    // One thread, so the lock is never contended: it makes the selector `Sync`,
    // which mio's API asks for.
    poller: Arc<Mutex<Poller<WasmEdge>>>,
}

impl Selector {
    pub(crate) fn new() -> io::Result<Selector> {
        Ok(Selector {
            #[cfg(debug_assertions)]
            id: NEXT_ID.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
            poller: Arc::new(Mutex::new(Poller::new(WasmEdge::new())?)),
        })
    }

    pub(crate) fn try_clone(&self) -> io::Result<Selector> {
        Ok(self.clone())
    }

    #[cfg(debug_assertions)]
    #[allow(dead_code)] // Without the `net` feature nobody asks.
    pub(crate) fn id(&self) -> usize {
        self.id
    }

    pub(crate) fn select(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let timeout = timeout.map(|timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
        self.lock().wait(timeout, |readiness| {
            events.push(Event {
                token: Token(readiness.token),
                readable: readiness.ready.is_readable(),
                writable: readiness.ready.is_writable(),
                read_closed: readiness.read_closed,
                write_closed: readiness.write_closed,
                error: readiness.error,
            });
        })?;
        Ok(())
    }

    pub(crate) fn wake(&self, token: Token) {
        self.lock().wake(token.0);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Poller<WasmEdge>> {
        // A panic ends the guest, so no poisoned lock is ever seen.
        self.poller
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selector").finish_non_exhaustive()
    }
}

cfg_any_os_ext! {
    use std::os::fd::RawFd;

    use wasmedge_host::fd::poll;

    use super::direction::Interest;
    use super::poll_set::{Key, Owner, RegisterError};

    impl Selector {
        /// Registers a descriptor.
        ///
        /// A descriptor that the host cannot wait for is refused here: in a
        /// poll it would be reported only when something else ends the wait.
        #[allow(dead_code)] // Without the `os-ext` feature nobody asks.
        pub(crate) fn register(
            &self,
            fd: RawFd,
            token: Token,
            interests: crate::Interest,
        ) -> io::Result<()> {
            poll::check_pollable(fd)?;
            self.insert(fd, token, interests, Owner::Foreign).map(drop)
        }

        pub(super) fn insert(
            &self,
            fd: RawFd,
            token: Token,
            interests: crate::Interest,
            owner: Owner,
        ) -> io::Result<Key> {
            self.lock()
                .set
                .insert(fd, token.0, asked(interests), owner)
                .map_err(|RegisterError::AlreadyRegistered| io::ErrorKind::AlreadyExists.into())
        }

        #[allow(dead_code)] // Without the `os-ext` feature nobody asks.
        pub(crate) fn reregister(
            &self,
            fd: RawFd,
            token: Token,
            interests: crate::Interest,
        ) -> io::Result<()> {
            let mut poller = self.lock();
            let key = poller.set.find(fd).ok_or(io::ErrorKind::NotFound)?;
            poller.set.update(key, token.0, asked(interests));
            Ok(())
        }

        #[allow(dead_code)] // Without the `os-ext` feature nobody asks.
        pub(crate) fn deregister(&self, fd: RawFd) -> io::Result<()> {
            let mut poller = self.lock();
            let key = poller.set.find(fd).ok_or(io::ErrorKind::NotFound)?;
            poller.set.remove(key);
            Ok(())
        }
    }

    /// mio's interest, as the poll set has it.
    pub(super) fn asked(interests: crate::Interest) -> Interest {
        Interest::new(interests.is_readable(), interests.is_writable())
    }
}
