//! One runtime: tasks, closures and the future of `block_on` that wait for each other.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::{Log, NoteDrop};
use crate::runtime::{block_in_place, wait_for, wait_until, Handle, Runtime};
use crate::{clock, coalesce};

const MS: Duration = Duration::from_millis(1);

/// Something that happens once, and is waited for.
#[derive(Clone, Default)]
pub struct Event(Rc<Inner>);

#[derive(Default)]
struct Inner {
    happened: Cell<bool>,
    waiting: Cell<Vec<Waker>>,
}

impl Event {
    pub fn happens(&self) {
        self.0.happened.set(true);
        self.0.waiting.take().into_iter().for_each(Waker::wake);
    }

    pub fn has_happened(&self) -> bool {
        self.0.happened.get()
    }

    pub async fn wait(&self) {
        poll_fn(|cx| {
            if self.has_happened() {
                return Poll::Ready(());
            }
            let mut waiting = self.0.waiting.take();
            waiting.push(cx.waker().clone());
            self.0.waiting.set(waiting);
            Poll::Pending
        })
        .await;
    }
}

/// A task that stops its thread until the event happens.
fn spawn_waiting(handle: &Handle, for_what: &Event, then: impl FnOnce() + 'static) {
    let for_what = for_what.clone();
    handle.spawn(async move {
        block_in_place(|| wait_for(for_what.wait()));
        then();
    });
}

#[test]
fn a_task_that_waits_lets_another_one_run() {
    let runtime = Runtime::current_thread();
    let (event, log) = (Event::default(), Log::default());
    let note = log.clone();
    spawn_waiting(runtime.handle(), &event, move || note.note("waited"));
    let (note, happens) = (log.clone(), event.clone());
    let done = runtime.handle().spawn(async move {
        note.note("other");
        happens.happens();
    });
    runtime.block_on(event.wait());
    assert!(done.get());
    assert_eq!(log.take(), ["other", "waited"]);
}

#[test]
fn waits_nest_and_end_from_the_top() {
    let runtime = Runtime::current_thread();
    let log = Log::default();
    let events: Vec<Event> = (0..4).map(|_| Event::default()).collect();
    // Each waits for the next one's event, and has its own happen then.
    for (n, name) in ["first", "second", "third"].into_iter().enumerate() {
        let (note, mine) = (log.clone(), events[n].clone());
        spawn_waiting(runtime.handle(), &events[n + 1], move || {
            note.note(name);
            mine.happens();
        });
    }
    let (note, last) = (log.clone(), events[3].clone());
    runtime.handle().spawn(async move {
        note.note("last");
        last.happens();
    });
    runtime.block_on(events[0].wait());
    assert_eq!(log.take(), ["last", "third", "second", "first"]);
}

#[test]
fn the_future_of_block_on_goes_on_while_a_task_waits() {
    let runtime = Runtime::current_thread();
    let (asked, answered, log) = (Event::default(), Event::default(), Log::default());
    let (ask, note) = (asked.clone(), log.clone());
    let answer = answered.clone();
    runtime.handle().spawn(async move {
        block_in_place(|| {
            ask.happens();
            // Only the future of `block_on` can have it happen.
            wait_for(answer.wait());
            note.note("task");
        });
    });
    let note = log.clone();
    let output = runtime.block_on(async {
        asked.wait().await;
        note.note("root");
        answered.happens();
        "output"
    });
    // It is done inside of the wait, and its owner comes by for the output.
    assert_eq!(output, "output");
    assert_eq!(log.take(), ["root", "task"]);
}

#[test]
fn the_future_of_block_on_goes_on_three_waits_deep() {
    let runtime = Runtime::current_thread();
    let log = Log::default();
    let steps: Vec<Event> = (0..3).map(|_| Event::default()).collect();
    let go: Vec<Event> = (0..3).map(|_| Event::default()).collect();
    for n in 0..3 {
        let (go, step, log) = (go[n].clone(), steps[n].clone(), log.clone());
        runtime.handle().spawn(async move {
            block_in_place(|| {
                step.happens();
                wait_for(go.wait());
            });
            log.note(["first", "second", "third"][n]);
        });
    }
    runtime.block_on(async {
        for (n, step) in steps.iter().enumerate() {
            step.wait().await;
            log.note(["one", "two", "three"][n]);
        }
        // All three lie on each other now: those at the top end first.
        for go in go.iter().rev() {
            go.happens();
        }
    });
    assert_eq!(
        log.take(),
        ["one", "two", "three", "third", "second", "first"]
    );
}

#[test]
fn a_future_of_block_on_that_waits_is_not_polled_from_inside() {
    let runtime = Runtime::current_thread();
    let (event, polls) = (Event::default(), Rc::new(Cell::new(0)));
    let happens = event.clone();
    let waker: Rc<Cell<Option<Waker>>> = Rc::default();
    let wakes = waker.clone();
    runtime.handle().spawn(async move {
        // The wake comes while the future is being polled.
        wakes.take().expect("a waker").wake();
        happens.happens();
    });
    let mut has_waited = false;
    runtime.block_on(poll_fn(|cx| {
        polls.set(polls.get() + 1);
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        waker.set(Some(cx.waker().clone()));
        block_in_place(|| wait_for(event.wait()));
        // Pending, though nobody else will wake it.
        Poll::Pending
    }));
    assert_eq!(polls.get(), 2);
}

#[test]
fn closures_run_one_after_the_other_and_may_wait() {
    let runtime = Runtime::current_thread();
    let (log, event) = (Log::default(), Event::default());
    let handle = runtime.handle();
    let (note, wait) = (log.clone(), event.clone());
    let queued = handle.spawn_blocking(move || {
        note.note("first begins");
        wait_for(wait.wait());
        note.note("first ends");
    });
    queued.unwrap();
    let note = log.clone();
    let queued = handle.spawn_blocking(move || note.note("second"));
    queued.unwrap();
    let (note, happens, sleep) = (log.clone(), event.clone(), handle.sleep(5 * MS));
    handle.spawn(async move {
        sleep.await;
        note.note("timer");
        happens.happens();
    });
    let sent = coalesce::sent();
    runtime.block_on(event.wait());
    assert_eq!(
        log.take(),
        ["first begins", "second", "timer", "first ends"]
    );
    assert_eq!(clock::now(), 5 * MS);
    assert!(coalesce::sent() >= sent + 2, "nothing was sent before them");
}

#[test]
fn closures_that_have_not_begun_end_with_the_runtime() {
    let log = Log::default();
    let runtime = Runtime::current_thread();
    let note = log.clone();
    runtime
        .handle()
        .spawn_blocking(move || note.note("ran"))
        .unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    assert_eq!(log.take(), ["ran"]);
    assert!(handle.spawn_blocking(|| panic!("too late")).is_err());
}

#[test]
fn a_wait_with_nothing_to_do_sleeps_until_a_timer() {
    let runtime = Runtime::current_thread();
    let handle = runtime.handle().clone();
    runtime.block_on(async {
        block_in_place(|| wait_for(handle.sleep(7 * MS)));
    });
    assert_eq!(clock::now(), 7 * MS);
}

#[test]
fn a_task_that_panics_inside_of_a_wait_ends_alone() {
    let runtime = Runtime::current_thread();
    let (event, log) = (Event::default(), Log::default());
    let note = log.clone();
    spawn_waiting(runtime.handle(), &event, move || note.note("waited"));
    let dropped = NoteDrop(log.clone(), "unwound");
    let failed = runtime.handle().spawn(async move {
        let _dropped = dropped;
        block_in_place(|| panic!("expected"));
    });
    let happens = event.clone();
    runtime.handle().spawn(async move { happens.happens() });
    runtime.block_on(event.wait());
    assert!(!failed.get());
    assert_eq!(log.take(), ["unwound", "waited"]);
    // Nothing of it is left behind.
    runtime.block_on(runtime.handle().sleep(MS));
}

#[test]
fn a_root_that_panics_inside_of_a_wait_ends_block_on() {
    let runtime = Runtime::current_thread();
    let begun = Event::default();
    let begins = begun.clone();
    let never = Event::default();
    runtime.handle().spawn(async move {
        block_in_place(|| {
            begins.happens();
            wait_for(never.wait());
        });
    });
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            begun.wait().await;
            panic!("expected");
        });
    }));
    assert!(panicked.is_err());
    // The runtime goes on.
    runtime.block_on(runtime.handle().sleep(MS));
}

#[test]
fn a_task_dropped_while_it_is_polled_is_dropped_once() {
    let log = Log::default();
    {
        let runtime = Rc::new(Runtime::current_thread());
        let dropped = NoteDrop(log.clone(), "task");
        let scheduler = runtime.handle().clone();
        runtime.handle().spawn(async move {
            let _dropped = dropped;
            // All tasks end, this one among them.
            scheduler.inner.as_current_thread().close();
            std::future::pending::<()>().await;
        });
        runtime.block_on(runtime.handle().sleep(MS));
        assert_eq!(log.take(), ["task"]);
    }
    assert_eq!(log.take(), [""; 0]);
}

#[test]
fn a_second_block_on_of_a_runtime_drives_the_first() {
    let runtime = Rc::new(Runtime::current_thread());
    let (outer, log) = (Event::default(), Log::default());
    let (inner, happens, note) = (runtime.clone(), outer.clone(), log.clone());
    runtime.handle().spawn(async move {
        block_in_place(|| {
            let other = Event::default();
            let happens_too = other.clone();
            inner.handle().spawn(async move { happens_too.happens() });
            inner.block_on(async {
                other.wait().await;
                note.note("inner");
            });
            happens.happens();
        });
    });
    let note = log.clone();
    runtime.block_on(async {
        outer.wait().await;
        note.note("outer");
    });
    assert_eq!(log.take(), ["inner", "outer"]);
}

#[test]
fn a_wait_ends_by_what_its_condition_says() {
    let runtime = Runtime::current_thread();
    let done = runtime.handle().spawn(async {});
    runtime.block_on(async {
        block_in_place(|| wait_until(|| done.get()));
    });
    assert!(done.get());
}

#[test]
fn a_busy_runtime_is_measured_seldom_and_its_numbers_grow() {
    let runtime = Runtime::current_thread();
    let yields = Rc::new(Cell::new(0));
    let count = yields.clone();
    runtime.block_on(poll_fn(move |cx| {
        count.set(count.get() + 1);
        cx.waker().wake_by_ref();
        match count.get() {
            1000 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }));
    let handle = runtime.handle().inner.as_current_thread();
    let measured = handle.measured.load(Ordering::Relaxed);
    assert!((25..=35).contains(&measured), "measured {measured} times");
}
