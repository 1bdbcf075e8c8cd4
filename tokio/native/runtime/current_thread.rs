//! Stands in for tokio's scheduler of one thread, with the calls of the port where
//! `port.toml` puts them.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{self, Poll, Wake, Waker};
use std::time::Duration;

use self::one_thread::CoreSlot;
use super::{Defer, Handle as AnyHandle};
use crate::runtime::blocking::pool::Spawner;
use crate::runtime::driver::{self, Driver};
use crate::runtime::{context, scheduler};

#[path = "../../overlay/one_thread/mod.rs"]
pub mod one_thread;

// ===== tasks =====

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Scheduled,
    Running,
    /// Woken meanwhile.
    RunningAgain,
    Done,
}

/// What names a task, and wakes it.
pub struct Notified {
    id: u64,
    state: Mutex<State>,
    owner: Arc<Handle>,
}

impl Wake for Notified {
    fn wake(self: Arc<Self>) {
        let mut state = self.state.lock().unwrap();
        *state = match *state {
            State::Idle => {
                schedule(&self);
                State::Scheduled
            }
            State::Running => State::RunningAgain,
            state => state,
        };
    }
}

/// As upstream: tasks that are woken from outside go through another queue, and unpark
/// the drivers.
fn schedule(task: &Arc<Notified>) {
    let owner = &task.owner;
    if is_current(owner) {
        owner.queue.lock().unwrap().push_back(task.clone());
    } else {
        owner.inject.lock().unwrap().push_back(task.clone());
        owner.driver.unpark();
    }
}

fn is_current(handle: &Arc<Handle>) -> bool {
    context::with_scheduler(|scheduler| match scheduler {
        Some(scheduler::Context::CurrentThread(cx)) => Arc::ptr_eq(&cx.handle, handle),
        _ => false,
    })
}

type BoxedFuture = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static FUTURES: RefCell<HashMap<u64, BoxedFuture>> = RefCell::new(HashMap::new());
    static LAST_ID: Cell<u64> = const { Cell::new(0) };
}

// ===== the shared half =====

pub struct Config {
    pub event_interval: u32,
}

/// All tasks of a runtime.
#[derive(Default)]
pub struct Owned(Mutex<Vec<u64>>);

impl Owned {
    pub fn assert_owner(&self, task: Arc<Notified>) -> Arc<Notified> {
        assert!(self.0.lock().unwrap().contains(&task.id));
        task
    }
}

pub struct Shared {
    pub woken: AtomicBool,
    pub owned: Owned,
    pub config: Config,
}

pub struct Handle {
    pub shared: Shared,
    pub blocking_spawner: Spawner,
    pub driver: driver::Handle,
    /// How many stretches of work were measured.
    pub measured: AtomicUsize,
    queue: Mutex<VecDeque<Arc<Notified>>>,
    inject: Mutex<VecDeque<Arc<Notified>>>,
}

impl Wake for Handle {
    fn wake(self: Arc<Self>) {
        let already_woken = self.shared.woken.swap(true, Ordering::AcqRel);
        if !already_woken && !is_current(&self) {
            self.driver.unpark();
        }
    }
}

impl Handle {
    pub fn injection_queue_depth(&self) -> usize {
        self.inject.lock().unwrap().len()
    }

    pub fn reset_woken(&self) -> bool {
        self.shared.woken.swap(false, Ordering::AcqRel)
    }

    pub fn spawn(self: &Arc<Self>, future: BoxedFuture) {
        let id = LAST_ID.get() + 1;
        LAST_ID.set(id);
        FUTURES.with(|futures| futures.borrow_mut().insert(id, future));
        self.shared.owned.0.lock().unwrap().push(id);
        let task = Arc::new(Notified {
            id,
            state: Mutex::new(State::Idle),
            owner: self.clone(),
        });
        task.wake();
    }

    /// Drops all tasks.
    pub fn close(&self) {
        let owned = std::mem::take(&mut *self.shared.owned.0.lock().unwrap());
        for id in owned {
            let future = FUTURES.with(|futures| futures.borrow_mut().remove(&id));
            drop(future);
        }
        self.queue.lock().unwrap().clear();
        self.inject.lock().unwrap().clear();
    }
}

// ===== the scheduler's own half =====

pub struct Core {
    pub driver: Option<Driver>,
    ticks: u32,
}

impl Core {
    pub fn tick(&mut self) {
        self.ticks += 1;
        assert!(self.ticks < 1_000_000, "the scheduler spins");
    }

    pub fn next_task(&mut self, handle: &Handle) -> Option<Arc<Notified>> {
        let local = handle.queue.lock().unwrap().pop_front();
        local.or_else(|| handle.inject.lock().unwrap().pop_front())
    }

    pub fn submit_metrics(&mut self, _: &Handle) {}
}

pub struct Context {
    pub handle: Arc<Handle>,
    pub core: RefCell<Option<Box<Core>>>,
    pub defer: Defer,
}

impl Context {
    pub fn enter<R>(&self, core: Box<Core>, f: impl FnOnce() -> R) -> (Box<Core>, R) {
        let before = self.core.replace(Some(core));
        assert!(before.is_none(), "two cores");
        let result = f();
        let core = self.core.take();
        (core.expect("whoever takes the core puts it back"), result)
    }

    pub fn run_owned(&self, task: Arc<Notified>, core: Box<Core>) -> Box<Core> {
        *task.state.lock().unwrap() = State::Running;
        let future = FUTURES.with(|futures| futures.borrow_mut().remove(&task.id));
        let mut future = future.expect("a task that is not running");
        let waker = Waker::from(task.clone());
        let (core, polled) = self.enter(core, || {
            let cx = &mut task::Context::from_waker(&waker);
            // As tokio has it: the task fails, and nobody else notices.
            catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
        });
        let mut state = task.state.lock().unwrap();
        let is_closed = !self
            .handle
            .shared
            .owned
            .0
            .lock()
            .unwrap()
            .contains(&task.id);
        if is_closed || !matches!(polled, Ok(Poll::Pending)) {
            *state = State::Done;
            return core;
        }
        FUTURES.with(|futures| futures.borrow_mut().insert(task.id, future));
        let again = *state == State::RunningAgain;
        *state = State::Idle;
        drop(state);
        if again {
            task.wake();
        }
        core
    }

    pub fn has_pending_work(&self, _: &Core) -> bool {
        one_thread::is_closure_waiting(&self.handle.blocking_spawner)
            || !self.handle.queue.lock().unwrap().is_empty()
            || !self.defer.is_empty()
            || self.handle.shared.woken.load(Ordering::Acquire)
    }

    pub fn park_yield(&self, core: Box<Core>, handle: &Handle) -> Box<Core> {
        let core = one_thread::before_yield(self, core);
        self.park_for(core, handle, Some(Duration::ZERO))
    }

    pub fn park(&self, core: Box<Core>, handle: &Handle) -> Box<Core> {
        match one_thread::park_beside(self, core) {
            Ok(core) => core,
            Err(core) => self.park_for(core, handle, None),
        }
    }

    fn park_for(&self, mut core: Box<Core>, handle: &Handle, end: Option<Duration>) -> Box<Core> {
        let mut driver = core.driver.take().expect("nobody else has the drivers");
        core = self.park_internal(core, handle, &mut driver, end);
        core.driver = Some(driver);
        core
    }

    pub fn park_internal(
        &self,
        core: Box<Core>,
        handle: &Handle,
        driver: &mut Driver,
        timeout: Option<Duration>,
    ) -> Box<Core> {
        let poll_drivers = || {
            driver.park(&handle.driver, timeout);
            self.defer.wake();
        };
        self.enter(core, poll_drivers).0
    }
}

/// A runtime's scheduler.
pub struct CurrentThread {
    slot: CoreSlot,
    pub handle: Arc<Handle>,
}

impl CurrentThread {
    pub fn new(has_io: bool) -> CurrentThread {
        let handle = Arc::new(Handle {
            shared: Shared {
                woken: AtomicBool::new(false),
                owned: Owned::default(),
                config: Config { event_interval: 61 },
            },
            blocking_spawner: Spawner::default(),
            driver: driver::Handle::default(),
            measured: AtomicUsize::new(0),
            queue: Mutex::default(),
            inject: Mutex::default(),
        });
        let core = Box::new(Core {
            driver: Some(Driver { has_io }),
            ticks: 0,
        });
        let slot = one_thread::core_slot(&handle, Some(core));
        CurrentThread { slot, handle }
    }

    pub fn block_on<F: Future>(&self, any: &AnyHandle, future: F) -> F::Output {
        let mut root = pin!(one_thread::Root::new(&self.handle, future));
        context::enter_runtime(any, || match self.slot.take() {
            Some(core) => self.run(core, root),
            // Somebody drives this runtime already.
            None => context::leave_runtime(|| crate::runtime::wait_for(root.as_mut())),
        })
    }

    fn run<F: Future>(&self, core: Box<Core>, mut root: Pin<&mut F>) -> F::Output {
        /// Puts the core back, also in the face of a panic.
        struct Back<'a>(&'a CoreSlot, &'a Context);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                if let Some(core) = self.1.core.take() {
                    self.0.set(core);
                }
            }
        }

        let scheduler = scheduler::Context::CurrentThread(Context {
            handle: self.handle.clone(),
            core: RefCell::new(None),
            defer: Defer::new(),
        });
        let cx = scheduler.expect_current_thread();
        let _back = Back(&self.slot, cx);
        self.handle.shared.woken.store(true, Ordering::Release);
        let waker = Waker::from(self.handle.clone());
        context::set_scheduler(&scheduler, || {
            let mut core = core;
            loop {
                if self.handle.reset_woken() {
                    let polled;
                    (core, polled) = cx.enter(core, || {
                        root.as_mut().poll(&mut task::Context::from_waker(&waker))
                    });
                    if let Poll::Ready(output) = polled {
                        *cx.core.borrow_mut() = Some(core);
                        return output;
                    }
                }
                core.tick();
                let next = core.next_task(&self.handle);
                if next.is_none() && !one_thread::works_on(cx, &core) {
                    self.handle.measured.fetch_add(1, Ordering::Relaxed);
                }
                core = match next {
                    Some(task) => cx.run_owned(task, core),
                    None if cx.has_pending_work(&core) => cx.park_yield(core, &self.handle),
                    None => cx.park(core, &self.handle),
                };
            }
        })
    }
}
