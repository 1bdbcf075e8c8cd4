//! [`Writes`] of the host layer.

use std::os::fd::RawFd;

use wasmedge_host::coalesce;

use super::writes::Writes;

/// The host layer's coalesced writes.
#[derive(Debug, Default)]
pub(super) struct Coalesced {
    /// Closed sockets that are waited for until their backlog is out.
    orphans: Vec<RawFd>,
}

impl Drop for Coalesced {
    fn drop(&mut self) {
        for &fd in &self.orphans {
            coalesce::set_adopted(fd, false);
        }
    }
}

impl Writes for Coalesced {
    fn flush(&mut self) -> bool {
        coalesce::flush()
    }

    fn backlogs(&mut self, into: &mut Vec<coalesce::Backlog>) {
        coalesce::backlogs(into);
    }

    fn send_backlog(&mut self, fd: i32) -> coalesce::Sent {
        coalesce::send_backlog(fd)
    }

    fn adopt(&mut self, fd: i32) {
        coalesce::set_adopted(fd, true);
        self.orphans.push(fd);
    }

    fn close_orphan(&mut self, fd: i32) {
        self.orphans.retain(|&other| other != fd);
        coalesce::set_adopted(fd, false);
    }
}
