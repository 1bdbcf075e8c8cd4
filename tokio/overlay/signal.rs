//! Signals under WasmEdge. The plugin tells of them. Without it the host tells its guest
//! of none, and takes their default action itself: waiting for one is legal and never
//! ends.
//!
//! `ctrl_c()` completes at SIGINT, as everywhere, and at SIGTERM: the target is not
//! `cfg(unix)`, so an app that is stopped by SIGTERM elsewhere waits for `ctrl_c()` alone
//! here.

use mio::wasi::signal;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// Listens for both.
pub(super) struct Stop {
    /// Each signal, and how often it had come. Empty where no signal ever comes.
    seen: Vec<(i32, u64)>,
}

impl Stop {
    pub(super) async fn recv(&mut self) {
        poll_fn(|cx| {
            for (number, seen) in &mut self.seen {
                if let Poll::Ready(came) = signal::poll(*number, *seen, cx) {
                    *seen = came;
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Listens from now on.
pub(super) fn ctrl_c() -> io::Result<Stop> {
    let mut seen = Vec::new();
    for number in [SIGINT, SIGTERM] {
        if let Some(came) = signal::listen(number)? {
            seen.push((number, came));
        }
    }
    Ok(Stop { seen })
}
