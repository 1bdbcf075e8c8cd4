//! A host that lists no interfaces: a watcher is an error, so whoever listens on all
//! addresses is told, instead of waiting for addresses that never come.

use std::convert::Infallible;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{FusedStream, Stream};

use crate::{IfEvent, IpNet};

#[cfg(feature = "smol")]
pub mod smol {
    //! An interface watcher.

    /// Watches for interface changes.
    pub type IfWatcher = super::IfWatcher;
}

#[cfg(feature = "tokio")]
pub mod tokio {
    //! An interface watcher.

    /// Watches for interface changes.
    pub type IfWatcher = super::IfWatcher;
}

/// A watcher, of which there is none.
#[derive(Debug)]
pub struct IfWatcher(Infallible);

impl IfWatcher {
    /// An error: the host has no call that lists interfaces.
    pub fn new() -> Result<Self> {
        let why = "WasmEdge lists no network interfaces: listen on an address of one";
        Err(Error::new(ErrorKind::Unsupported, why))
    }

    /// The networks.
    pub fn iter(&self) -> impl Iterator<Item = &IpNet> {
        std::iter::empty()
    }

    /// The next change.
    pub fn poll_if_event(&mut self, _: &mut Context) -> Poll<Result<IfEvent>> {
        match self.0 {}
    }
}

impl Stream for IfWatcher {
    type Item = Result<IfEvent>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0 {}
    }
}

impl FusedStream for IfWatcher {
    fn is_terminated(&self) -> bool {
        match self.0 {}
    }
}
