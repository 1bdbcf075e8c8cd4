//! The queue of blocking closures on the one thread there is; the contract is
//! in `runtime/scheduler/current_thread/one_thread.rs`.

use super::pool::{Spawner, Task};
use crate::runtime::context;

use std::cell::RefCell;
use std::collections::VecDeque;

/// The closures of one runtime. Upstream's queue belongs to its threads, of
/// which there are none, so this one stands beside it.
struct Queue {
    spawner: Spawner,
    closures: VecDeque<Task>,
    shut_down: bool,
}

tokio_thread_local! {
    static QUEUES: RefCell<Vec<Queue>> = const { RefCell::new(Vec::new()) };
}

/// Finds or makes the queue of a runtime.
fn with_queue<R>(spawner: &Spawner, f: impl FnOnce(&mut Queue) -> R) -> R {
    QUEUES.with(|queues| {
        let mut queues = queues.borrow_mut();
        let index = match queues.iter().position(|queue| queue.spawner.is(spawner)) {
            Some(index) => index,
            None => {
                // What was shut down is kept for as long as somebody could
                // still spawn on it.
                queues.retain(|queue| !queue.shut_down || queue.spawner.is_shared());
                queues.push(Queue {
                    spawner: spawner.clone(),
                    closures: VecDeque::new(),
                    shut_down: false,
                });
                queues.len() - 1
            }
        };
        f(&mut queues[index])
    })
}

/// Queues a closure; gives it back where the runtime is shut down.
pub(super) fn push(spawner: &Spawner, closure: Task) -> Result<(), Task> {
    with_queue(spawner, |queue| {
        if queue.shut_down {
            return Err(closure);
        }
        queue.closures.push_back(closure);
        Ok(())
    })
}

/// Whether a closure waits for its turn.
pub(crate) fn is_waiting(spawner: &Spawner) -> bool {
    QUEUES.with(|queues| {
        queues
            .borrow()
            .iter()
            .any(|queue| !queue.closures.is_empty() && queue.spawner.is(spawner))
    })
}

/// A closure whose turn it is.
pub(crate) struct Closure(Task);

impl Closure {
    /// Runs it as natively a thread of its own would: outside of the runtime,
    /// so that it may wait, and unconstrained by any task's budget.
    pub(crate) fn run(self) {
        context::one_thread::as_blocking(|| {
            crate::task::coop::with_unconstrained(|| self.0.run_closure());
        });
    }
}

/// Takes the closure whose turn it is.
pub(crate) fn next(spawner: &Spawner) -> Option<Closure> {
    if !is_waiting(spawner) {
        return None;
    }
    let closure = with_queue(spawner, |queue| queue.closures.pop_front())?;
    spawner.left_queue();
    Some(Closure(closure))
}

/// Closes the queue: what must run does so now, the rest is cancelled.
pub(super) fn shut_down(spawner: &Spawner) {
    let closures = with_queue(spawner, |queue| {
        queue.shut_down = true;
        std::mem::take(&mut queue.closures)
    });
    for closure in closures {
        spawner.left_queue();
        context::one_thread::as_blocking(|| closure.end());
    }
}
