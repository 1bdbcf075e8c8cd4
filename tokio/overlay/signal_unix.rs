//! Unix signals, by their kind, under WasmEdge.
//!
//! The API is that of Unix. The plugin tells of SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2,
//! SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGWINCH and SIGIO; listening for another one is
//! `Unsupported`. Without the plugin no signal ever comes, and WasmEdge takes the default
//! action of each: listening is legal, and waiting never ends.
//!
//! Numbers are Linux', whatever WASI's libc calls them.

use super::wasi;
use crate::runtime::scheduler;

use mio::wasi::signal::Listener;
use std::future::poll_fn;
use std::io;
use std::os::raw::c_int;
use std::task::{Context, Poll};

/// Those that no program may take: illegal instructions, faults, `SIGKILL`, `SIGSTOP`.
const FORBIDDEN: [c_int; 5] = [4, 8, 9, 11, 19];

/// Those that the C library keeps for its threads.
const RESERVED: [c_int; 2] = [32, 33];

const LAST: c_int = 64;

/// A kind of signal to listen for.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq)]
pub struct SignalKind(c_int);

impl SignalKind {
    /// The signal with this number, which is Linux'.
    pub const fn from_raw(signum: c_int) -> SignalKind {
        SignalKind(signum)
    }

    /// The number of the signal, which is Linux'.
    pub const fn as_raw_value(&self) -> c_int {
        self.0
    }
}

macro_rules! kinds {
    ($($name:ident, $signal:literal, $number:expr, $sent:literal;)*) => {
        impl SignalKind {
            $(
                #[doc = concat!("`", $signal, "`, sent when ", $sent, ".")]
                pub const fn $name() -> SignalKind {
                    SignalKind($number)
                }
            )*
        }
    };
}

kinds! {
    alarm, "SIGALRM", 14, "a real-time timer has expired";
    child, "SIGCHLD", 17, "a child process changes its state";
    hangup, "SIGHUP", 1, "the terminal is disconnected";
    interrupt, "SIGINT", wasi::SIGINT, "a program is interrupted";
    io, "SIGIO", 29, "I/O is possible on a descriptor";
    pipe, "SIGPIPE", 13, "a program writes to a pipe without a reader";
    quit, "SIGQUIT", 3, "a program is to stop and dump its core";
    terminate, "SIGTERM", wasi::SIGTERM, "a program is to stop";
    user_defined1, "SIGUSR1", 10, "somebody has a use for it";
    user_defined2, "SIGUSR2", 12, "somebody has a use for it";
    window_change, "SIGWINCH", 28, "the terminal window is resized";
}

impl From<c_int> for SignalKind {
    fn from(signum: c_int) -> SignalKind {
        SignalKind(signum)
    }
}

impl From<SignalKind> for c_int {
    fn from(kind: SignalKind) -> c_int {
        kind.0
    }
}

/// Listens for one kind of signal. Signals that came while nobody waited are one.
#[must_use = "streams do nothing unless polled"]
#[derive(Debug)]
pub struct Signal {
    listener: Listener,
}

/// Listens for signals of this kind from now on. As on Unix the signal does nothing else
/// from then on, also after the listener is dropped; and there may be several listeners,
/// each of which is told.
///
/// # Errors
///
/// `Other` for a number that is no signal's, or one that a program may not take;
/// `InvalidInput` for one that the C library keeps; `Unsupported` for one that the plugin
/// does not tell of.
///
/// # Panics
///
/// Outside of a runtime, and in one whose I/O is not enabled.
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    // Who is told when nothing waits?
    let _ = scheduler::Handle::current().driver().io();
    let SignalKind(number) = kind;
    if number <= 0 || FORBIDDEN.contains(&number) {
        return Err(io::Error::other(format!(
            "Refusing to register signal {number}"
        )));
    }
    if number > LAST {
        return Err(io::Error::other("signal too large"));
    }
    if RESERVED.contains(&number) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let listener = wasi::listen(number).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => io::Error::new(
            io::ErrorKind::Unsupported,
            format!("WasmEdge's plugin does not tell of signal {number}"),
        ),
        _ => error,
    })?;
    Ok(Signal { listener })
}

impl Signal {
    /// Waits for the next signal. It never gives `None`. May be cancelled: no signal is
    /// lost by that.
    pub async fn recv(&mut self) -> Option<()> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`recv`](Self::recv), outside of `async`.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.listener.poll(cx).map(Some)
    }
}
