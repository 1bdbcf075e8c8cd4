//! WasmEdge, as the poller sees it.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Instant;

use wasmedge_wasi_socket::abi;
use wasmedge_wasi_socket::fd::{poll, socket};
use wasmedge_wasi_socket::{gather, Errno};

use super::host::{Host, Probe};

/// The host's calls, and what the poller keeps open for them.
#[derive(Debug)]
pub(super) struct WasmEdge {
    start: Instant,
    /// A socket that is always ready. `None` once none could be opened.
    always_ready: Option<Option<OwnedFd>>,
    /// Closed sockets that this poller has registered until their backlog is out.
    orphans: Vec<RawFd>,
}

impl WasmEdge {
    pub(super) fn new() -> WasmEdge {
        WasmEdge {
            start: Instant::now(),
            always_ready: None,
            orphans: Vec::new(),
        }
    }
}

impl Drop for WasmEdge {
    fn drop(&mut self) {
        for &fd in &self.orphans {
            gather::set_adopted(fd, false);
        }
    }
}

/// Asks the host about a descriptor that is known by its number alone.
///
/// The borrow cannot leave `ask`.
pub(super) fn with_number<R>(fd: RawFd, ask: impl FnOnce(BorrowedFd<'_>) -> R) -> R {
    // SAFETY: the number is a registered descriptor's, or one that is being registered.
    // Its owner keeps it open until it is deregistered, there is one thread, and `ask` is
    // one call of the host layer, which closes nothing. A `SourceFd` that was closed too
    // early breaks that promise of its owner; the host then answers `BADF`, and no memory
    // depends on it. No registered descriptor has the number -1.
    ask(unsafe { BorrowedFd::borrow_raw(fd) })
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

    fn cpu_time(&mut self) -> u64 {
        poll::processor_time().unwrap_or(0)
    }

    fn is_datagram(&mut self, fd: i32) -> bool {
        matches!(
            with_number(fd, socket::socket_type),
            Ok(Some(abi::SocketType::Datagram))
        )
    }

    fn is_nonblocking(&mut self, fd: i32) -> bool {
        with_number(fd, socket::nonblocking).unwrap_or(false)
    }

    fn probe(&mut self, fd: i32) -> Probe {
        match with_number(fd, socket::probe) {
            socket::Probe::Nothing => Probe::Nothing,
            socket::Probe::Something => Probe::Something,
            socket::Probe::NoConnection => Probe::NoConnection,
        }
    }

    fn flush_writes(&mut self) -> bool {
        gather::flush()
    }

    fn backlogs(&mut self, into: &mut Vec<gather::Rest>) {
        gather::rests(into);
    }

    fn send_backlog(&mut self, fd: i32) -> gather::Sent {
        gather::send_rest(fd)
    }

    fn adopt(&mut self, fd: i32) {
        gather::set_adopted(fd, true);
        self.orphans.push(fd);
    }

    fn close_orphan(&mut self, fd: i32) {
        self.orphans.retain(|&other| other != fd);
        gather::set_adopted(fd, false);
    }

    fn always_ready(&mut self) -> Option<i32> {
        // A TCP socket that was never connected: hung up, says the host.
        let open = || socket::open(abi::AddressFamily::Inet4, abi::SocketType::Stream, true).ok();
        let socket = self.always_ready.get_or_insert_with(open);
        socket.as_ref().map(AsRawFd::as_raw_fd)
    }
}
