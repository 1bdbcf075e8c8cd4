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
use crate::clock;
use crate::runtime::blocking::{self, pool::Spawner};
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
                self.owner.queue.lock().unwrap().push_back(self.clone());
                State::Scheduled
            }
            State::Running => State::RunningAgain,
            state => state,
        };
    }
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
    pub timers: Mutex<Vec<(Duration, Waker)>>,
    /// How many stretches of work were measured.
    pub measured: AtomicUsize,
    queue: Mutex<VecDeque<Arc<Notified>>>,
}

impl Wake for Handle {
    fn wake(self: Arc<Self>) {
        self.shared.woken.store(true, Ordering::Release);
    }
}

impl Handle {
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
    }

    /// When the first timer is due.
    fn next_timer(&self) -> Option<Duration> {
        let timers = self.timers.lock().unwrap();
        timers.iter().map(|(end, _)| *end).min()
    }

    fn fire_timers(&self) {
        let now = clock::now();
        let mut timers = self.timers.lock().unwrap();
        let (due, later) = timers.drain(..).partition(|(end, _)| *end <= now);
        *timers = later;
        drop(timers);
        let due: Vec<(Duration, Waker)> = due;
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

// ===== the scheduler's own half =====

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

/// How often drivers of this thread were polled.
pub fn polls() -> usize {
    POLLS.get()
}

/// Fires the timers, and waits for them. Nothing can be driven meanwhile.
pub struct Driver(());

impl Driver {
    fn park(&mut self, handle: &Handle, timeout: Option<Duration>) {
        POLLS.set(POLLS.get() + 1);
        let end = timeout.map(|timeout| clock::now() + timeout);
        let next = handle.next_timer();
        let until = end.into_iter().chain(next).min();
        clock::advance_to(until.expect("nothing would ever end this wait"));
        handle.fire_timers();
    }
}

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
        handle.queue.lock().unwrap().pop_front()
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
        blocking::one_thread::is_waiting(&self.handle.blocking_spawner)
            || !self.handle.queue.lock().unwrap().is_empty()
            || !self.defer.is_empty()
            || self.handle.shared.woken.load(Ordering::Acquire)
    }

    pub fn park_yield(&self, core: Box<Core>, handle: &Handle) -> Box<Core> {
        let core = one_thread::before_yield(self, core);
        self.park_for(core, handle, Some(Duration::ZERO))
    }

    pub fn park(&self, core: Box<Core>, handle: &Handle) -> Box<Core> {
        match one_thread::park_beside(self, core, None) {
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
            driver.park(handle, timeout);
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
    pub fn new() -> CurrentThread {
        let handle = Arc::new(Handle {
            shared: Shared {
                woken: AtomicBool::new(false),
                owned: Owned::default(),
                config: Config { event_interval: 61 },
            },
            blocking_spawner: Spawner::default(),
            timers: Mutex::new(Vec::new()),
            measured: AtomicUsize::new(0),
            queue: Mutex::new(VecDeque::new()),
        });
        let core = Box::new(Core {
            driver: Some(Driver(())),
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
