
// The WasmEdge port: what waits ask the drivers of other runtimes.
#[cfg(all(target_os = "wasi", target_env = "p1", feature = "rt"))]
impl Handle {
    /// Waits of these drivers and of others end when either has something; `waker` is
    /// woken when another one's wait finds something of these.
    pub(crate) fn share_waits(&self, waker: std::task::Waker) {
        #[cfg(any(feature = "net", feature = "signal"))]
        if let Some(io) = self.io.as_ref() {
            io.share_waits(waker);
        }
        #[cfg(not(any(feature = "net", feature = "signal")))]
        drop(waker);
    }

    /// How long it takes until the first timer is due, as of when the drivers were last
    /// polled. `None` without timers.
    pub(crate) fn until_next_timer(&self) -> Option<Duration> {
        #[cfg(feature = "time")]
        return self.time.as_ref()?.until_next_timer(&self.clock);
        #[cfg(not(feature = "time"))]
        None
    }
}

/// Waits for the I/O drivers of all runtimes, in the place of somebody who has none.
#[cfg(all(target_os = "wasi", target_env = "p1", feature = "rt"))]
pub(crate) fn wait_beside(timeout: Option<Duration>) {
    #[cfg(any(feature = "net", feature = "signal"))]
    if let Err(error) = mio::wasi::wait_beside(timeout) {
        panic!("unexpected error when polling the I/O drivers: {error:?}");
    }
    #[cfg(not(any(feature = "net", feature = "signal")))]
    wasmedge_host::thread::rest(timeout);
}
