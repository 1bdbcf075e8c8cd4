//! Where a connection's worker runs.
//!
//! On other systems it has a thread, as published, which blocks on the worker. Here whoever
//! waits drives all workers: tokio's scheduler, above all, once a caller awaits its answer.
//! A worker is polled when it was woken, in the order of coming.

use std::future::Future;
use std::io;
use std::thread;

use tracing::Span;

/// Starts a worker in the place of a closure.
pub(super) trait SpawnWorker {
    /// `worker` is called where it runs from then on.
    fn spawn_worker<W, F>(self, worker: W) -> io::Result<()>
    where
        W: FnOnce() -> F + Send + 'static,
        F: Future<Output = ()> + 'static;
}

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
impl SpawnWorker for thread::Builder {
    fn spawn_worker<W, F>(self, worker: W) -> io::Result<()>
    where
        W: FnOnce() -> F + Send + 'static,
        F: Future<Output = ()> + 'static,
    {
        self.spawn(|| futures_executor::block_on(worker()))?;
        Ok(())
    }
}

/// The span of a command, for as long as it is carried out.
#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
pub(super) fn enter(span: &Span) -> tracing::span::Entered<'_> {
    span.enter()
}

#[cfg(all(target_os = "wasi", target_env = "p1"))]
impl SpawnWorker for thread::Builder {
    fn spawn_worker<W, F>(self, worker: W) -> io::Result<()>
    where
        W: FnOnce() -> F + Send + 'static,
        F: Future<Output = ()> + 'static,
    {
        driven::add(Box::pin(worker()));
        Ok(())
    }
}

/// Nothing: on one thread a span would be that of all who run while the worker waits.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(super) fn enter(_span: &Span) {}

/// The workers, and who polls them.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod driven {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::future::Future;
    use std::panic::{catch_unwind, AssertUnwindSafe};
    use std::pin::Pin;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};

    struct Worker {
        future: Pin<Box<dyn Future<Output = ()>>>,
        woken: Arc<Woken>,
    }

    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
            wasmedge_host::thread::announce_work();
        }
    }

    thread_local! {
        /// A worker is taken out while it is polled: SQLite may wait, and others go on then.
        static WORKERS: RefCell<VecDeque<Worker>> = const { RefCell::new(VecDeque::new()) };
    }

    pub(super) fn add(future: Pin<Box<dyn Future<Output = ()>>>) {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        WORKERS.with_borrow_mut(|all| {
            all.push_back(Worker {
                future,
                woken: Arc::clone(&woken),
            })
        });
        wasmedge_host::thread::on_idle(serve);
        woken.wake();
    }

    /// Polls the worker that was woken and comes first. `false` where there is none.
    fn serve() -> bool {
        let first = WORKERS.with_borrow_mut(|all| {
            let at = all.iter().position(Worker::take_woken)?;
            all.remove(at)
        });
        let Some(mut worker) = first else {
            return false;
        };
        let waker = Waker::from(Arc::clone(&worker.woken));
        let mut context = Context::from_waker(&waker);
        // A panic would end the worker's thread, and nobody else.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            worker.future.as_mut().poll(&mut context)
        }));
        if polled.is_ok_and(|polled| polled.is_pending()) {
            WORKERS.with_borrow_mut(|all| all.push_back(worker));
        }
        true
    }

    impl Worker {
        fn take_woken(&self) -> bool {
            self.woken.0.swap(false, Ordering::Relaxed)
        }
    }
}
