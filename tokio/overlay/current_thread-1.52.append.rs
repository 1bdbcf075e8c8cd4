
// The WasmEdge port.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) mod one_thread;

#[cfg(all(target_os = "wasi", target_env = "p1"))]
impl Context {
    fn run_owned(&self, task: task::LocalNotified<Arc<Handle>>, core: Box<Core>) -> Box<Core> {
        self.run_task(core, || task.run()).0
    }
}
