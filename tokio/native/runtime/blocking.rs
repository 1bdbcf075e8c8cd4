//! Stands in for tokio's pool of threads, of which there are none.

use std::time::Duration;

pub use self::pool::Spawner;
use self::pool::Task;
use super::Handle;

#[path = "../../overlay/blocking_queue.rs"]
pub mod one_thread;

pub mod pool {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::Arc;

    /// Names a runtime's queue, and counts what has left it.
    #[derive(Clone, Default)]
    pub struct Spawner(Arc<AtomicUsize>);

    impl Spawner {
        pub fn address(&self) -> usize {
            Arc::as_ptr(&self.0) as usize
        }

        pub fn is_shared(&self) -> bool {
            Arc::strong_count(&self.0) > 1
        }

        pub fn left_queue(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A closure that has not begun. None of them must run at shutdown.
    pub struct Task(Box<dyn FnOnce()>);

    impl Task {
        pub fn new(closure: Box<dyn FnOnce()>) -> Task {
            Task(closure)
        }

        pub fn run_closure(self) {
            (self.0)();
        }

        pub fn end(self) {}
    }
}

pub fn push(spawner: &Spawner, task: Task, runtime: &Handle) -> Result<(), Task> {
    one_thread::push(spawner, task, runtime)
}

pub fn shut_down(spawner: &Spawner, timeout: Option<Duration>) {
    one_thread::shut_down(spawner, timeout);
}
