//! mio's selector contract, on top of the poller.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
#[cfg(debug_assertions)]
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use wasmedge_host::abi;
use wasmedge_host::fd::{poll, socket};
use wasmedge_host::{coalesce, ready, Errno};

use super::poll_set::{Directions, Key, Owner, RegisterError};
use super::poller::{Host, Poller, Probe};
use crate::{Interest, Token};

/// WasmEdge, as the poller sees it.
#[derive(Debug)]
struct WasmEdge {
    start: Instant,
    /// A socket that is always ready. `None` once none could be opened.
    always_ready: Option<Option<OwnedFd>>,
    /// Closed sockets that this poller has registered until their rest is out.
    orphans: Vec<RawFd>,
}

impl Drop for WasmEdge {
    fn drop(&mut self) {
        for &fd in &self.orphans {
            coalesce::set_adopted(fd, false);
        }
    }
}

/// A registered descriptor. The source that owns it removes its registration
/// before closing it.
fn registered(fd: RawFd) -> BorrowedFd<'static> {
    // SAFETY: the poller asks about registered descriptors only, and those are
    // open; the borrow ends with the host call that it is made for. Should the
    // owner of a `SourceFd` have closed it, the host answers `BADF`.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

impl Host for WasmEdge {
    fn poll(
        &mut self,
        subscriptions: &[abi::Subscription],
        events: &mut [abi::Event],
    ) -> Result<usize, Errno> {
        poll::poll_oneoff(subscriptions, events)
    }

    fn now(&mut self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn ran(&mut self) -> u64 {
        poll::processor_time().unwrap_or(0)
    }

    fn is_datagram(&mut self, fd: i32) -> bool {
        matches!(
            socket::socket_type(registered(fd)),
            Ok(Some(abi::SocketType::Datagram))
        )
    }

    fn is_nonblocking(&mut self, fd: i32) -> bool {
        socket::nonblocking(registered(fd)).unwrap_or(false)
    }

    fn probe(&mut self, fd: i32) -> Probe {
        match socket::probe(registered(fd)) {
            socket::Probe::Nothing => Probe::Nothing,
            socket::Probe::Something => Probe::Something,
            socket::Probe::NoConnection => Probe::NoConnection,
        }
    }

    fn send_gathered(&mut self) -> bool {
        coalesce::flush()
    }

    fn rests(&mut self, into: &mut Vec<coalesce::Backlog>) {
        coalesce::backlogs(into);
    }

    fn send_rest(&mut self, fd: i32) -> coalesce::Sent {
        coalesce::send_backlog(fd)
    }

    fn adopt(&mut self, fd: i32) {
        coalesce::set_adopted(fd, true);
        self.orphans.push(fd);
    }

    fn close_orphan(&mut self, fd: i32) {
        self.orphans.retain(|&other| other != fd);
        coalesce::set_adopted(fd, false);
    }

    fn always_ready(&mut self) -> Option<i32> {
        // A TCP socket that was never connected: hung up, says the host.
        let open = || socket::open(abi::AddressFamily::Inet4, abi::SocketType::Stream, true).ok();
        let socket = self.always_ready.get_or_insert_with(open);
        socket.as_ref().map(AsRawFd::as_raw_fd)
    }
}

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
            poller: Arc::new(Mutex::new(Poller::new(WasmEdge {
                start: Instant::now(),
                always_ready: None,
                orphans: Vec::new(),
            })?)),
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
                readable: readiness.directions.has(Directions::READ),
                writable: readiness.directions.has(Directions::WRITE),
                hang_up: readiness.hang_up,
                error: readiness.error,
            });
        })?;
        Ok(())
    }

    pub(crate) fn wake(&self, token: Token) {
        self.lock().wake(token.0);
    }

    fn lock(&self) -> MutexGuard<'_, Poller<WasmEdge>> {
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
            interests: Interest,
        ) -> io::Result<()> {
            poll::check_pollable(fd)?;
            self.insert(fd, token, interests, Owner::Foreign).map(drop)
        }

        fn insert(
            &self,
            fd: RawFd,
            token: Token,
            interests: Interest,
            owner: Owner,
        ) -> io::Result<Key> {
            self.lock()
                .set
                .insert(fd, token.0, directions(interests), owner)
                .map_err(|RegisterError::AlreadyRegistered| io::ErrorKind::AlreadyExists.into())
        }

        #[allow(dead_code)] // Without the `os-ext` feature nobody asks.
        pub(crate) fn reregister(
            &self,
            fd: RawFd,
            token: Token,
            interests: Interest,
        ) -> io::Result<()> {
            let mut poller = self.lock();
            let key = poller.set.find(fd).ok_or(io::ErrorKind::NotFound)?;
            poller.set.update(key, token.0, directions(interests));
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

    fn directions(interests: Interest) -> Directions {
        Directions::new(interests.is_readable(), interests.is_writable())
    }
}

cfg_io_source! {
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::Registry;

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

    impl Drop for Registration {
        fn drop(&mut self) {
            // Also when the source is dropped without having been
            // deregistered: its descriptor is closed right after, and a closed
            // descriptor must not stay in the set.
            coalesce::flush_socket(self.fd);
            self.selector.lock().set.remove(self.key);
        }
    }

    impl IoSourceState {
        pub(crate) fn new() -> IoSourceState {
            IoSourceState {
                registration: None,
                full: AtomicBool::new(false),
            }
        }

        /// Runs an I/O operation and arms the directions that it exhausted.
        pub(crate) fn do_io<T, F, R>(&self, f: F, io: &T) -> io::Result<R>
        where
            F: FnOnce(&T) -> io::Result<R>,
        {
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
                let mut directions =
                    Directions::new(exhausted.is_read(), exhausted.is_write());
                if exhausted.is_receiver() {
                    registration.selector.lock().refused(registration.key);
                } else if directions.is_empty() && would_block {
                    // Not one of our socket operations: it could be either.
                    directions = Directions::BOTH;
                }
                if exhausted.is_full() {
                    self.full.store(true, Ordering::Relaxed);
                }
                if !directions.is_empty() {
                    let mut poller = registration.selector.lock();
                    let served = if directions.has(Directions::READ) {
                        let was_full = self.full.swap(false, Ordering::Relaxed);
                        directions == Directions::READ && (was_full || !would_block)
                    } else {
                        false
                    };
                    if served {
                        poller.served(registration.key);
                    } else {
                        poller.exhausted(registration.key, directions);
                    }
                }
            }
            result
        }

        pub(crate) fn register(
            &mut self,
            registry: &Registry,
            token: Token,
            interests: Interest,
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
                false if socket::is_listener(registered(fd)).unwrap_or(false) => {
                    Owner::MioListener
                }
                false => Owner::Mio,
            };
            let key = selector.insert(fd, token, interests, owner)?;
            if is_new {
                selector.lock().accepted(key);
            }
            self.registration = Some(Registration { selector, key, fd });
            Ok(())
        }

        pub(crate) fn reregister(
            &mut self,
            _registry: &Registry,
            token: Token,
            interests: Interest,
            _fd: RawFd,
        ) -> io::Result<()> {
            let registration = self.registration.as_ref().ok_or(io::ErrorKind::NotFound)?;
            registration
                .selector
                .lock()
                .set
                .update(registration.key, token.0, directions(interests));
            Ok(())
        }

        pub(crate) fn deregister(&mut self, _registry: &Registry, _fd: RawFd) -> io::Result<()> {
            match self.registration.take() {
                Some(_) => Ok(()),
                None => Err(io::ErrorKind::NotFound.into()),
            }
        }
    }
}

pub(crate) type Events = Vec<Event>;

/// What a poll found about one source.
#[derive(Clone, Debug)]
pub struct Event {
    token: Token,
    readable: bool,
    writable: bool,
    hang_up: bool,
    error: bool,
}

pub(crate) mod event {
    use std::fmt;

    use super::Event;
    use crate::Token;

    pub(crate) fn token(event: &Event) -> Token {
        event.token
    }

    pub(crate) fn is_readable(event: &Event) -> bool {
        event.readable
    }

    pub(crate) fn is_writable(event: &Event) -> bool {
        event.writable
    }

    pub(crate) fn is_error(event: &Event) -> bool {
        event.error
    }

    // The host tells of a hang-up only when both directions are down.
    pub(crate) fn is_read_closed(event: &Event) -> bool {
        event.hang_up
    }

    pub(crate) fn is_write_closed(event: &Event) -> bool {
        event.hang_up
    }

    pub(crate) fn is_priority(_: &Event) -> bool {
        false
    }

    pub(crate) fn is_aio(_: &Event) -> bool {
        false
    }

    pub(crate) fn is_lio(_: &Event) -> bool {
        false
    }

    pub(crate) fn debug_details(f: &mut fmt::Formatter<'_>, event: &Event) -> fmt::Result {
        fmt::Debug::fmt(event, f)
    }
}
