//! The "no delay" hint.
//!
//! The host cannot set `TCP_NODELAY`. Programs set it as a matter of course and
//! some ask for it back, so what was asked is kept, by descriptor: it then holds
//! across `into_raw_fd` and `from_raw_fd`, and for code that only has the number.

use crate::sys;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Hints {
    /// Descriptors the hint was asked for.
    on: BTreeSet<i32>,
    /// Look for closed descriptors when there are this many. Those that are
    /// closed by something other than this crate's types leave an entry behind.
    sweep_at: usize,
}

const SWEEP_AT_LEAST: usize = 64;

static HINTS: Mutex<Hints> = Mutex::new(Hints {
    on: BTreeSet::new(),
    sweep_at: SWEEP_AT_LEAST,
});

fn hints() -> MutexGuard<'static, Hints> {
    HINTS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn set(fd: i32, on: bool) {
    let mut hints = hints();
    if !on {
        hints.on.remove(&fd);
        return;
    }
    if hints.on.len() >= hints.sweep_at {
        hints.on.retain(|&fd| sys::is_open(fd));
        hints.sweep_at = (2 * hints.on.len()).max(SWEEP_AT_LEAST);
    }
    hints.on.insert(fd);
}

pub fn get(fd: i32) -> bool {
    hints().on.contains(&fd)
}

/// `fd` is closed, or its number was just given to a new socket.
pub fn forget(fd: i32) {
    hints().on.remove(&fd);
}
