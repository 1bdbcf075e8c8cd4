//! What else an epoll can wait for: counters, standard input, signals. And random numbers.

use crate::table::{Kind, Lease};
use crate::{Call, Errno, Outcome, sys};

/// The signals that a guest may take. Not those that faults of WasmEdge raise, and not
/// those that stop and continue: they are the shell's.
const SIGNALS: [i32; 11] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGPIPE,
    libc::SIGALRM,
    libc::SIGTERM,
    libc::SIGCHLD,
    libc::SIGWINCH,
    libc::SIGIO,
];

fn of<'a>(call: &Call<'a>, number: u32, kind: Kind) -> Result<Lease<'a>, Errno> {
    let lease = call.state.table.get(number)?;
    if lease.kind == kind {
        Ok(lease)
    } else {
        Err(Errno::INVAL)
    }
}

pub(super) fn create(call: &Call<'_>) -> Outcome {
    let event = sys::event()?;
    call.state.table.insert(event, Kind::Event).map(i64::from)
}

pub(super) fn signal(call: &Call<'_>, event: u32) -> Outcome {
    sys::event_signal(of(call, event, Kind::Event)?.fd)
}

pub(super) fn take(call: &Call<'_>, event: u32) -> Outcome {
    sys::event_take(of(call, event, Kind::Event)?.fd)
}

/// Standard input, to wait for. It is read by WASI's own descriptor 0, and its mode, which
/// other processes may share, stays as it is.
pub(super) fn stdin_open(call: &Call<'_>) -> Outcome {
    let stdin = sys::duplicate(libc::STDIN_FILENO)?;
    call.state.table.insert(stdin, Kind::Stdin).map(i64::from)
}

pub(super) fn signals_open(call: &Call<'_>) -> Outcome {
    let signals = sys::signals_open()?;
    let number = call.state.table.insert(signals, Kind::Signals);
    number.map(i64::from).inspect_err(|_| sys::signals_close())
}

pub(super) fn signals_add(call: &Call<'_>, signals: u32, signal: i32) -> Outcome {
    let _open = of(call, signals, Kind::Signals)?;
    if !SIGNALS.contains(&signal) {
        return Err(Errno::INVAL);
    }
    sys::signals_add(signal)
}

pub(super) fn signals_take(call: &Call<'_>, signals: u32) -> Outcome {
    sys::signals_take(of(call, signals, Kind::Signals)?.fd)
}

pub(super) fn random(call: &Call<'_>, at: u32, len: u32) -> Outcome {
    sys::random(call.memory.region(at, len)?)
}
