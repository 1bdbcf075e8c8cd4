
// The WasmEdge port.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) mod one_thread;

#[cfg(all(target_os = "wasi", target_env = "p1"))]
use one_thread::CoreSlot;
#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
type CoreSlot = AtomicCell<Core>;

// Takes the place of `AtomicCell::new`, in which there is no handle.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
fn core_slot(handle: &Arc<Handle>) -> impl FnOnce(Option<Box<Core>>) -> CoreSlot + '_ {
    |core| one_thread::core_slot(handle, core)
}

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
fn core_slot(_: &Arc<Handle>) -> impl FnOnce(Option<Box<Core>>) -> CoreSlot {
    AtomicCell::new
}

impl Core {
    /// The tasks are done for now, and the drivers are polled.
    fn pause_work(&mut self, context: &Context) {
        #[cfg(all(target_os = "wasi", target_env = "p1"))]
        if one_thread::works_on(context, self) {
            return;
        }
        self.metrics.pause();
    }

    /// The future of `block_on` is done.
    fn end_work(&mut self, context: &Context) {
        // Natively what came before the last poll of the drivers has been counted.
        #[cfg(all(target_os = "wasi", target_env = "p1"))]
        {
            self.metrics.pause();
            self.submit_metrics(&context.handle);
        }
    }

    /// The drivers have been polled.
    fn resume_work(&mut self) {
        self.metrics.resume();
    }
}
