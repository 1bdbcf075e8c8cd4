//! The future of `block_on`, polled by its owner and from inside.

use std::cell::Cell;
use std::future::{self, Future};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::{Log, NoteDrop};
use crate::runtime::scheduler::current_thread::one_thread::root::{self, Root};

/// A scheduler, as far as a root knows it: it can be woken.
#[derive(Default)]
struct Scheduler {
    woken: AtomicUsize,
}

impl Scheduler {
    fn woken(&self) -> usize {
        self.woken.load(Ordering::Relaxed)
    }
}

impl Wake for Scheduler {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::Relaxed);
    }
}

fn scheduler() -> Arc<Scheduler> {
    Arc::new(Scheduler::default())
}

/// Polls as the owner does, with its scheduler's waker.
fn poll_as_owner<F: Future>(
    scheduler: &Arc<Scheduler>,
    root: Pin<&mut Root<Scheduler, F>>,
) -> Poll<F::Output> {
    let waker = Waker::from(scheduler.clone());
    root.poll(&mut Context::from_waker(&waker))
}

/// Polls as a wait inside of the runtime does.
fn poll_from_inside(scheduler: &Arc<Scheduler>) -> bool {
    let waker = Waker::from(scheduler.clone());
    root::poll(scheduler, &mut Context::from_waker(&waker))
}

/// Is pending so many times. Holds references to itself meanwhile.
async fn pending_times(times: &Cell<usize>, log: Log) -> String {
    let text = String::from("output");
    let own: &str = &text;
    while times.get() > 0 {
        times.set(times.get() - 1);
        log.note("polled");
        let mut is_pending = true;
        future::poll_fn(|_| match std::mem::take(&mut is_pending) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
    }
    own.to_owned()
}

#[test]
fn a_wait_inside_polls_what_its_owner_has_polled_before() {
    let (scheduler, log, times) = (scheduler(), Log::default(), Cell::new(3));
    let mut root = pin!(Root::new(&scheduler, pending_times(&times, log.clone())));
    // Nobody finds it before.
    assert!(!poll_from_inside(&scheduler));
    assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
    assert!(poll_from_inside(&scheduler));
    assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
    assert_eq!(log.take(), ["polled"; 3]);
    assert!(!root::take_wake(&scheduler));

    // Done inside: the owner has to take the output, and polls nothing for it.
    assert!(poll_from_inside(&scheduler));
    assert!(root::take_wake(&scheduler));
    assert!(!root::take_wake(&scheduler));
    assert!(!poll_from_inside(&scheduler), "it is done");
    assert!(root::take_wake(&scheduler), "its owner has not come by");
    let output = poll_as_owner(&scheduler, root.as_mut());
    assert_eq!(output, Poll::Ready("output".into()));
    assert!(!poll_from_inside(&scheduler), "the output is taken");
    assert!(!root::take_wake(&scheduler));
}

#[test]
#[should_panic = "polled after it was done"]
fn the_output_is_taken_once() {
    let scheduler = scheduler();
    let mut root = pin!(Root::new(&scheduler, future::ready(1)));
    assert_eq!(poll_as_owner(&scheduler, root.as_mut()), Poll::Ready(1));
    let _ = poll_as_owner(&scheduler, root);
}

#[test]
fn an_output_that_nobody_takes_is_dropped_once() {
    let (scheduler, log) = (scheduler(), Log::default());
    {
        let times = Cell::new(1);
        let output = NoteDrop(log.clone(), "output");
        let future = async {
            pending_times(&times, Log::default()).await;
            output
        };
        let mut root = pin!(Root::new(&scheduler, future));
        assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
        assert!(poll_from_inside(&scheduler));
        assert_eq!(log.take(), [""; 0]);
    }
    assert_eq!(log.take(), ["output"]);
    assert!(!poll_from_inside(&scheduler));
}

/// Calls `f` in each poll, and is done after so many.
struct EachPoll<F> {
    left: usize,
    f: F,
}

impl<F: FnMut() + Unpin> Future for EachPoll<F> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<usize> {
        (self.f)();
        self.left -= 1;
        match self.left {
            0 => Poll::Ready(7),
            _ => Poll::Pending,
        }
    }
}

/// A future that is polled from inside of each of its two polls, made by `make`.
fn check_polled_from_inside<F: Future<Output = usize>>(make: impl FnOnce(Box<dyn FnMut()>) -> F) {
    let scheduler = scheduler();
    let inside = Rc::new(Cell::new(0));
    let (me, count) = (scheduler.clone(), inside.clone());
    let future = make(Box::new(move || {
        assert!(!poll_from_inside(&me));
        assert!(!poll_from_inside(&me));
        count.set(count.get() + 1);
    }));
    let mut root = pin!(Root::new(&scheduler, future));
    assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
    assert_eq!(inside.get(), 1);
    // The wakes that came meanwhile are one.
    assert_eq!(scheduler.woken(), 1);
    assert!(!root::take_wake(&scheduler));
    assert_eq!(poll_as_owner(&scheduler, root), Poll::Ready(7));
    assert_eq!(inside.get(), 2);
}

#[test]
fn what_is_being_polled_is_not_polled_again_and_its_owner_is_woken() {
    // Also of a future that may be moved, of which the compiler assumes more.
    check_polled_from_inside(|f| EachPoll { left: 2, f });
    check_polled_from_inside(|f| async {
        let output = EachPoll { left: 2, f }.await;
        output.min(100)
    });
}

#[test]
fn a_poll_inside_is_not_polled_again_either() {
    let scheduler = scheduler();
    let me = scheduler.clone();
    let mut deep = 0;
    let future = EachPoll {
        left: 3,
        f: move || {
            deep += 1;
            assert!(!poll_from_inside(&me), "polled {deep} deep");
        },
    };
    let mut root = pin!(Root::new(&scheduler, future));
    assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
    assert!(poll_from_inside(&scheduler));
    // The wake that came meanwhile is for whoever comes by next.
    assert!(root::take_wake(&scheduler));
    assert_eq!(poll_as_owner(&scheduler, root), Poll::Ready(7));
}

#[test]
fn a_wake_noted_before_the_output_came_does_not_outlive_it() {
    let scheduler = scheduler();
    let me = scheduler.clone();
    let mut root = pin!(Root::new(
        &scheduler,
        EachPoll {
            left: 1,
            f: move || assert!(!poll_from_inside(&me)),
        }
    ));
    assert_eq!(poll_as_owner(&scheduler, root.as_mut()), Poll::Ready(7));
    assert_eq!(scheduler.woken(), 0);
}

#[test]
fn a_root_that_another_waker_polls_is_not_found() {
    let (scheduler, other) = (scheduler(), scheduler());
    let times = Cell::new(9);
    let mut root = pin!(Root::new(&scheduler, pending_times(&times, Log::default())));
    assert!(poll_as_owner(&other, root.as_mut()).is_pending());
    assert!(!poll_from_inside(&scheduler));
    assert!(!poll_from_inside(&other));
    // Once found, it stays so, whoever polls it.
    assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
    assert!(poll_from_inside(&scheduler));
    assert!(poll_as_owner(&other, root.as_mut()).is_pending());
    assert!(poll_from_inside(&scheduler));
    assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
    assert_eq!(times.get(), 3);
}

#[test]
fn the_innermost_root_of_a_scheduler_is_polled() {
    let (scheduler, other) = (scheduler(), scheduler());
    let (outer, inner, foreign) = (Cell::new(9), Cell::new(9), Cell::new(9));
    let mut first = pin!(Root::new(&scheduler, pending_times(&outer, Log::default())));
    assert!(poll_as_owner(&scheduler, first.as_mut()).is_pending());
    {
        let mut second = pin!(Root::new(&scheduler, pending_times(&inner, Log::default())));
        assert!(poll_as_owner(&scheduler, second.as_mut()).is_pending());
        let mut third = pin!(Root::new(&other, pending_times(&foreign, Log::default())));
        assert!(poll_as_owner(&other, third.as_mut()).is_pending());
        assert!(poll_from_inside(&scheduler));
        assert_eq!((outer.get(), inner.get(), foreign.get()), (8, 7, 8));
    }
    assert!(poll_from_inside(&scheduler));
    assert!(!poll_from_inside(&other));
    assert_eq!((outer.get(), inner.get(), foreign.get()), (7, 7, 8));
}

/// Never done. Calls `f` when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Future for OnDrop<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_future_that_waits_while_it_is_dropped_is_not_polled() {
    let (scheduler, log) = (scheduler(), Log::default());
    let (me, note) = (scheduler.clone(), log.clone());
    {
        let future = OnDrop(move || {
            assert!(!poll_from_inside(&me));
            assert!(!root::take_wake(&me));
            note.note("dropped");
        });
        let mut root = pin!(Root::new(&scheduler, future));
        assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
        assert!(poll_from_inside(&scheduler));
    }
    assert_eq!(log.take(), ["dropped"]);
}

/// Panics in the second poll.
async fn panic_later(log: Log) {
    let _dropped = NoteDrop(log, "unwound");
    pending_times(&Cell::new(1), Log::default()).await;
    panic!("expected");
}

#[test]
fn a_panic_inside_reaches_the_owner_too() {
    let (scheduler, log) = (scheduler(), Log::default());
    let mut root = pin!(Root::new(&scheduler, panic_later(log.clone())));
    assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
    assert!(catch_unwind(|| poll_from_inside(&scheduler)).is_err());
    assert_eq!(log.take(), ["unwound"]);
    assert!(root::take_wake(&scheduler));
    let polled = catch_unwind(AssertUnwindSafe(|| {
        poll_as_owner(&scheduler, root.as_mut())
    }));
    assert!(polled.is_err(), "the owner goes on over a panic");
}

#[test]
fn a_root_dropped_by_its_own_panic_is_not_found() {
    let (scheduler, log) = (scheduler(), Log::default());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut root = pin!(Root::new(&scheduler, panic_later(log.clone())));
        assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
        let _ = poll_as_owner(&scheduler, root.as_mut());
    }));
    assert!(panicked.is_err());
    assert_eq!(log.take(), ["unwound"]);
    assert!(!poll_from_inside(&scheduler));
    assert!(!root::take_wake(&scheduler));
}

#[test]
fn a_root_may_be_dropped_at_any_time() {
    for polls in 0..3 {
        let scheduler = scheduler();
        let times = Cell::new(9);
        let mut root = Box::pin(Root::new(&scheduler, pending_times(&times, Log::default())));
        for _ in 0..polls {
            assert!(poll_as_owner(&scheduler, root.as_mut()).is_pending());
        }
        drop(root);
        assert!(!poll_from_inside(&scheduler));
        assert_eq!(Arc::strong_count(&scheduler), 1);
    }
}
