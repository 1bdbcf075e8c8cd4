//! Registering descriptors that mio does not own.

use std::io;
use std::os::fd::RawFd;

use crate::{event, Interest, Registry, Token};

/// Adapter for a descriptor that mio does not own.
///
/// mio does not see the I/O that is done on the descriptor, so registering (or
/// re-registering) it arms each direction for one event.
///
/// A regular file, a directory or `/dev/null` is refused at registration with
/// `PermissionDenied`, as epoll refuses them. Deregister the descriptor before
/// closing it.
#[derive(Debug)]
pub struct SourceFd<'a>(
    /// The descriptor.
    pub &'a RawFd,
);

impl event::Source for SourceFd<'_> {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        registry.selector().register(*self.0, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        registry.selector().reregister(*self.0, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.selector().deregister(*self.0)
    }
}
