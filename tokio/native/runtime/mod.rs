//! Stands in for tokio's `runtime` module, and for the calls of its public API that wait.

pub mod blocking;
pub mod context;
pub mod driver;
pub mod scheduler;

use std::cell::Cell;
use std::future::{poll_fn, Future};
use std::pin::{pin, Pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use self::blocking::pool::Task;
use self::scheduler::current_thread::{self, one_thread, CurrentThread};
use crate::clock;

pub type Callback = Arc<dyn Fn() + Send + Sync>;

/// A handle to a runtime.
#[derive(Clone)]
pub struct Handle {
    pub inner: scheduler::Handle,
}

impl Handle {
    pub fn enter(&self) -> context::SetCurrentGuard {
        context::try_set_current(&self.inner).expect("a context")
    }

    fn scheduler(&self) -> &Arc<current_thread::Handle> {
        self.inner.as_current_thread()
    }

    /// Queues a closure; whether it is not cancelled before it begins.
    pub fn spawn_blocking(&self, f: impl FnOnce() + 'static) -> Result<(), ()> {
        let task = Task::new(Box::new(f));
        let spawner = &self.scheduler().blocking_spawner;
        blocking::push(spawner, task, self).map_err(drop)
    }

    /// Spawns a task. Gives what tells whether it is done.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) -> Rc<Cell<bool>> {
        let done = Rc::new(Cell::new(false));
        let set = done.clone();
        self.scheduler().spawn(Box::pin(async move {
            future.await;
            set.set(true);
        }));
        done
    }

    /// Is done at that time, which the runtime's driver tells.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep {
            handle: self.scheduler().clone(),
            end: clock::now() + duration,
            source: false,
        }
    }

    /// Is done at that time, which a source tells that is registered with the runtime.
    pub fn readable(&self, after: Duration) -> Sleep {
        Sleep {
            source: true,
            ..self.sleep(after)
        }
    }
}

/// See [`Handle::sleep`].
pub struct Sleep {
    handle: Arc<current_thread::Handle>,
    end: Duration,
    source: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if clock::now() >= self.end {
            return Poll::Ready(());
        }
        match self.source {
            true => driver::add_source(&self.handle, self.end, cx.waker()),
            false => self.handle.driver.add_timer(self.end, cx.waker()),
        }
        Poll::Pending
    }
}

/// A runtime. Its tasks and closures end with it.
pub struct Runtime {
    scheduler: CurrentThread,
    handle: Handle,
}

impl Runtime {
    pub fn current_thread() -> Runtime {
        Runtime::new(true)
    }

    /// One that keeps time, and has no I/O driver.
    pub fn without_io() -> Runtime {
        let runtime = Runtime::new(false);
        one_thread::put_in_background(&runtime.handle.inner, None, None);
        runtime
    }

    fn new(has_io: bool) -> Runtime {
        let scheduler = CurrentThread::new(has_io);
        let handle = Handle {
            inner: scheduler::Handle::CurrentThread(scheduler.handle.clone()),
        };
        Runtime { scheduler, handle }
    }

    pub fn multi_thread() -> Runtime {
        let runtime = Runtime::current_thread();
        one_thread::put_in_background(&runtime.handle.inner, None, None);
        runtime
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.scheduler.block_on(&self.handle.inner, future)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let scheduler = self.handle.scheduler();
        scheduler.close();
        scheduler.driver.shut_down();
        blocking::shut_down(&scheduler.blocking_spawner, None);
    }
}

/// What a thread is woken by that waits for one future.
struct Parker(AtomicBool);

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits for a future as a blocked thread does, and as `Handle::block_on` does in one.
pub fn wait_for<F: Future>(future: F) -> F::Output {
    assert!(!context::one_thread::is_worker(), "a task may not wait");
    let mut future = pin!(future);
    let parker = Arc::new(Parker(AtomicBool::new(false)));
    let waker = Waker::from(parker.clone());
    loop {
        let cx = &mut Context::from_waker(&waker);
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return output;
        }
        while !parker.0.load(Ordering::Relaxed) {
            let notified = || parker.0.load(Ordering::Relaxed);
            assert!(one_thread::park(None, notified), "nothing to drive");
        }
        parker.0.store(false, Ordering::Relaxed);
    }
}

/// Waits until `condition` holds, as a blocked thread does.
pub fn wait_until(condition: impl Fn() -> bool) {
    assert!(!context::one_thread::is_worker(), "a task may not wait");
    while !condition() {
        assert!(one_thread::park(None, &condition), "nothing to drive");
    }
}

/// As tokio's: the task goes on when the drivers have been polled.
pub async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context::with_scheduler(|scheduler| match scheduler {
            Some(scheduler) => scheduler.expect_current_thread().defer.defer(cx.waker()),
            None => cx.waker().wake_by_ref(),
        });
        Poll::Pending
    })
    .await;
}

/// As tokio's: `f` may wait, though it is in a task.
pub fn block_in_place<R>(f: impl FnOnce() -> R) -> R {
    context::one_thread::as_blocking(f)
}
