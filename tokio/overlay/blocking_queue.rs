//! The queue of blocking closures on the one thread there is; the contract is
//! in `runtime/scheduler/current_thread/one_thread/mod.rs`.

use super::pool::{Spawner, Task};
use crate::runtime::scheduler::current_thread::one_thread;
use crate::runtime::{context, Handle};

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The closures of one runtime. Upstream's queue belongs to its threads, of
/// which there are none, so this one stands beside it.
struct Queue {
    /// Keeps the address that names the queue, too.
    spawner: Spawner,
    closures: VecDeque<Closure>,
    shut_down: bool,
}

tokio_thread_local! {
    static QUEUES: RefCell<BTreeMap<usize, Queue>> = const { RefCell::new(BTreeMap::new()) };
    /// How many closures there are in all: mostly none, and asked all the time.
    static CLOSURES: Cell<usize> = const { Cell::new(0) };
    /// How many queues were shut down.
    static SHUT_DOWN: Cell<usize> = const { Cell::new(0) };
}

/// Finds or makes the queue of a runtime.
fn with_queue<R>(spawner: &Spawner, f: impl FnOnce(&mut Queue) -> R) -> R {
    QUEUES.with(|queues| {
        let mut queues = queues.borrow_mut();
        let id = spawner.address();
        if SHUT_DOWN.get() > 0 && !queues.contains_key(&id) {
            // What was shut down is kept for as long as somebody could
            // still spawn on it.
            queues.retain(|_, queue| !queue.shut_down || queue.spawner.is_shared());
            let shut_down = queues.values().filter(|queue| queue.shut_down).count();
            SHUT_DOWN.set(shut_down);
        }
        f(queues.entry(id).or_insert_with(|| Queue {
            spawner: spawner.clone(),
            closures: VecDeque::new(),
            shut_down: false,
        }))
    })
}

/// Queues a closure; gives it back where the runtime is shut down.
pub(super) fn push(spawner: &Spawner, task: Task, runtime: &Handle) -> Result<(), Task> {
    with_queue(spawner, |queue| {
        if queue.shut_down {
            return Err(task);
        }
        queue.closures.push_back(Closure {
            task,
            runtime: runtime.clone(),
        });
        CLOSURES.set(CLOSURES.get() + 1);
        Ok(())
    })?;
    one_thread::unpark(&runtime.inner.as_current_thread().driver.io);
    Ok(())
}

/// Whether a closure is queued.
pub(crate) fn is_waiting(spawner: &Spawner) -> bool {
    CLOSURES.get() > 0
        && QUEUES.with(|queues| {
            let queues = queues.borrow();
            let queue = queues.get(&spawner.address());
            queue.is_some_and(|queue| !queue.closures.is_empty())
        })
}

/// A closure that is next.
pub(crate) struct Closure {
    task: Task,
    /// What it was spawned on.
    runtime: Handle,
}

impl Closure {
    /// Runs it as natively a thread of its own would: outside of the runtime,
    /// so that it may wait, and unconstrained by any task's budget.
    pub(crate) fn run(self) {
        let _current = self.runtime.enter();
        context::one_thread::as_blocking(|| {
            crate::task::coop::with_unconstrained(|| self.task.run_closure());
        });
    }

    /// Runs it only if it is mandatory, as upstream calls it; cancels it otherwise.
    fn end(self) {
        let _current = self.runtime.enter();
        context::one_thread::as_blocking(|| self.task.end());
    }
}

/// Takes the closure that is next.
pub(crate) fn next(spawner: &Spawner) -> Option<Closure> {
    if !is_waiting(spawner) {
        return None;
    }
    let closure = with_queue(spawner, |queue| queue.closures.pop_front())?;
    CLOSURES.set(CLOSURES.get() - 1);
    spawner.left_queue();
    Some(closure)
}

/// Closes the queue. Natively its closures have begun by now, each on a thread
/// of its own, and are waited for: they run as long as there is time (`None`:
/// however long they take). When that is over, those that are mandatory run, and the
/// others are cancelled.
pub(super) fn shut_down(spawner: &Spawner, timeout: Option<Duration>) {
    let mut closures = with_queue(spawner, |queue| {
        SHUT_DOWN.set(SHUT_DOWN.get() + usize::from(!queue.shut_down));
        queue.shut_down = true;
        std::mem::take(&mut queue.closures)
    });
    CLOSURES.set(CLOSURES.get() - closures.len());
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    while let Some(closure) = closures.pop_front() {
        spawner.left_queue();
        if end.is_some_and(|end| Instant::now() >= end) {
            closure.end();
        } else {
            closure.run();
        }
    }
}
