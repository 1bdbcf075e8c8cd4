//! Workers on the only thread there is.
//!
//! Natively each worker has a thread that waits for jobs. Here a worker is only kept, and
//! whoever waits lends it the thread for one job at a time:
//!
//! * who waits for rayon itself (`install`, a scope from outside, a worker for another
//!   pool) runs jobs of all pools until its own is done;
//! * whoever else waits, tokio's scheduler for one, does so through the host layer. A job
//!   that waits in this way occupies its worker, as natively it would: no second one is
//!   begun by that worker, so no more jobs lie on each other on the stack than there are
//!   workers.
//!
//! `spawn` therefore returns before its job begins, and a program that never waits never
//! runs it, as one natively that ends before its workers come to it.

use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering;

use super::{ThreadBuilder, WorkerThread, WORKER_THREAD_STATE};
use crate::latch::Latch;

/// A worker, and whether it is lent.
struct Resident {
    worker: WorkerThread,
    /// How many of its jobs lie on each other on the stack.
    lent: Cell<usize>,
}

thread_local! {
    /// Made of boxes, which are put together again when a pool ends. Not boxes, since a
    /// job may add and remove others while its worker is lent.
    static RESIDENTS: RefCell<Vec<*mut Resident>> = const { RefCell::new(Vec::new()) };
    /// Where to look for the next job, so that each worker has its turn.
    static NEXT: Cell<usize> = const { Cell::new(0) };
}

/// Whose jobs are run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lend {
    /// Workers that have nothing on the stack.
    Free,
    /// Any: who waits for a job may need one of a worker that waits further down.
    Any,
}

/// Keeps a worker, as natively its thread would start.
pub(super) fn add_worker(thread: ThreadBuilder) {
    wasmedge_host::thread::on_idle(run_for_others);
    let resident = Resident {
        worker: WorkerThread::from(thread),
        lent: Cell::new(0),
    };
    let (registry, index) = (resident.worker.registry.clone(), resident.worker.index);
    let resident = Box::into_raw(Box::new(resident));
    RESIDENTS.with(|residents| residents.borrow_mut().push(resident));
    // SAFETY: made above, and locked in as long as it is looked at: nothing is run here
    // but the handler, which has no way to it.
    unsafe { Latch::set(&registry.thread_infos[index].primed) };
    if let Some(handler) = &registry.start_handler {
        // SAFETY: as above.
        lend(unsafe { &*resident }, |_| {
            registry.catch_unwind(|| handler(index))
        });
    }
}

/// Says that there may be something to run, as soon as it is dropped: by then it is
/// queued.
pub(super) struct Announce;

impl Drop for Announce {
    fn drop(&mut self) {
        wasmedge_host::thread::announce_work();
    }
}

/// Waits for something that jobs bring about.
pub(crate) fn wait_until(is_done: impl Fn() -> bool) {
    while !is_done() {
        run_or_yield();
    }
}

/// Runs a job; where there is none, lets others go on.
pub(crate) fn run_or_yield() {
    if !run(Lend::Any) {
        wasmedge_host::thread::yield_now();
    }
}

/// Runs a job for somebody who waits for something else. `false` where there is none.
fn run_for_others() -> bool {
    retire();
    run(Lend::Free)
}

fn run(who: Lend) -> bool {
    let count = RESIDENTS.with(|residents| residents.borrow().len());
    for _ in 0..count {
        let Some(resident) = next() else {
            return false;
        };
        // SAFETY: it is on the list, and only `retire` frees it: not while it is lent.
        let resident = unsafe { &*resident };
        if who == Lend::Free && resident.lent.get() > 0 {
            continue;
        }
        let has_run = lend(resident, |worker| match worker.find_work() {
            Some(job) => {
                // SAFETY: this is the worker's thread, and the job was its to find.
                unsafe { worker.execute(job) };
                true
            }
            None => false,
        });
        if has_run {
            // Whoever waited inside of the job may have found this worker lent, and what
            // it had to do is still there.
            wasmedge_host::thread::announce_work();
            return true;
        }
    }
    false
}

fn next() -> Option<*mut Resident> {
    RESIDENTS.with(|residents| {
        let residents = residents.borrow();
        let at = NEXT.get() % residents.len().max(1);
        NEXT.set(at + 1);
        residents.get(at).copied()
    })
}

/// Makes this the worker's thread while `f` runs.
fn lend<R>(resident: &Resident, f: impl FnOnce(&WorkerThread) -> R) -> R {
    struct Return<'a>(&'a Resident, *const WorkerThread);
    impl Drop for Return<'_> {
        fn drop(&mut self) {
            self.0.lent.set(self.0.lent.get() - 1);
            WORKER_THREAD_STATE.set(self.1);
        }
    }
    resident.lent.set(resident.lent.get() + 1);
    let _return = Return(resident, WORKER_THREAD_STATE.replace(&resident.worker));
    f(&resident.worker)
}

/// Ends the workers of pools that have ended: natively their threads do, when the last
/// job is done.
fn retire() {
    let is_over = |&resident: &*mut Resident| {
        // SAFETY: as in `run`.
        let resident = unsafe { &*resident };
        let registry = &resident.worker.registry;
        resident.lent.get() == 0 && registry.terminate_count.load(Ordering::Acquire) == 0
    };
    let take = || {
        RESIDENTS.with(|residents| {
            let mut residents = residents.borrow_mut();
            let at = residents.iter().position(is_over)?;
            Some(residents.swap_remove(at))
        })
    };
    while let Some(resident) = take() {
        // SAFETY: it came from a box, is on the list no longer, and is not lent: this is
        // the only way to it.
        let resident = unsafe { Box::from_raw(resident) };
        let (registry, index) = (resident.worker.registry.clone(), resident.worker.index);
        // SAFETY: the registry is alive.
        unsafe { Latch::set(&registry.thread_infos[index].stopped) };
        if let Some(handler) = &registry.exit_handler {
            lend(&resident, |_| registry.catch_unwind(|| handler(index)));
        }
        // A worker is dropped by its own thread.
        let before = WORKER_THREAD_STATE.replace(&resident.worker);
        drop(resident);
        WORKER_THREAD_STATE.set(before);
    }
}
