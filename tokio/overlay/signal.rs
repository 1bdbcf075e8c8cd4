//! Signals under WasmEdge: the host tells its guest of none, and takes their
//! default action itself. Waiting for one is legal and never ends.

use std::future::pending;
use std::io;

/// A listener that never hears anything.
pub(super) struct Silence;

impl Silence {
    pub(super) async fn recv(&mut self) {
        pending().await
    }
}

/// Listens for an interrupt that the host keeps to itself. Never fails.
pub(super) fn ctrl_c() -> io::Result<Silence> {
    Ok(Silence)
}
