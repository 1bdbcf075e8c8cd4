//! Driving a scheduler from inside of a wait: its `block_on` future, its tasks, a queued
//! closure, then the drivers, once each. And driving the others beside it.

use super::super::{Context, Core, Handle};
use super::outer::{as_outer, with_outer};
use super::ready::{self, Who};
use super::root;
use super::runtimes::{Alive, Id};
use crate::runtime::scheduler::Defer;
use crate::runtime::{blocking, context, scheduler};
use crate::util::waker_ref;

use std::cell::RefCell;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::Arc;
use std::task;
use std::time::Duration;

use wasmedge_host::thread;

/// What driving a scheduler found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// There is more to run.
    More,
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
            let has_more = cx.has_pending_work(&core) || cx.handle.injection_queue_depth() > 0;
            (core, Some(if has_more { Found::More } else { found }))
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
        (Some(timeout), Others::Drive) => match park_beside(cx, core) {
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
    match ready::is_any_due_but(Id::of(&cx.handle)) {
        true => drive_others(cx, core),
        false => core,
    }
}

/// Runs the next queued closure, if there is one; and a piece of what threads of other
/// libraries would do.
fn run_next_closure(cx: &Context, mut core: Box<Core>) -> Box<Core> {
    if let Some(closure) = blocking::one_thread::next(&cx.handle.blocking_spawner) {
        core = cx.enter(core, || closure.run()).0;
    }
    if thread::has_work() {
        core = cx
            .enter(core, || context::one_thread::as_blocking(thread::work))
            .0;
    }
    core
}

/// Whether a closure of the runtime is queued, or what threads of other libraries would
/// do: the scheduler does not go to sleep over it.
pub(crate) fn is_closure_waiting(spawner: &blocking::Spawner) -> bool {
    thread::has_work() || blocking::one_thread::is_waiting(spawner)
}

/// So many times in a row a stretch of work is not measured at most: who asks for the
/// runtime's metrics wants to see a busy one's grow.
const UNMEASURED: u32 = 32;

/// Whether the scheduler, which has no task to run, goes on without waiting and
/// without doing anybody else's work: the time is its own then, and need not be
/// measured now. The host's clock is dear, and a task that yields comes by here each
/// time.
pub(crate) fn works_on(cx: &Context, core: &Core) -> bool {
    // In a row, whosever they are.
    static TIMES: AtomicU32 = AtomicU32::new(0);

    let times = TIMES.load(Relaxed);
    let works_on = cx.has_pending_work(core)
        && !is_closure_waiting(&cx.handle.blocking_spawner)
        && !ready::is_any_but(Id::of(&cx.handle))
        && times < UNMEASURED;
    TIMES.store(if works_on { times + 1 } else { 0 }, Relaxed);
    works_on
}

/// Lets others go on that are ready, before a wait; gives the core back, having done
/// nothing, where none is. The wait itself is for all of them ([`longest_wait`]).
///
/// [`longest_wait`]: super::longest_wait
pub(crate) fn park_beside(cx: &Context, core: Box<Core>) -> Result<Box<Core>, Box<Core>> {
    let me = Id::of(&cx.handle);
    // Whoever comes by here looks at this one by itself.
    ready::remove(me);
    if !ready::is_any_due_but(me) {
        return Err(core);
    }
    let core = drive_others(cx, core);
    if !ready::is_any_but(me) {
        return Ok(core);
    }
    // Others may be busy for ever; the drivers of this one are polled all the same.
    Ok(wait_at_most(cx, core, Duration::ZERO))
}

// ===== others =====

/// Drives the others from within this scheduler. Their code may wait for it, and drives
/// it then: its core is in its place, and it counts as at work further down on the stack.
fn drive_others(cx: &Context, core: Box<Core>) -> Box<Core> {
    let me = Id::of(&cx.handle);
    cx.enter(core, || {
        as_outer(|| drive_ready(Who::ByThemselves, Some(me)))
    })
    .0
}

/// Drives those that are ready, except for one. Returns whether anything was done.
pub(super) fn drive_ready(who: Who, except: Option<Id>) -> bool {
    let mut has_run = false;
    for runtime in ready::list(who) {
        if Some(Id::of(&runtime.handle)) != except {
            has_run |= drive_other(&runtime, who);
        }
    }
    has_run
}

/// Drives one that is ready, without waiting. Returns whether it did anything, or has
/// anything to do.
fn drive_other(runtime: &Alive, who: Who) -> bool {
    let id = Id::of(&runtime.handle);
    let is_outer = super::outer::is_outer(&runtime.handle);
    if !(is_outer || runtime.in_background || who == Who::All) {
        // It stays ready for whoever runs it.
        return run_closure(&runtime.handle);
    }
    let drive_once = || match drive_outer(&runtime.handle) {
        Some(found) => Some(found),
        None => drive_idle(runtime),
    };
    // Should somebody have its core who is at work, that one goes on with it.
    ready::remove(id);
    let mut found = drive_once();
    if found == Some(Found::More) {
        // What its drivers told is done at once.
        ready::remove(id);
        found = drive_once();
    }
    found.is_some_and(|found| found != Found::Nothing)
}

/// Runs a closure that natively has a thread of its own.
fn run_closure(handle: &Arc<Handle>) -> bool {
    let Some(closure) = blocking::one_thread::next(&handle.blocking_spawner) else {
        return false;
    };
    closure.run();
    true
}

/// Drives a runtime that is at work further down on the stack, and has its core there.
fn drive_outer(handle: &Arc<Handle>) -> Option<Found> {
    let drive_it = |scheduler: &scheduler::Context| {
        let cx = scheduler.expect_current_thread();
        if !Arc::ptr_eq(&cx.handle, handle) {
            return None;
        }
        as_current(scheduler, || drive_in_passing(cx))
    };
    let mut all = (0..).map_while(|n| with_outer(n, drive_it));
    all.find_map(|found| found)
}

/// Drives once, and notes what is left to do.
fn drive_in_passing(cx: &Context) -> Option<Found> {
    let found = drive(cx, Limit::IN_PASSING)?;
    let id = Id::of(&cx.handle);
    if found == Found::More {
        ready::add(id);
    }
    ready::set_timer(id, cx.handle.driver.until_next_timer());
    Some(found)
}

/// Drives a runtime that nobody runs; `None` where somebody does.
fn drive_idle(runtime: &Alive) -> Option<Found> {
    let core = runtime.slot.take()?;
    let scheduler = scheduler::Context::CurrentThread(Context {
        handle: runtime.handle.clone(),
        core: RefCell::new(Some(core)),
        defer: Defer::new(),
    });
    let cx = scheduler.expect_current_thread();
    let found = as_current(&scheduler, || drive_in_passing(cx));
    // The context goes with what was put off, which a scheduler that polls its drivers
    // has woken.
    debug_assert!(cx.defer.is_empty());
    if let Some(core) = cx.core.borrow_mut().take() {
        runtime.slot.set(core);
    }
    found
}

/// Runs `f` inside of this scheduler.
fn as_current<R>(scheduler: &scheduler::Context, f: impl FnOnce() -> R) -> R {
    let handle = scheduler.expect_current_thread().handle.clone();
    let _current = context::try_set_current(&scheduler::Handle::CurrentThread(handle));
    context::one_thread::as_worker(|| context::set_scheduler(scheduler, f))
}
