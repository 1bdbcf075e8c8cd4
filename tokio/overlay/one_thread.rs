//! Blocking code on the only thread there is.
//!
//! Natively a runtime has threads to spare: closures given to `spawn_blocking`
//! run on some of them, and whoever waits (`Handle::block_on`,
//! `blocking_send`, `blocking_recv`, `blocking_lock`) may do so there while
//! other threads drive the tasks. WasmEdge has one thread. The contract here:
//!
//! * `spawn_blocking` queues the closure and returns. The scheduler runs queued
//!   closures in order, one each time it looks at the drivers, so timers and
//!   sockets are looked at between two of them. A closure that is aborted
//!   before it started never runs; at shutdown those that must run do, the
//!   others are cancelled, as upstream has it.
//! * In a closure, and in `block_in_place`, waiting is legal. It *drives* the
//!   runtime: [`park`] runs one turn of the scheduler (the `block_on` future,
//!   tasks, queued closures, then the drivers) and returns, and the waiting
//!   call looks again at what it waits for.
//! * `std::thread::sleep` and `yield_now` count as waiting, too. In a task, which
//!   should not wait, they stop that task alone if it is a multi-thread runtime's,
//!   as natively.
//! * What is being polled is never polled again from inside: a task that waits
//!   is marked as running by upstream, the `block_on` future by [`Root`].
//! * A multi-thread runtime goes on though nobody is in its `block_on`: whoever
//!   waits, in another runtime or outside of all of them, drives it too
//!   ([`turn_others`]). With one runtime, which is what most programs have, a
//!   wait is one host call as long as it needs to be; with more of them it
//!   is cut into slices, since the host waits for one at a time.
//!
//! Waits nest on one stack. A wait that is satisfied returns only when those
//! that were begun inside of it have returned; one that depends on code below
//! it on the stack can never be satisfied. Nor can a wait that upstream's
//! parker does not see: a std mutex, channel or condition variable that only
//! another thread could release.

use super::{Context, Core, Handle};
use crate::runtime::scheduler::Defer;
use crate::runtime::{blocking, context, scheduler, Callback};
use crate::util::atomic_cell::AtomicCell;
use crate::util::waker_ref;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Arc, Weak};
use std::task::{self, Poll};
use std::time::Duration;

/// Runs one turn of the scheduler that the caller is part of, in the place of
/// putting the thread to sleep; outside of all runtimes, of those that there are.
///
/// Returns when `notified` holds, when `timeout` is over, or when anything at
/// all was done; the caller checks and parks again. Returns `false`, having
/// done nothing, where there is nothing to drive: without any runtime, and
/// inside of its drivers.
pub(crate) fn park(timeout: Option<Duration>, notified: impl Fn() -> bool) -> bool {
    // The scheduler shows itself only to its workers.
    context::one_thread::as_worker(|| {
        let in_one = context::with_scheduler(|scheduler| match scheduler {
            Some(scheduler::Context::CurrentThread(cx)) => {
                Some(turn_of(cx, timeout, &notified).is_some())
            }
            _ => None,
        });
        in_one.unwrap_or_else(|| park_outside(timeout, &notified, true))
    })
}

/// How many waits of tasks may lie on each other on the stack. Natively the
/// number of workers is the limit.
const MOST_WAITING_TASKS: usize = 16;

/// What the host layer does in the place of putting the thread to sleep; see
/// there for what it promises.
fn wait(limit: Option<Duration>) -> bool {
    thread_local! {
        static WAITING_TASKS: Cell<usize> = const { Cell::new(0) };
    }
    let drive = || {
        context::one_thread::as_worker(|| {
            let in_one = context::with_scheduler(|scheduler| match scheduler {
                Some(scheduler::Context::CurrentThread(cx)) => {
                    Some(turn_of(cx, limit, &|| false).is_some())
                }
                _ => None,
            });
            in_one.unwrap_or_else(|| park_outside(limit, &|| false, false))
        })
    };
    if !context::one_thread::is_worker() {
        return drive();
    }
    // A task that stops its thread. Where natively there are other workers,
    // the other tasks go on.
    let in_background = context::with_current(is_in_background);
    let waiting = WAITING_TASKS.get();
    if !in_background.unwrap_or(false) || waiting == MOST_WAITING_TASKS {
        return false;
    }
    WAITING_TASKS.set(waiting + 1);
    let driven = drive();
    WAITING_TASKS.set(waiting);
    driven
}

/// What a turn of a scheduler found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Something was run.
    Worked,
    /// There was nothing to run.
    Idle,
}

/// A turn of the scheduler that has this context; `None` where its core is in
/// other hands: it is being driven already.
fn turn_of(cx: &Context, timeout: Option<Duration>, notified: &dyn Fn() -> bool) -> Option<Turn> {
    let core = cx.core.borrow_mut().take()?;
    let (core, turn) = match core.driver {
        Some(_) => {
            let (core, turn) = turn(cx, core, timeout, notified);
            (core, Some(turn))
        }
        None => (core, None),
    };
    *cx.core.borrow_mut() = Some(core);
    // The next turn takes it back, so nothing spins over it meanwhile.
    wake_root_again(&cx.handle);
    turn
}

fn turn(
    cx: &Context,
    mut core: Box<Core>,
    timeout: Option<Duration>,
    notified: &dyn Fn() -> bool,
) -> (Box<Core>, Turn) {
    let handle = &cx.handle;
    let mut turn = Turn::Idle;

    if handle.reset_woken() {
        let polled;
        (core, polled) = poll_root(cx, core);
        if polled {
            turn = Turn::Worked;
        }
    }

    let mut idle = false;
    for _ in 0..handle.shared.config.event_interval {
        if notified() {
            break;
        }
        core.tick();
        let Some(task) = core.next_task(handle) else {
            idle = true;
            break;
        };
        let task = handle.shared.owned.assert_owner(task);
        core = cx.run_owned(task, core);
        turn = Turn::Worked;
    }

    if notified() {
        return (core, turn);
    }
    // What was done may be what the caller waits for: it looks before it waits.
    if !idle || turn == Turn::Worked || cx.has_pending_work(&core) {
        return (cx.park_yield(core, handle), Turn::Worked);
    }
    core = match timeout {
        None => cx.park(core, handle),
        Some(timeout) => match park_beside(cx, core, Some(timeout)) {
            Ok(core) => core,
            Err(core) => wait_at_most(cx, core, timeout),
        },
    };
    (core, turn)
}

/// Lets the drivers wait, and wakes what was put off until then.
fn wait_at_most(cx: &Context, mut core: Box<Core>, timeout: Duration) -> Box<Core> {
    let mut driver = core.driver.take().expect("driver missing");
    core.submit_metrics(&cx.handle);
    core = cx.park_internal(core, &cx.handle, &mut driver, Some(timeout));
    core.driver = Some(driver);
    core
}

/// What comes before each look at the drivers that does not wait: the next
/// queued closure, and the turn of other runtimes.
pub(super) fn before_yield(cx: &Context, core: Box<Core>) -> Box<Core> {
    let core = run_next_closure(cx, core);
    if others_have_work(&cx.handle) {
        turn_others(&cx.handle);
    }
    core
}

/// So many times in a row a stretch of work is not measured at most: who asks for the
/// runtime's metrics wants to see a busy one's grow.
const UNMEASURED: u32 = 32;

/// Whether the scheduler, which has no task to run, goes on without waiting and
/// without doing anybody else's work: the time is its own then, and need not be
/// measured now. The host's clock is dear, and a task that yields comes by here each
/// time.
pub(super) fn works_on(cx: &Context, core: &Core) -> bool {
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

// ===== more than one runtime =====

/// Where a scheduler keeps its core while nobody runs it. The list of this
/// thread's runtimes finds it there.
pub(super) struct CoreSlot(Arc<AtomicCell<Core>>);

impl CoreSlot {
    /// Puts a new runtime's core in, and the runtime on the list.
    pub(super) fn new(handle: &Arc<Handle>, core: Option<Box<Core>>) -> CoreSlot {
        wasmedge_host::thread::on_wait(wait);
        let slot = Arc::new(AtomicCell::new(core));
        RUNTIMES.with(|runtimes| {
            runtimes.borrow_mut().push(Known {
                handle: Arc::downgrade(handle),
                slot: Arc::downgrade(&slot),
                in_background: false,
                before_stop: None,
            });
        });
        CoreSlot(slot)
    }

    pub(super) fn take(&self) -> Option<Box<Core>> {
        self.0.take()
    }

    /// `block_on` is over, and what follows it may take long: what tasks have
    /// written is sent first.
    pub(super) fn set(&self, core: Box<Core>) {
        wasmedge_host::coalesce::before_blocking();
        self.0.set(core);
    }
}

impl Drop for CoreSlot {
    /// The runtime ends, and with it what counts as its worker. Its tasks are gone by
    /// now; what they have written is sent.
    fn drop(&mut self) {
        wasmedge_host::coalesce::before_blocking();
        let slot = Arc::as_ptr(&self.0);
        let known = RUNTIMES.try_with(|runtimes| {
            let mut runtimes = runtimes.borrow_mut();
            let mut all = runtimes.iter();
            let at = all.position(|known| known.slot.as_ptr() == slot)?;
            Some(runtimes.swap_remove(at))
        });
        if let Ok(Some(Known {
            before_stop: Some(before_stop),
            ..
        })) = known
        {
            before_stop();
        }
    }
}

/// A runtime of this thread.
struct Known {
    handle: Weak<Handle>,
    slot: Weak<AtomicCell<Core>>,
    /// Natively it has threads of its own.
    in_background: bool,
    /// What such a thread does when it ends.
    before_stop: Option<Callback>,
}

tokio_thread_local! {
    static RUNTIMES: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
    /// The schedulers whose closures (or `block_in_place`) are at work further
    /// down on the stack.
    static OUTER: RefCell<Vec<*const scheduler::Context>> = const { RefCell::new(Vec::new()) };
    static SLICE: Cell<Duration> = const { Cell::new(SHORTEST_SLICE) };
}

/// How long one runtime may wait while others have tasks: at first, after
/// anything was done, and at most.
const SHORTEST_SLICE: Duration = Duration::from_micros(250);
const LONGEST_SLICE: Duration = Duration::from_millis(8);

/// Marks a runtime as one that goes on though nobody is in its `block_on`. It
/// counts as having one worker, which starts now and stops with the runtime.
pub(crate) fn put_in_background(
    handle: &scheduler::Handle,
    after_start: Option<&(dyn Fn() + Send + Sync)>,
    before_stop: Option<Callback>,
) {
    let handle = Arc::as_ptr(handle.as_current_thread());
    RUNTIMES.with(|runtimes| {
        let mut runtimes = runtimes.borrow_mut();
        if let Some(known) = runtimes
            .iter_mut()
            .find(|known| known.handle.as_ptr() == handle)
        {
            known.in_background = true;
            known.before_stop = before_stop;
        }
    });
    if let Some(after_start) = after_start {
        after_start();
    }
}

/// Whether a runtime was built as a multi-thread one.
pub(crate) fn is_in_background(handle: &scheduler::Handle) -> bool {
    let handle = Arc::as_ptr(handle.as_current_thread());
    RUNTIMES.with(|runtimes| {
        let runtimes = runtimes.borrow();
        let mut all = runtimes.iter();
        all.any(|known| known.in_background && known.handle.as_ptr() == handle)
    })
}

/// A runtime of this thread, while it lives.
struct Alive {
    handle: Arc<Handle>,
    slot: Arc<AtomicCell<Core>>,
    in_background: bool,
}

impl Alive {
    /// The `n`th one.
    fn get(n: usize) -> Option<Alive> {
        RUNTIMES.with(|runtimes| {
            let runtimes = runtimes.borrow();
            let known = runtimes.get(n)?;
            Some(Alive {
                handle: known.handle.upgrade()?,
                slot: known.slot.upgrade()?,
                in_background: known.in_background,
            })
        })
    }

    /// Whether natively it could go on by itself: a multi-thread runtime, whose
    /// timers and sockets others may wait for though it has no task, or closures.
    fn has_work(&self) -> bool {
        self.in_background || blocking::one_thread::is_waiting(&self.handle.blocking_spawner)
    }

    /// A turn of what natively goes on by itself: all of a multi-thread runtime,
    /// and the closures of any. `None` where there is no such thing, or where
    /// it is being driven already.
    fn turn(&self, timeout: Option<Duration>, notified: &dyn Fn() -> bool) -> Option<Turn> {
        if self.in_background {
            return turn_idle(self.handle.clone(), &self.slot, timeout, notified);
        }
        let closure = blocking::one_thread::next(&self.handle.blocking_spawner)?;
        closure.run();
        Some(Turn::Worked)
    }
}

fn number_of_runtimes() -> usize {
    RUNTIMES.with(|runtimes| runtimes.borrow().len())
}

/// Runs `f` as code that is at work for the current scheduler and may wait, so
/// that runtimes inside of it can drive that scheduler.
pub(crate) fn as_outer<R>(f: impl FnOnce() -> R) -> R {
    struct Pop;
    impl Drop for Pop {
        fn drop(&mut self) {
            let _ = OUTER.try_with(|outer| outer.borrow_mut().pop());
        }
    }
    let _pop = context::with_scheduler(|scheduler| {
        let scheduler: *const scheduler::Context = scheduler?;
        OUTER.with(|outer| outer.borrow_mut().push(scheduler));
        Some(Pop)
    });
    f()
}

/// The `n`th scheduler further down on the stack.
fn outer(n: usize) -> Option<*const scheduler::Context> {
    OUTER.with(|outer| outer.borrow().get(n).copied())
}

/// Whether a runtime besides this one could have something to do.
fn others_have_work(handle: &Arc<Handle>) -> bool {
    let me = Arc::as_ptr(handle);
    let is_other = |scheduler: &*const scheduler::Context| {
        // SAFETY: what is on the list is further down on this stack.
        let scheduler = unsafe { &**scheduler };
        Arc::as_ptr(&scheduler.expect_current_thread().handle) != me
    };
    if OUTER.with(|outer| outer.borrow().iter().any(is_other)) {
        return true;
    }
    let count = number_of_runtimes();
    count > 1
        && (0..count).any(|n| {
            Alive::get(n).is_some_and(|other| Arc::as_ptr(&other.handle) != me && other.has_work())
        })
}

/// One turn, without waiting, of every runtime that natively would go on by
/// itself and that nobody drives right now.
fn turn_others(me: &Arc<Handle>) -> Turn {
    let mut worked = Turn::Idle;
    let mut n = 0;
    while let Some(scheduler) = outer(n) {
        n += 1;
        // SAFETY: what is on the list is further down on this stack, and stays
        // there until this call is over.
        let scheduler = unsafe { &*scheduler };
        let cx = scheduler.expect_current_thread();
        if Arc::ptr_eq(&cx.handle, me) {
            continue;
        }
        let turn = as_current(scheduler, || turn_of(cx, Some(Duration::ZERO), &|| false));
        if turn == Some(Turn::Worked) {
            worked = Turn::Worked;
        }
    }
    for n in 0..number_of_runtimes() {
        let Some(other) = Alive::get(n) else {
            continue;
        };
        if !Arc::ptr_eq(&other.handle, me)
            && other.turn(Some(Duration::ZERO), &|| false) == Some(Turn::Worked)
        {
            worked = Turn::Worked;
        }
    }
    worked
}

/// Runs `f` inside of this scheduler.
fn as_current<R>(scheduler: &scheduler::Context, f: impl FnOnce() -> R) -> R {
    let handle = scheduler.expect_current_thread().handle.clone();
    let _current = context::try_set_current(&scheduler::Handle::CurrentThread(handle));
    context::one_thread::as_worker(|| context::set_scheduler(scheduler, f))
}

/// A turn of a runtime that nobody runs.
fn turn_idle(
    handle: Arc<Handle>,
    slot: &AtomicCell<Core>,
    timeout: Option<Duration>,
    notified: &dyn Fn() -> bool,
) -> Option<Turn> {
    let core = slot.take()?;
    let scheduler = scheduler::Context::CurrentThread(Context {
        handle,
        core: RefCell::new(Some(core)),
        defer: Defer::new(),
    });
    let cx = scheduler.expect_current_thread();
    let turn = as_current(&scheduler, || {
        let turn = turn_of(cx, timeout, notified);
        // This context goes; what was put off must not go with it.
        cx.defer.wake();
        turn
    });
    if let Some(core) = cx.core.borrow_mut().take() {
        slot.set(core);
    }
    turn
}

/// Waits in this runtime while others have work; gives the core back, having
/// done nothing, where no other one has.
pub(super) fn park_beside(
    cx: &Context,
    core: Box<Core>,
    limit: Option<Duration>,
) -> Result<Box<Core>, Box<Core>> {
    if !others_have_work(&cx.handle) {
        return Err(core);
    }
    let slice = next_slice(turn_others(&cx.handle), limit);
    // They may have woken this one.
    let slice = if cx.has_pending_work(&core) {
        Duration::ZERO
    } else {
        slice
    };
    Ok(wait_at_most(cx, core, slice))
}

/// How long to wait after such a turn.
fn next_slice(turn: Turn, limit: Option<Duration>) -> Duration {
    SLICE.with(|slice| {
        let now = match turn {
            Turn::Worked => SHORTEST_SLICE,
            Turn::Idle => slice.get(),
        };
        slice.set(LONGEST_SLICE.min(now * 2));
        limit.map_or(now, |limit| limit.min(now))
    })
}

/// A wait outside of all runtimes. One that natively could only end by what a
/// runtime does that nobody runs (`all`) drives that one, too.
fn park_outside(timeout: Option<Duration>, notified: &dyn Fn() -> bool, all: bool) -> bool {
    let count = number_of_runtimes();
    let mut left = timeout;
    let mut driven = false;
    let mut worked = Turn::Idle;
    if count > 1 {
        left = Some(SLICE.with(|slice| next_slice(Turn::Idle, timeout).min(slice.get())));
    }
    for n in 0..count {
        let Some(runtime) = Alive::get(n) else {
            continue;
        };
        // Only one of them waits.
        let timeout = if driven { Some(Duration::ZERO) } else { left };
        let turn = match all {
            true => turn_idle(runtime.handle, &runtime.slot, timeout, notified),
            false => runtime.turn(timeout, notified),
        };
        if let Some(turn) = turn {
            driven = true;
            if turn == Turn::Worked {
                worked = turn;
            }
        }
    }
    if worked == Turn::Worked {
        SLICE.with(|slice| slice.set(SHORTEST_SLICE));
    }
    driven
}

/// Runs the next queued closure, if there is one.
fn run_next_closure(cx: &Context, core: Box<Core>) -> Box<Core> {
    let Some(closure) = blocking::one_thread::next(&cx.handle.blocking_spawner) else {
        return core;
    };
    cx.enter(core, || closure.run()).0
}

// ===== the future of `block_on` =====

/// The future that `block_on` was given, so that a wait deep inside of the
/// runtime can poll it too, unless it is being polled.
pub(super) struct Root<F: Future> {
    handle: Arc<Handle>,
    future: F,
    output: Option<F::Output>,
    polling: bool,
    /// Woken while it could not be polled.
    woken: bool,
    registered: bool,
}

/// A root that its scheduler polls, where it is pinned.
#[derive(Clone, Copy)]
struct Registered {
    handle: *const Handle,
    root: *mut (),
    /// Polls the root; `false` if it could not be, and the wake is noted for later.
    poll: unsafe fn(*mut (), &mut task::Context<'_>) -> bool,
    /// Tells whether there is a noted wake, and forgets it.
    take_woken: unsafe fn(*mut ()) -> bool,
}

tokio_thread_local! {
    static ROOTS: RefCell<Vec<Registered>> = const { RefCell::new(Vec::new()) };
}

impl<F: Future> Root<F> {
    pub(super) fn new(handle: &Arc<Handle>, future: F) -> Root<F> {
        Root {
            handle: handle.clone(),
            future,
            output: None,
            polling: false,
            woken: false,
            registered: false,
        }
    }

    /// Polls the future, unless it is done.
    ///
    /// # Safety
    ///
    /// `this` points to a pinned root that is not being polled.
    unsafe fn poll_future(this: *mut Self, cx: &mut task::Context<'_>) {
        // SAFETY: the caller's promise. The future is reached through raw
        // pointers, so that a poll from inside finds `polling` without there
        // being a second reference to the whole.
        unsafe {
            if (*this).output.is_some() {
                return;
            }
            (*this).polling = true;
            let polled = Pin::new_unchecked(&mut (*this).future).poll(cx);
            (*this).polling = false;
            if let Poll::Ready(output) = polled {
                (*this).output = Some(output);
            }
        }
    }

    unsafe fn poll_nested(this: *mut (), cx: &mut task::Context<'_>) -> bool {
        let this = this.cast::<Self>();
        // SAFETY: only called while registered, so `this` is alive and pinned,
        // and only on the one thread there is.
        unsafe {
            if (*this).polling || (*this).output.is_some() {
                (*this).woken = true;
                return false;
            }
            Self::poll_future(this, cx);
            if (*this).output.is_some() {
                // Its owner has to come by and take the output.
                (*this).woken = true;
            }
            true
        }
    }

    unsafe fn take_woken(this: *mut ()) -> bool {
        // SAFETY: as in `poll_nested`.
        unsafe { std::mem::take(&mut (*this.cast::<Self>()).woken) }
    }
}

impl<F: Future> Future for Root<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        // SAFETY: nothing is moved out of the pinned future.
        let this: *mut Self = unsafe { self.get_unchecked_mut() };
        // SAFETY: `this` comes from a unique, pinned reference that lives for
        // all of this call.
        unsafe {
            // Only what the scheduler itself polls is told by its `woken` flag.
            // Not `will_wake`: the compiler may keep a vtable in more than one
            // place, and then finds the scheduler's waker unlike itself.
            if cx.waker().data() == Arc::as_ptr(&(*this).handle).cast::<()>() {
                let entry = Registered {
                    handle: Arc::as_ptr(&(*this).handle),
                    root: this.cast(),
                    poll: Self::poll_nested,
                    take_woken: Self::take_woken,
                };
                if !std::mem::replace(&mut (*this).registered, true) {
                    ROOTS.with(|roots| roots.borrow_mut().push(entry));
                } else {
                    // The pointer is taken anew from the latest reference.
                    ROOTS.with(|roots| {
                        for known in roots.borrow_mut().iter_mut() {
                            if known.root == entry.root {
                                *known = entry;
                            }
                        }
                    });
                }
            }
            Self::poll_future(this, cx);
            match (*this).output.take() {
                Some(output) => Poll::Ready(output),
                None => {
                    if std::mem::take(&mut (*this).woken) {
                        cx.waker().wake_by_ref();
                    }
                    Poll::Pending
                }
            }
        }
    }
}

impl<F: Future> Drop for Root<F> {
    fn drop(&mut self) {
        if self.registered {
            let this: *mut () = (self as *mut Self).cast();
            let _ = ROOTS.try_with(|roots| roots.borrow_mut().retain(|known| known.root != this));
        }
    }
}

fn root_of(handle: &Arc<Handle>) -> Option<Registered> {
    let handle = Arc::as_ptr(handle);
    ROOTS.with(|roots| {
        roots
            .borrow()
            .iter()
            .rev()
            .find(|known| known.handle == handle)
            .copied()
    })
}

fn poll_root(cx: &Context, core: Box<Core>) -> (Box<Core>, bool) {
    let Some(root) = root_of(&cx.handle) else {
        return (core, false);
    };
    cx.enter(core, || {
        crate::task::coop::budget(|| {
            let waker = waker_ref(&cx.handle);
            // SAFETY: a registered root is alive; it unregisters when dropped.
            unsafe { (root.poll)(root.root, &mut task::Context::from_waker(&waker)) }
        })
    })
}

/// Hands a wake that came while the root could not be polled (or the news that
/// it is done) to the loop that owns it.
fn wake_root_again(handle: &Arc<Handle>) {
    if let Some(root) = root_of(handle) {
        // SAFETY: as in `poll_root`.
        if unsafe { (root.take_woken)(root.root) } {
            handle.shared.woken.store(true, Release);
        }
    }
}
