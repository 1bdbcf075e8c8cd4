// The WasmEdge port: what the queue of the one thread asks of the pool.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
impl Spawner {
    /// The same for those that spawn on the same runtime, and for no others.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.inner) as usize
    }

    /// Whether anybody else could spawn on this runtime.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.inner) > 1
    }

    /// Counts a closure that has left the queue.
    pub(super) fn left_queue(&self) {
        self.inner.metrics.dec_queue_depth();
    }
}

// Upstream's own methods are private to the pool in some of the versions.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
impl Task {
    pub(super) fn run_closure(self) {
        self.task.run();
    }

    pub(super) fn cancel(self) {
        self.task.shutdown();
    }

    pub(super) fn end(self) {
        self.shutdown_or_run_if_mandatory();
    }
}
