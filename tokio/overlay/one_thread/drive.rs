//! Driving a scheduler from inside of a wait: its `block_on` future, its tasks, a queued
//! closure, then the drivers, once each. And driving the others beside it.

use super::super::{Context, Core, Handle};
use super::outer::{as_outer, is_other_outer, with_outer};
use super::runtimes::{number_of_runtimes, Alive};
use super::{root, slice};
use crate::runtime::scheduler::Defer;
use crate::runtime::{blocking, context, scheduler};
use crate::util::atomic_cell::AtomicCell;
use crate::util::waker_ref;

use std::cell::RefCell;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::Arc;
use std::task;
use std::time::Duration;

/// What driving a scheduler found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Something was run.
    Work,
    /// There was nothing to run.
    Nothing,
}

/// How long driving may wait where there is nothing to run, and what ends it early.
#[derive(Clone, Copy)]
pub(super) struct Limit<'a> {
    /// `None`: until something comes.
    pub(super) timeout: Option<Duration>,
    /// Whether the caller need not wait any longer.
    pub(super) notified: &'a dyn Fn() -> bool,
    /// What happens to the other runtimes meanwhile.
    pub(super) others: Others,
}

/// Whether driving a scheduler drives the others beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// They go on, as natively they would.
    Drive,
    /// The caller drives one after the other. If each of them did the same, the effort
    /// would be the factorial of their number.
    Leave,
}

impl Limit<'_> {
    /// Not at all, by one who drives all of them.
    const IN_PASSING: Limit<'static> = Limit {
        timeout: Some(Duration::ZERO),
        notified: &|| false,
        others: Others::Leave,
    };
}

// ===== one scheduler =====

/// Drives the scheduler that has this context; `None` where its core is in
/// other hands: it is being driven already.
pub(super) fn drive(cx: &Context, limit: Limit<'_>) -> Option<Found> {
    let core = cx.core.borrow_mut().take()?;
    let _wake = HandOnWake(&cx.handle);
    let (core, found) = match core.driver {
        Some(_) => {
            let (core, found) = drive_core(cx, core, limit);
            (core, Some(found))
        }
        None => (core, None),
    };
    *cx.core.borrow_mut() = Some(core);
    found
}

/// Hands a wake of the root that could not be followed to whoever drives next, its owner
/// among them. Only at the end, so that nothing spins over it meanwhile.
struct HandOnWake<'a>(&'a Arc<Handle>);

impl Drop for HandOnWake<'_> {
    fn drop(&mut self) {
        if root::take_wake(self.0) {
            self.0.shared.woken.store(true, Release);
        }
    }
}

fn drive_core(cx: &Context, mut core: Box<Core>, limit: Limit<'_>) -> (Box<Core>, Found) {
    let handle = &cx.handle;
    let mut found = Found::Nothing;

    if handle.reset_woken() {
        let polled;
        (core, polled) = poll_root(cx, core);
        if polled {
            found = Found::Work;
        }
    }

    let mut idle = false;
    for _ in 0..handle.shared.config.event_interval {
        if (limit.notified)() {
            break;
        }
        core.tick();
        let Some(task) = core.next_task(handle) else {
            idle = true;
            break;
        };
        let task = handle.shared.owned.assert_owner(task);
        core = cx.run_owned(task, core);
        found = Found::Work;
    }

    if (limit.notified)() {
        return (core, found);
    }
    // What was done may be what the caller waits for: it looks before it waits.
    if !idle || found == Found::Work || cx.has_pending_work(&core) {
        core = match limit.others {
            Others::Drive => cx.park_yield(core, handle),
            Others::Leave => {
                core = run_next_closure(cx, core);
                wait_at_most(cx, core, Duration::ZERO)
            }
        };
        return (core, Found::Work);
    }
    core = match (limit.timeout, limit.others) {
        (None, _) => cx.park(core, handle),
        (Some(timeout), Others::Leave) => wait_at_most(cx, core, timeout),
        (Some(timeout), Others::Drive) => match park_beside(cx, core, Some(timeout)) {
            Ok(core) => core,
            Err(core) => wait_at_most(cx, core, timeout),
        },
    };
    (core, found)
}

fn poll_root(cx: &Context, core: Box<Core>) -> (Box<Core>, bool) {
    cx.enter(core, || {
        crate::task::coop::budget(|| {
            let waker = waker_ref(&cx.handle);
            root::poll(&cx.handle, &mut task::Context::from_waker(&waker))
        })
    })
}

/// Lets the drivers wait, and wakes what was put off until then.
fn wait_at_most(cx: &Context, mut core: Box<Core>, timeout: Duration) -> Box<Core> {
    let mut driver = core.driver.take().expect("driver missing");
    core.submit_metrics(&cx.handle);
    core = cx.park_internal(core, &cx.handle, &mut driver, Some(timeout));
    core.driver = Some(driver);
    core
}

// ===== what upstream's loop asks =====

/// What comes before each poll of the drivers that does not wait: the next
/// queued closure, and other runtimes.
pub(crate) fn before_yield(cx: &Context, core: Box<Core>) -> Box<Core> {
    let core = run_next_closure(cx, core);
    match others_have_work(&cx.handle) {
        true => drive_others(cx, core).0,
        false => core,
    }
}

/// Runs the next queued closure, if there is one.
fn run_next_closure(cx: &Context, core: Box<Core>) -> Box<Core> {
    let Some(closure) = blocking::one_thread::next(&cx.handle.blocking_spawner) else {
        return core;
    };
    cx.enter(core, || closure.run()).0
}

/// So many times in a row a stretch of work is not measured at most: who asks for the
/// runtime's metrics wants to see a busy one's grow.
const UNMEASURED: u32 = 32;

/// Whether the scheduler, which has no task to run, goes on without waiting and
/// without doing anybody else's work: the time is its own then, and need not be
/// measured now. The host's clock is dear, and a task that yields comes by here each
/// time.
pub(crate) fn works_on(cx: &Context, core: &Core) -> bool {
    // In a row. Of one runtime, since with more of them all is measured.
    static TIMES: AtomicU32 = AtomicU32::new(0);

    let times = TIMES.load(Relaxed);
    let works_on = cx.has_pending_work(core)
        && !blocking::one_thread::is_waiting(&cx.handle.blocking_spawner)
        && number_of_runtimes() == 1
        && times < UNMEASURED;
    TIMES.store(if works_on { times + 1 } else { 0 }, Relaxed);
    works_on
}

/// Waits in this runtime while others have work; gives the core back, having
/// done nothing, where no other one has.
pub(crate) fn park_beside(
    cx: &Context,
    core: Box<Core>,
    timeout: Option<Duration>,
) -> Result<Box<Core>, Box<Core>> {
    if !others_have_work(&cx.handle) {
        return Err(core);
    }
    let (core, found) = drive_others(cx, core);
    if found == Found::Work {
        slice::reset();
    }
    let slice = slice::next(timeout);
    // They may have woken this one.
    let slice = if cx.has_pending_work(&core) {
        Duration::ZERO
    } else {
        slice
    };
    Ok(wait_at_most(cx, core, slice))
}

// ===== others =====

/// Whether a runtime besides this one could have something to do.
fn others_have_work(me: &Arc<Handle>) -> bool {
    if is_other_outer(me) {
        return true;
    }
    let count = number_of_runtimes();
    count > 1
        && (0..count).any(|n| {
            Alive::get(n).is_some_and(|other| !Arc::ptr_eq(&other.handle, me) && other.has_work())
        })
}

/// Drives the others from within this scheduler. Their code may wait for it, and drives
/// it then: its core is in its place, and it counts as at work further down on the stack.
fn drive_others(cx: &Context, core: Box<Core>) -> (Box<Core>, Found) {
    cx.enter(core, || as_outer(|| drive_all_but(&cx.handle)))
}

/// Drives once, without waiting, every runtime that natively would go on by
/// itself and that nobody drives right now.
fn drive_all_but(me: &Arc<Handle>) -> Found {
    let mut found = Found::Nothing;
    let mut n = 0;
    while let Some(driven) = with_outer(n, |scheduler| {
        let cx = scheduler.expect_current_thread();
        if Arc::ptr_eq(&cx.handle, me) {
            return None;
        }
        as_current(scheduler, || drive(cx, Limit::IN_PASSING))
    }) {
        n += 1;
        if driven == Some(Found::Work) {
            found = Found::Work;
        }
    }
    for n in 0..number_of_runtimes() {
        let Some(other) = Alive::get(n) else {
            continue;
        };
        if !Arc::ptr_eq(&other.handle, me)
            && drive_by_itself(&other, Limit::IN_PASSING) == Some(Found::Work)
        {
            found = Found::Work;
        }
    }
    found
}

/// Drives what natively goes on by itself: all of a multi-thread runtime,
/// and the closures of any. `None` where there is no such thing, or where
/// it is being driven already.
pub(super) fn drive_by_itself(runtime: &Alive, limit: Limit<'_>) -> Option<Found> {
    if runtime.in_background {
        return drive_idle(runtime.handle.clone(), &runtime.slot, limit);
    }
    let closure = blocking::one_thread::next(&runtime.handle.blocking_spawner)?;
    closure.run();
    Some(Found::Work)
}

/// Drives a runtime that nobody runs; `None` where somebody does.
pub(super) fn drive_idle(
    handle: Arc<Handle>,
    slot: &AtomicCell<Core>,
    limit: Limit<'_>,
) -> Option<Found> {
    let core = slot.take()?;
    let scheduler = scheduler::Context::CurrentThread(Context {
        handle,
        core: RefCell::new(Some(core)),
        defer: Defer::new(),
    });
    let cx = scheduler.expect_current_thread();
    let found = as_current(&scheduler, || {
        let found = drive(cx, limit);
        // This context goes; what was put off must not go with it.
        cx.defer.wake();
        found
    });
    if let Some(core) = cx.core.borrow_mut().take() {
        slot.set(core);
    }
    found
}

/// Runs `f` inside of this scheduler.
fn as_current<R>(scheduler: &scheduler::Context, f: impl FnOnce() -> R) -> R {
    let handle = scheduler.expect_current_thread().handle.clone();
    let _current = context::try_set_current(&scheduler::Handle::CurrentThread(handle));
    context::one_thread::as_worker(|| context::set_scheduler(scheduler, f))
}
