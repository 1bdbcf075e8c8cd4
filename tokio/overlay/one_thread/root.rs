//! The future of `block_on`, so that a wait deep inside of the runtime can poll it too.
//!
//! The loop of `block_on` owns the future and polls it. While that loop is busy with
//! something else (a task, a closure) which waits, the wait drives the runtime, and that
//! includes this future. It is found by its scheduler, through a list of this thread.
//!
//! What is being polled is never polled again from inside. What such a wait cannot do is
//! noted, and its owner comes by: a wake that came while the future was being polled, and
//! the news that it is done.
//!
//! This is the one file in which a pinned future is reached through a raw pointer. It
//! knows nothing of tokio, and of a scheduler only its address. `tokio/native` runs its
//! tests, under Miri too.

use std::cell::{Cell, OnceCell, RefCell, UnsafeCell};
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The future that the `block_on` of the scheduler `S` was given.
///
/// All of it is reached through shared references: a poll from inside must not meet an
/// exclusive one, which the owner's poll further down on the stack would hold.
pub(crate) struct Root<S, F: Future> {
    /// Goes first when the root is dropped: the future may wait while it is dropped, and
    /// must not be found then.
    registration: OnceCell<Registration>,
    scheduler: Arc<S>,
    progress: Cell<Progress<F::Output>>,
    /// The owner has to come by.
    wake_pending: Cell<bool>,
    future: UnsafeCell<F>,
    /// The list has its address. Also, the compiler may not take an exclusive reference
    /// to what is `!Unpin` for the only way to it.
    _pinned: PhantomPinned,
}

/// How far the future has come.
enum Progress<T> {
    /// It is not done, and nobody polls it.
    Idle,
    /// It is being polled, further down on the stack.
    Polling,
    /// It is done, and its owner has yet to take the output.
    Done(T),
    /// Its owner has taken the output.
    Taken,
}

/// What a poll from inside found.
enum Nested {
    /// The future was polled.
    Polled,
    /// It was not, since it is being polled, or done.
    Busy,
}

impl<S, F: Future> Root<S, F> {
    pub(crate) fn new(scheduler: &Arc<S>, future: F) -> Root<S, F> {
        Root {
            registration: OnceCell::new(),
            scheduler: scheduler.clone(),
            progress: Cell::new(Progress::Idle),
            wake_pending: Cell::new(false),
            future: UnsafeCell::new(future),
            _pinned: PhantomPinned,
        }
    }

    /// Polls the future if it is idle.
    fn poll_idle(self: Pin<&Self>, cx: &mut Context<'_>) -> Nested {
        /// Where the future panics, its owner comes by and meets the panic too.
        struct Unwinding<'a, S, F: Future>(&'a Root<S, F>);
        impl<S, F: Future> Drop for Unwinding<'_, S, F> {
            fn drop(&mut self) {
                self.0.progress.set(Progress::Idle);
                self.0.wake_pending.set(true);
            }
        }

        match self.progress.replace(Progress::Polling) {
            Progress::Idle => {}
            other => {
                self.progress.set(other);
                return Nested::Busy;
            }
        }
        let unwinding = Unwinding(self.get_ref());
        // SAFETY: the root is pinned, and with it the future, which is never moved out of
        // it. This is the only reference to it: others are made only here, while the
        // progress is `Idle`, and end with the poll, before it is `Idle` again.
        let future = unsafe { Pin::new_unchecked(&mut *self.future.get()) };
        let polled = future.poll(cx);
        std::mem::forget(unwinding);
        self.progress.set(match polled {
            Poll::Ready(output) => Progress::Done(output),
            Poll::Pending => Progress::Idle,
        });
        Nested::Polled
    }

    /// Polls the future in the place of its owner; `false` if that cannot be now, and the
    /// owner will have to.
    fn poll_nested(self: Pin<&Self>, cx: &mut Context<'_>) -> bool {
        let polled = matches!(self.poll_idle(cx), Nested::Polled);
        let progress = self.progress.replace(Progress::Polling);
        match progress {
            Progress::Idle => {}
            Progress::Polling | Progress::Done(_) => self.wake_pending.set(true),
            Progress::Taken => {}
        }
        self.progress.set(progress);
        polled
    }

    /// Puts the root on the list, for as long as it lives.
    fn register(self: Pin<&Self>) {
        self.registration.get_or_init(|| {
            Registration::new(Entry {
                scheduler: Arc::as_ptr(&self.scheduler).cast(),
                root: NonNull::from(self.get_ref()).cast(),
                poll: |root, cx| {
                    // SAFETY: it is the address of a root of this type, and alive (`Entry`).
                    let root = unsafe { root.cast::<Root<S, F>>().as_ref() };
                    // SAFETY: it was pinned when it was put on the list.
                    unsafe { Pin::new_unchecked(root) }.poll_nested(cx)
                },
                take_wake: |root| {
                    // SAFETY: as above.
                    let root = unsafe { root.cast::<Root<S, F>>().as_ref() };
                    root.wake_pending.take()
                },
            })
        });
    }
}

impl<S, F: Future> Future for Root<S, F> {
    type Output = F::Output;

    /// The owner's poll.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.into_ref();
        // Only an owner that this scheduler wakes is told by a noted wake; `block_on`
        // has another waker where the scheduler is in other hands.
        // Not `will_wake`: the compiler may keep a vtable in more than one
        // place, and then finds the scheduler's waker unlike itself.
        if cx.waker().data() == Arc::as_ptr(&this.scheduler).cast::<()>() {
            this.register();
        }
        this.poll_idle(cx);
        match this.progress.replace(Progress::Taken) {
            Progress::Done(output) => return Poll::Ready(output),
            Progress::Taken => panic!("the future of `block_on` was polled after it was done"),
            unfinished => this.progress.set(unfinished),
        }
        if this.wake_pending.take() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// A root on the list. Its functions are of the root's own type, and may be called while
/// the entry is on the list.
///
/// The root is alive and pinned for so long: the entry is taken off when the root is
/// dropped, and what is pinned is dropped before its memory goes.
#[derive(Clone, Copy)]
struct Entry {
    scheduler: *const (),
    root: NonNull<()>,
    poll: unsafe fn(NonNull<()>, &mut Context<'_>) -> bool,
    take_wake: unsafe fn(NonNull<()>) -> bool,
}

thread_local! {
    static ROOTS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a root on the list. It names the root by its address, so neither can go to
/// another thread, which has another list.
struct Registration(NonNull<()>);

impl Registration {
    fn new(entry: Entry) -> Registration {
        ROOTS.with(|roots| roots.borrow_mut().push(entry));
        Registration(entry.root)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Without a list there is nobody who could look there.
        let _ = ROOTS.try_with(|roots| roots.borrow_mut().retain(|entry| entry.root != self.0));
    }
}

/// The innermost root of a scheduler.
fn find<S>(scheduler: &Arc<S>) -> Option<Entry> {
    let scheduler = Arc::as_ptr(scheduler).cast::<()>();
    ROOTS.with(|roots| {
        let roots = roots.borrow();
        let mut innermost_first = roots.iter().rev();
        innermost_first
            .find(|entry| entry.scheduler == scheduler)
            .copied()
    })
}

/// Polls this scheduler's root. Returns `false` where there is none, or it cannot be
/// polled now.
pub(crate) fn poll<S>(scheduler: &Arc<S>, cx: &mut Context<'_>) -> bool {
    // SAFETY: the entry is on the list, so its root is alive and pinned. It stays so during
    // the call: its owner, which alone could drop it, is below this call on the stack.
    find(scheduler).is_some_and(|entry| unsafe { (entry.poll)(entry.root, cx) })
}

/// Whether this scheduler's root has a noted wake; true once.
pub(crate) fn take_wake<S>(scheduler: &Arc<S>) -> bool {
    // SAFETY: as in `poll`.
    find(scheduler).is_some_and(|entry| unsafe { (entry.take_wake)(entry.root) })
}
