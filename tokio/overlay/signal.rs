//! Signals under WasmEdge. The plugin tells of them. Without it the host tells its guest
//! of none, and takes their default action itself: waiting for one is legal and never
//! ends.
//!
//! `ctrl_c()` completes at SIGINT, as everywhere, and at SIGTERM: the target is not
//! `cfg(unix)`, so an app that is stopped by SIGTERM elsewhere waits for `ctrl_c()` alone
//! here. One that listens for SIGTERM itself has `ctrl_c()` as natively from then on.

use mio::wasi::signal::Listener;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

pub(super) const SIGINT: i32 = 2;
pub(super) const SIGTERM: i32 = 15;

/// Whether the app listens for SIGTERM itself, or once did.
static HAS_TERMINATE: AtomicBool = AtomicBool::new(false);

/// Listens for a signal from now on.
pub(super) fn listen(signal: i32) -> io::Result<Listener> {
    let listener = Listener::new(signal)?;
    if signal == SIGTERM {
        HAS_TERMINATE.store(true, Ordering::Relaxed);
    }
    Ok(listener)
}

/// Listens for both.
pub(super) struct Stop {
    interrupt: Listener,
    terminate: Listener,
}

impl Stop {
    pub(super) async fn recv(&mut self) {
        poll_fn(|cx| {
            if self.interrupt.poll(cx).is_ready() {
                return Poll::Ready(());
            }
            // It may have begun to listen meanwhile.
            match HAS_TERMINATE.load(Ordering::Relaxed) {
                true => Poll::Pending,
                false => self.terminate.poll(cx),
            }
        })
        .await
    }
}

/// Listens from now on.
pub(super) fn ctrl_c() -> io::Result<Stop> {
    Ok(Stop {
        interrupt: Listener::new(SIGINT)?,
        terminate: Listener::new(SIGTERM)?,
    })
}
