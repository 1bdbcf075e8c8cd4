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
//! * What is being polled is never polled again from inside: a task that waits
//!   is marked as running by upstream, the `block_on` future by [`Root`].
//!
//! Waits nest on one stack. A wait that is satisfied returns only when those
//! that were begun inside of it have returned; one that depends on code below
//! it on the stack can never be satisfied. Nor can a wait that upstream's
//! parker does not see: a std mutex, channel or condition variable that only
//! another thread could release.

use super::{Context, Core, Handle};
use crate::runtime::{blocking, context, scheduler};
use crate::util::waker_ref;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::Release;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

/// Runs one turn of the scheduler that the caller is part of, in the place of
/// putting the thread to sleep.
///
/// Returns when `notified` holds, when `timeout` is over, or when anything at
/// all was done; the caller checks and parks again. Returns `false`, having
/// done nothing, where there is no scheduler to drive: outside of a runtime,
/// and inside of its drivers.
pub(crate) fn park(timeout: Option<Duration>, notified: impl Fn() -> bool) -> bool {
    // The scheduler shows itself only to its workers.
    context::one_thread::as_worker(|| {
        context::with_scheduler(|scheduler| {
            let Some(scheduler::Context::CurrentThread(cx)) = scheduler else {
                return false;
            };
            let Some(core) = cx.core.borrow_mut().take() else {
                return false;
            };
            if core.driver.is_none() {
                *cx.core.borrow_mut() = Some(core);
                return false;
            }
            let core = turn(cx, core, timeout, notified);
            *cx.core.borrow_mut() = Some(core);
            true
        })
    })
}

fn turn(
    cx: &Context,
    mut core: Box<Core>,
    timeout: Option<Duration>,
    notified: impl Fn() -> bool,
) -> Box<Core> {
    let handle = &cx.handle;

    if handle.reset_woken() {
        core = poll_root(cx, core);
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
    }

    if notified() {
        return core;
    }
    if !idle || cx.has_pending_work(&core) {
        return cx.park_yield(core, handle);
    }
    match timeout {
        None => cx.park(core, handle),
        Some(timeout) => {
            let mut driver = core.driver.take().expect("driver missing");
            core.submit_metrics(handle);
            core = cx.park_internal(core, handle, &mut driver, Some(timeout));
            core.driver = Some(driver);
            core
        }
    }
}

/// Runs the next queued closure, if there is one. Part of every look at the
/// drivers.
pub(super) fn run_next_closure(cx: &Context, core: Box<Core>) -> Box<Core> {
    let Some(closure) = blocking::one_thread::next(&cx.handle.blocking_spawner) else {
        return core;
    };
    let (core, ()) = cx.enter(core, || closure.run());
    wake_root_again(&cx.handle);
    core
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
    /// Polls the root, or notes the wake for later.
    poll: unsafe fn(*mut (), &mut task::Context<'_>),
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

    unsafe fn poll_nested(this: *mut (), cx: &mut task::Context<'_>) {
        let this = this.cast::<Self>();
        // SAFETY: only called while registered, so `this` is alive and pinned,
        // and only on the one thread there is.
        unsafe {
            if (*this).polling {
                (*this).woken = true;
                return;
            }
            Self::poll_future(this, cx);
            if (*this).output.is_some() {
                // Its owner has to come by and take the output.
                (*this).woken = true;
            }
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

fn poll_root(cx: &Context, core: Box<Core>) -> Box<Core> {
    let Some(root) = root_of(&cx.handle) else {
        return core;
    };
    let (core, ()) = cx.enter(core, || {
        crate::task::coop::budget(|| {
            let waker = waker_ref(&cx.handle);
            // SAFETY: a registered root is alive; it unregisters when dropped.
            unsafe { (root.poll)(root.root, &mut task::Context::from_waker(&waker)) };
        })
    });
    core
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
