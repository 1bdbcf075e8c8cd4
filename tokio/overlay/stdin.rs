//! The standard input that `Stdin` reads from.
//!
//! Elsewhere it is std's, read on a thread of its own. On WasmEdge a read that
//! waits for input would stop the only thread, so it waits for readiness first,
//! and the runtime is driven meanwhile like in every other blocking closure.
//! What cannot be waited for (a file, `/dev/null`) never keeps a reader waiting.

#[cfg(not(all(target_os = "wasi", target_env = "p1", feature = "net", feature = "rt")))]
pub(super) use std::io::{stdin as source, Stdin as Source};

#[cfg(all(target_os = "wasi", target_env = "p1", feature = "net", feature = "rt"))]
pub(super) use wasmedge::{source, Source};

#[cfg(all(target_os = "wasi", target_env = "p1", feature = "net", feature = "rt"))]
mod wasmedge {
    use crate::io::Interest;
    use crate::runtime::io::Registration;
    use crate::runtime::scheduler;

    use mio::wasi::SourceFd;
    use std::fs::File;
    use std::io::{self, Read};
    use std::mem::ManuallyDrop;
    use std::os::fd::{FromRawFd, RawFd};

    const STDIN: RawFd = 0;

    /// Descriptor 0, without std's buffer: readiness tells nothing of what a
    /// buffer still holds.
    #[derive(Debug)]
    pub(in crate::io) struct Source(());

    pub(in crate::io) fn source() -> Source {
        Source(())
    }

    impl Read for Source {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            wait_until_readable()?;
            // SAFETY: the descriptor is only borrowed: the file is never
            // dropped. If the program has closed it, reading is an error.
            let mut stdin = ManuallyDrop::new(unsafe { File::from_raw_fd(STDIN) });
            match stdin.read(buf) {
                // As std has it: a program without standard input reads nothing.
                Err(error) if error.raw_os_error() == Some(EBADF) => Ok(0),
                result => result,
            }
        }
    }

    /// WASI's number for a descriptor that is not open.
    const EBADF: i32 = 8;

    fn wait_until_readable() -> io::Result<()> {
        let handle = scheduler::Handle::current();
        if handle.driver().io.as_ref().is_none() {
            return Ok(());
        }
        let mut stdin = SourceFd(&STDIN);
        let mut registration = match Registration::new_with_interest_and_handle(
            &mut stdin,
            Interest::READABLE,
            handle,
        ) {
            Ok(registration) => registration,
            // It cannot be waited for; reading it does not wait either.
            Err(_) => return Ok(()),
        };
        let ready = crate::future::block_on(registration.readiness(Interest::READABLE));
        let gone = registration.deregister(&mut stdin);
        ready.and(gone)
    }
}
