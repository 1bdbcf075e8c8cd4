//! WasmEdge, as the poller sees it.

use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;

use wasmedge_host::abi;
use wasmedge_host::fd::{poll, socket};
use wasmedge_host::{shut, Errno};

use super::coalesced::Coalesced;
use super::host::{Host, Probe};

/// The host's calls, and what the poller keeps open for them.
#[derive(Debug)]
pub(super) struct WasmEdge {
    start: Instant,
    /// A socket that is always ready. `None` once none could be opened.
    always_ready: Option<Option<OwnedFd>>,
    writes: Coalesced,
}

impl WasmEdge {
    pub(super) fn new() -> WasmEdge {
        WasmEdge {
            start: Instant::now(),
            always_ready: None,
            writes: Coalesced::default(),
        }
    }
}

// Registered descriptors are known by their numbers. Should the owner of a `SourceFd`
// have closed one, the host answers `BADF`.
impl Host for WasmEdge {
    type Writes = Coalesced;

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

    fn cpu_time(&mut self) -> u64 {
        poll::processor_time().unwrap_or(0)
    }

    fn is_datagram(&mut self, fd: i32) -> bool {
        matches!(
            socket::socket_type(fd),
            Ok(Some(abi::SocketType::Datagram))
        )
    }

    fn is_nonblocking(&mut self, fd: i32) -> bool {
        socket::nonblocking(fd).unwrap_or(false)
    }

    fn probe(&mut self, fd: i32) -> Probe {
        match socket::probe(fd) {
            socket::Probe::Nothing => Probe::Nothing,
            socket::Probe::Something => Probe::Something,
            socket::Probe::NoConnection => Probe::NoConnection,
        }
    }

    fn keep_error(&mut self, fd: i32) -> bool {
        socket::keep_error(fd)
    }

    fn take_shut(&mut self, is_ours: impl Fn(i32) -> bool, into: &mut Vec<(i32, Shutdown)>) {
        shut::take(is_ours, into);
    }

    fn writes(&mut self) -> &mut Coalesced {
        &mut self.writes
    }

    fn always_ready(&mut self) -> Option<i32> {
        // A TCP socket that was never connected: hung up, says the host.
        let open = || socket::open(abi::AddressFamily::Inet4, abi::SocketType::Stream, true).ok();
        let socket = self.always_ready.get_or_insert_with(open);
        socket.as_ref().map(AsRawFd::as_raw_fd)
    }
}
