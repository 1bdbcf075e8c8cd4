//! The plugin's epoll, as the poller sees it.

use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::task::Waker;
use std::time::Instant;

use wasmedge_host::backend::plugin::{self, EpollEvent, Signals};
use wasmedge_host::{shut, Errno};

use super::coalesced::Coalesced;
use super::direction::{Direction, Interest};
use super::edge_poller::{bits, Epoll};
use super::signals::{ListenerId, Listeners};

/// So many events are taken from the kernel with one call: as many as mio's own users ask
/// for.
const EVENTS: usize = 1024;

/// What is registered with the plugin's epoll.
#[derive(Debug)]
pub(super) struct PluginEpoll {
    epoll: plugin::Epoll,
    events: Vec<EpollEvent>,
    start: Instant,
    writes: Coalesced,
    /// Once somebody listens for one.
    signals: Option<Signals>,
    listeners: Listeners,
    /// The signals that the last wait found.
    came: u64,
}

/// What the signals are registered with: no source is.
const SIGNALS: u64 = u64::MAX;

/// A registered descriptor.
#[derive(Debug)]
pub(super) enum Registered {
    /// One of the plugin's, by number.
    Ours(i32),
    /// The plugin's for standard input, which has another number in WASI.
    Stdin(OwnedFd),
}

impl Registered {
    fn fd(&self) -> i32 {
        match self {
            Registered::Ours(fd) => *fd,
            Registered::Stdin(fd) => fd.as_raw_fd(),
        }
    }
}

impl PluginEpoll {
    /// # Errors
    ///
    /// The system's, such as too many open files.
    pub(super) fn new() -> Result<PluginEpoll, Errno> {
        Ok(PluginEpoll {
            epoll: plugin::Epoll::new()?,
            events: vec![EpollEvent::default(); EVENTS],
            start: Instant::now(),
            writes: Coalesced::default(),
            signals: None,
            listeners: Listeners::new(),
            came: 0,
        })
    }

    /// Takes a signal from now on, and listens for it.
    pub(super) fn listen(&mut self, signal: i32) -> Result<ListenerId, Errno> {
        let signals = match &self.signals {
            Some(signals) => signals,
            None => {
                let signals = Signals::new()?;
                let fd = signals.as_fd().as_raw_fd();
                self.epoll.add(fd, bits::IN, SIGNALS)?;
                self.signals.insert(signals)
            }
        };
        signals.add(signal)?;
        Ok(self.listeners.open(signal))
    }

    /// Who listens for which signal.
    pub(super) fn listeners(&mut self) -> &mut Listeners {
        &mut self.listeners
    }

    fn take_signals(&mut self) {
        let taken = self.signals.as_ref().map(Signals::take);
        if let Some(Ok(bits)) = taken {
            self.listeners.add(bits);
            self.came |= bits;
        }
    }
}

const STDIN: i32 = 0;

impl Epoll for PluginEpoll {
    type Writes = Coalesced;
    type Registered = Registered;

    fn add(&mut self, fd: i32, interest: Interest, data: u64) -> Result<Registered, Errno> {
        let registered = match fd {
            STDIN => Registered::Stdin(plugin::stdin()?),
            fd if plugin::owns(fd) => Registered::Ours(fd),
            // WASI's descriptors, which the plugin cannot reach: files are among them, and
            // sockets are not.
            _ => return Err(Errno::PERM),
        };
        self.epoll.add(registered.fd(), events(interest), data)?;
        Ok(registered)
    }

    fn modify(
        &mut self,
        registered: &mut Registered,
        interest: Interest,
        data: u64,
    ) -> Result<(), Errno> {
        self.epoll.modify(registered.fd(), events(interest), data)
    }

    fn remove(&mut self, registered: Registered) {
        // If it is closed already the kernel has forgotten it.
        let _ = self.epoll.remove(registered.fd());
    }

    fn wait(
        &mut self,
        timeout: Option<u64>,
        mut found: impl FnMut(u64, u32),
    ) -> Result<(), Errno> {
        let count = match self.epoll.wait(&mut self.events, timeout) {
            // As if nothing had happened: whoever waits looks at the time.
            Err(Errno::INTR) => 0,
            result => result?,
        };
        let mut has_signals = false;
        for event in &self.events[..count] {
            match event.data {
                SIGNALS => has_signals = true,
                data => found(data, event.events),
            }
        }
        if has_signals {
            self.take_signals();
        }
        Ok(())
    }

    fn now(&mut self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn take_shut(&mut self, is_ours: impl Fn(i32) -> bool, into: &mut Vec<(i32, Shutdown)>) {
        shut::take(is_ours, into);
    }

    fn writes(&mut self) -> &mut Coalesced {
        &mut self.writes
    }

    fn has_more(&self) -> bool {
        self.signals.is_some()
    }

    fn take_wakers(&mut self, into: &mut Vec<Waker>) {
        let came = std::mem::take(&mut self.came);
        if came != 0 {
            self.listeners.take_wakers(came, into);
        }
    }
}

/// What mio asks epoll for on Linux.
fn events(interest: Interest) -> u32 {
    let mut events = 0;
    if interest.has(Direction::Read) {
        events |= bits::IN | bits::RDHUP;
    }
    if interest.has(Direction::Write) {
        events |= bits::OUT;
    }
    if interest.has_priority() {
        events |= bits::PRI;
    }
    events
}
