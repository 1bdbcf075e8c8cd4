//! mio's selector contract, on top of what the polls of the program share.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task;
use std::time::Duration;

use super::event::{Event, Events};
use super::polls::{PollId, Polls};
use super::program::Program;
use super::signals::ListenerId;
use crate::Token;

/// What all polls of the program share. There is one thread, so the lock is never
/// contended: it makes a selector `Sync`, which mio's API asks for.
static POLLS: OnceLock<Mutex<Polls<Program>>> = OnceLock::new();

fn lock() -> MutexGuard<'static, Polls<Program>> {
    let polls = POLLS.get().expect("whoever has a selector has made it");
    // A panic ends the guest, so no poisoned lock is ever seen.
    polls.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So that there is something that can wait.
fn make_polls() -> io::Result<()> {
    if POLLS.get().is_none() {
        // One thread: nobody comes in between.
        let _ = POLLS.set(Mutex::new(Polls::new(Program::new()?)));
    }
    Ok(())
}

/// One of the polls; clones share it.
#[derive(Clone)]
pub(crate) struct Selector {
    poll: Arc<Open>,
}

/// A poll is forgotten with the last selector of it.
struct Open(PollId);

impl Drop for Open {
    fn drop(&mut self) {
        lock().close(self.0);
    }
}

impl Selector {
    pub(crate) fn new() -> io::Result<Selector> {
        make_polls()?;
        let poll = Arc::new(Open(lock().open()));
        Ok(Selector { poll })
    }

    pub(crate) fn try_clone(&self) -> io::Result<Selector> {
        Ok(self.clone())
    }

    #[cfg(debug_assertions)]
    #[allow(dead_code)] // Without the `net` feature nobody asks.
    pub(crate) fn id(&self) -> usize {
        self.poll.0
    }

    pub(crate) fn select(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let wakers = self.lock().wait(self.poll.0, nanos(timeout), |readiness| {
            events.push(Event {
                token: Token(readiness.token),
                readable: readiness.ready.is_readable(),
                writable: readiness.ready.is_writable(),
                read_closed: readiness.read_closed,
                write_closed: readiness.write_closed,
                error: readiness.error,
                priority: readiness.priority,
            });
        })?;
        wakers.into_iter().for_each(task::Waker::wake);
        Ok(())
    }

    /// See [`Polls::share_waits`].
    pub(crate) fn share_waits(&self, waker: task::Waker) {
        self.lock().share_waits(self.poll.0, waker);
    }

    /// Makes a waker; gives its number.
    pub(crate) fn add_waker(&self, token: Token) -> usize {
        self.lock().add_waker(self.poll.0, token.0)
    }

    /// See [`Polls::wake`].
    pub(crate) fn wake(&self, waker: usize) {
        self.lock().wake(waker);
    }

    /// See [`Polls::remove_waker`].
    pub(crate) fn remove_waker(&self, waker: usize) {
        self.lock().remove_waker(waker);
    }

    pub(super) fn lock(&self) -> MutexGuard<'static, Polls<Program>> {
        lock()
    }
}

/// Waits for the polls of the program without having one. Where there are none, sleeps.
pub(crate) fn wait_beside(timeout: Option<Duration>) -> io::Result<()> {
    make_polls()?;
    let wakers = lock().wait_beside(nanos(timeout))?;
    wakers.into_iter().for_each(task::Waker::wake);
    Ok(())
}

/// Listens for a signal; `None` where none ever comes.
pub(crate) fn listen(signal: i32) -> io::Result<Option<ListenerId>> {
    make_polls()?;
    Ok(lock().waiter.listen(signal)?)
}

/// See [`Listeners::poll`](super::signals::Listeners::poll).
pub(crate) fn poll_signal(id: ListenerId, cx: &mut task::Context<'_>) -> task::Poll<()> {
    let (result, before) = match lock().waiter.listeners() {
        Some(listeners) => listeners.poll(id, cx),
        None => (task::Poll::Pending, None),
    };
    drop(before);
    result
}

/// Listens no longer.
pub(crate) fn close_listener(id: ListenerId) {
    let waker = lock().waiter.listeners().and_then(|all| all.close(id));
    drop(waker);
}

fn nanos(timeout: Option<Duration>) -> Option<u64> {
    timeout.map(|timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selector").finish_non_exhaustive()
    }
}

cfg_any_os_ext! {
    use std::os::fd::RawFd;

    use wasmedge_host::backend::plugin;
    use wasmedge_host::fd::poll;

    use super::direction::Interest;
    use super::registration::{Key, Owner, RegisterError};

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
            let interest = asked(interests)?;
            self.lock()
                .register(self.poll.0, fd, token.0, interest, owner)
                .map_err(|error| match error {
                    RegisterError::AlreadyRegistered => io::ErrorKind::AlreadyExists.into(),
                    RegisterError::Refused(errno) => errno.into(),
                })
        }

        #[allow(dead_code)] // Without the `os-ext` feature nobody asks.
        pub(crate) fn reregister(
            &self,
            fd: RawFd,
            token: Token,
            interests: crate::Interest,
        ) -> io::Result<()> {
            let interest = asked(interests)?;
            let mut polls = self.lock();
            let key = polls.find(self.poll.0, fd).ok_or(io::ErrorKind::NotFound)?;
            polls.reregister(key, token.0, interest);
            Ok(())
        }

        #[allow(dead_code)] // Without the `os-ext` feature nobody asks.
        pub(crate) fn deregister(&self, fd: RawFd) -> io::Result<()> {
            let mut polls = self.lock();
            let key = polls.find(self.poll.0, fd).ok_or(io::ErrorKind::NotFound)?;
            polls.deregister(key);
            Ok(())
        }
    }

    /// mio's interest, as the poll set has it.
    ///
    /// # Errors
    ///
    /// `Unsupported` for priority events without the plugin: the host's poll has none.
    pub(super) fn asked(interests: crate::Interest) -> io::Result<Interest> {
        let directions = Interest::new(interests.is_readable(), interests.is_writable());
        if !interests.is_priority() {
            return Ok(directions);
        }
        if !plugin::is_there() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "WasmEdge does not tell of priority events without a plugin",
            ));
        }
        Ok(directions.or(Interest::PRIORITY))
    }
}
