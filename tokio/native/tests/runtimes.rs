//! More than one runtime, and waits outside of all of them.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use super::nested::Event;
use super::Log;
use crate::runtime::driver::{polls, waits};
use crate::runtime::scheduler::current_thread::one_thread::{is_in_background, put_in_background};
use crate::runtime::{block_in_place, wait_for, wait_until, yield_now, Runtime};
use crate::{clock, thread};

const MS: Duration = Duration::from_millis(1);

/// Counts once per millisecond, for ever.
fn spawn_ticks(runtime: &Runtime) -> Rc<Cell<usize>> {
    let ticks = Rc::new(Cell::new(0));
    let (count, handle) = (ticks.clone(), runtime.handle().clone());
    runtime.handle().spawn(async move {
        loop {
            handle.sleep(MS).await;
            count.set(count.get() + 1);
        }
    });
    ticks
}

#[test]
fn a_runtime_goes_on_while_another_one_waits_inside_of_its_closure() {
    let outer = Runtime::current_thread();
    let (log, event) = (Log::default(), Event::default());
    let (note, wait) = (log.clone(), event.clone());
    let queued = outer.handle().spawn_blocking(move || {
        let inner = Runtime::current_thread();
        inner.block_on(async {
            // What it waits for only the outer one can do.
            wait.wait().await;
            note.note("inner");
        });
    });
    queued.unwrap();
    let (happens, sleep, note) = (event.clone(), outer.handle().sleep(3 * MS), log.clone());
    outer.handle().spawn(async move {
        sleep.await;
        note.note("outer");
        happens.happens();
    });
    let ended = outer.handle().sleep(20 * MS);
    outer.block_on(async {
        event.wait().await;
        ended.await;
    });
    assert_eq!(log.take(), ["outer", "inner"]);
}

#[test]
fn three_runtimes_lie_on_each_other_and_all_go_on() {
    let outer = Runtime::current_thread();
    let ticks = spawn_ticks(&outer);
    let seen = Rc::new(Cell::new((0, 0)));
    let (see, outer_ticks) = (seen.clone(), ticks.clone());
    let done = Event::default();
    let ends = done.clone();
    let queued = outer.handle().spawn_blocking(move || {
        let middle = Runtime::current_thread();
        let ticks = spawn_ticks(&middle);
        let middle_ticks = ticks.clone();
        middle.block_on(async {
            block_in_place(|| {
                let inner = Runtime::current_thread();
                let sleep = inner.handle().sleep(100 * MS);
                inner.block_on(sleep);
            });
        });
        see.set((outer_ticks.get(), middle_ticks.get()));
        ends.happens();
    });
    queued.unwrap();
    outer.block_on(done.wait());
    let (outer, middle) = seen.get();
    // Natively a hundred each.
    assert!(outer >= 99, "{outer} ticks of the outer runtime");
    assert!(middle >= 99, "{middle} ticks of the middle runtime");
}

#[test]
fn a_closure_of_a_runtime_may_wait_for_the_one_that_waits_for_it() {
    // By one of its tasks, or by the future of its `block_on`.
    for by_a_task in [true, false] {
        for is_multi_thread in [true, false] {
            let waiting = match is_multi_thread {
                true => Runtime::multi_thread(),
                false => Runtime::current_thread(),
            };
            let other = Runtime::multi_thread();
            let (sent, done) = (Event::default(), Event::default());
            let (wait, ends) = (sent.clone(), done.clone());
            let queued = other.handle().spawn_blocking(move || {
                wait_for(wait.wait());
                ends.happens();
            });
            queued.unwrap();
            let (sends, sleep) = (sent.clone(), waiting.handle().sleep(5 * MS));
            let send = async move {
                sleep.await;
                sends.happens();
            };
            if by_a_task {
                waiting.handle().spawn(send);
                waiting.block_on(done.wait());
            } else {
                waiting.block_on(async {
                    send.await;
                    done.wait().await;
                });
            }
        }
    }
}

/// How often drivers are polled, and the thread goes to sleep, in what `f` does.
fn cost(f: impl FnOnce()) -> (usize, usize) {
    let before = (polls(), waits());
    f();
    (polls() - before.0, waits() - before.1)
}

#[test]
fn idle_runtimes_cost_nothing() {
    let costs_beside = |count: usize| {
        let idle: Vec<Runtime> = (0..count).map(|_| Runtime::multi_thread()).collect();
        let runtime = Runtime::multi_thread();
        let other = Runtime::multi_thread();
        // Whatever is due once because they are new.
        runtime.block_on(runtime.handle().sleep(MS));
        thread::sleep(MS);
        let costs = [
            cost(|| runtime.block_on(runtime.handle().sleep(100 * MS))),
            cost(|| thread::sleep(100 * MS)),
            cost(|| {
                runtime.block_on(async {
                    for _ in 0..100 {
                        yield_now().await;
                    }
                });
            }),
            cost(|| runtime.block_on(runtime.handle().readable(100 * MS))),
            // The other one does something now and then.
            cost(|| {
                let (handle, done) = (other.handle().clone(), Event::default());
                let ends = done.clone();
                other.handle().spawn(async move {
                    for _ in 0..10 {
                        handle.sleep(MS).await;
                        handle.readable(MS).await;
                    }
                    ends.happens();
                });
                runtime.block_on(done.wait());
            }),
        ];
        drop(idle);
        costs
    };
    let without = costs_beside(0);
    let [(_, inside), (_, outside), (_, yielding), (_, reading), (_, other)] = without;
    assert_eq!(
        [inside, outside, yielding, reading, other],
        [1, 1, 0, 1, 20]
    );
    for count in [1, 10, 50] {
        assert_eq!(costs_beside(count), without, "beside {count}");
    }
}

#[test]
fn a_runtime_that_has_something_to_do_leaves_others_alone() {
    let (idle, busy) = (Runtime::multi_thread(), Runtime::multi_thread());
    spawn_ticks(&busy);
    let runtime = Runtime::current_thread();
    runtime.block_on(runtime.handle().sleep(MS));
    let before = idle.handle().inner.as_current_thread().driver.polls();
    runtime.block_on(runtime.handle().sleep(100 * MS));
    assert_eq!(
        idle.handle().inner.as_current_thread().driver.polls(),
        before
    );
}

#[test]
fn a_source_of_one_runtime_ends_the_wait_of_another() {
    // Of one that has drivers of its own, of one that has none, and of none at all.
    for waiting in [
        Runtime::multi_thread,
        Runtime::without_io,
        Runtime::current_thread,
    ] {
        let server = Runtime::multi_thread();
        let done = Event::default();
        let (ends, readable) = (done.clone(), server.handle().readable(5 * MS));
        server.handle().spawn(async move {
            readable.await;
            ends.happens();
        });
        let runtime = waiting();
        let start = clock::now();
        runtime.block_on(done.wait());
        assert_eq!(clock::now(), start + 5 * MS);
        let readable = server.handle().readable(5 * MS);
        let done = server.handle().spawn(readable);
        wait_until(|| done.get());
        assert_eq!(clock::now(), start + 10 * MS);
    }
}

#[test]
fn a_timer_is_kept_to_the_millisecond_whoever_waits() {
    let other = Runtime::multi_thread();
    let done = other.handle().spawn(other.handle().sleep(37 * MS));
    let runtime = Runtime::current_thread();
    let (seen, handle) = (Rc::new(Cell::new(Duration::ZERO)), other.handle().clone());
    let see = seen.clone();
    other.handle().spawn(async move {
        handle.sleep(37 * MS).await;
        see.set(clock::now());
    });
    runtime.block_on(runtime.handle().sleep(100 * MS));
    assert!(done.get());
    assert_eq!(seen.get(), 37 * MS);
}

#[test]
fn a_timer_that_another_runtime_sets_is_not_slept_over() {
    let other = Runtime::multi_thread();
    let later = other.handle().spawn(other.handle().sleep(50 * MS));
    for runtime in [Runtime::multi_thread(), Runtime::without_io()] {
        let start = clock::now();
        // In a task of this one, while the other is known to be idle until later.
        let handle = other.handle().clone();
        let mine = runtime.handle().sleep(MS);
        runtime.block_on(async move {
            mine.await;
            handle.sleep(2 * MS).await;
        });
        assert_eq!(clock::now(), start + 3 * MS);
    }
    wait_until(|| later.get());
    assert_eq!(clock::now(), 50 * MS);
}

#[test]
fn a_runtime_that_is_always_busy_holds_up_nobody() {
    let busy = Runtime::multi_thread();
    busy.handle().spawn(async {
        loop {
            // Takes a little, as everything does.
            clock::advance_to(clock::now() + Duration::from_micros(10));
            yield_now().await;
        }
    });
    let other = Runtime::multi_thread();
    let ticks = spawn_ticks(&other);
    let runtime = Runtime::current_thread();
    runtime.block_on(runtime.handle().sleep(100 * MS));
    assert!(clock::now() <= 105 * MS, "{:?}", clock::now());
    assert!(ticks.get() >= 90, "{} ticks", ticks.get());
    let readable = runtime.handle().readable(100 * MS);
    runtime.block_on(readable);
    assert!(clock::now() <= 210 * MS, "{:?}", clock::now());
}

#[test]
fn closures_of_a_runtime_that_nobody_runs_are_run() {
    let other = Runtime::current_thread();
    let runtime = Runtime::current_thread();
    let count = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let count = count.clone();
        let queued = other
            .handle()
            .spawn_blocking(move || count.set(count.get() + 1));
        queued.unwrap();
    }
    runtime.block_on(runtime.handle().sleep(MS));
    assert_eq!(count.get(), 3);
    // Its tasks are not, unless the wait could end only by them.
    let done = other.handle().spawn(other.handle().sleep(MS));
    runtime.block_on(runtime.handle().sleep(10 * MS));
    assert!(!done.get());
    wait_until(|| done.get());
}

#[test]
fn a_multi_thread_runtime_goes_on_though_nobody_runs_it() {
    let background = Runtime::multi_thread();
    assert!(is_in_background(&background.handle().inner));
    let ticks = spawn_ticks(&background);
    let other = Runtime::current_thread();
    assert!(!is_in_background(&other.handle().inner));
    let idle = spawn_ticks(&other);
    // A wait outside of all runtimes ...
    thread::sleep(100 * MS);
    assert!(ticks.get() >= 99, "{} ticks", ticks.get());
    assert_eq!(idle.get(), 0, "natively nobody would run it");
    // ... and one in another.
    let before = ticks.get();
    other.block_on(other.handle().sleep(100 * MS));
    assert!(ticks.get() >= before + 99);
    assert_eq!(clock::now(), 200 * MS);
}

#[test]
fn a_task_that_yields_is_not_lost_by_a_runtime_that_nobody_runs() {
    let background = Runtime::multi_thread();
    let yields = Rc::new(Cell::new(0));
    let count = yields.clone();
    background.handle().spawn(async move {
        for _ in 0..100 {
            yield_now().await;
            count.set(count.get() + 1);
        }
    });
    let other = Runtime::current_thread();
    other.block_on(other.handle().sleep(100 * MS));
    wait_until(|| yields.get() == 100);
}

#[test]
fn a_wait_that_only_a_runtime_can_end_drives_it() {
    let runtime = Runtime::current_thread();
    let sleep = runtime.handle().sleep(3 * MS);
    let done = runtime.handle().spawn(sleep);
    wait_until(|| done.get());
    assert_eq!(clock::now(), 3 * MS);
}

#[test]
fn a_sleep_in_a_task_stops_that_task_alone_if_natively_others_have_threads() {
    for is_multi_thread in [false, true] {
        let runtime = match is_multi_thread {
            true => Runtime::multi_thread(),
            false => Runtime::current_thread(),
        };
        let ticks = spawn_ticks(&runtime);
        let (slept, ticks_seen) = (Event::default(), Rc::new(Cell::new(0)));
        let (sleeps, see, seen) = (slept.clone(), ticks.clone(), ticks_seen.clone());
        runtime.handle().spawn(async move {
            thread::sleep(50 * MS);
            seen.set(see.get());
            sleeps.happens();
        });
        runtime.block_on(slept.wait());
        if is_multi_thread {
            assert!(ticks_seen.get() >= 40, "{} ticks", ticks_seen.get());
        } else {
            assert_eq!(ticks_seen.get(), 0);
        }
    }
}

#[test]
fn no_more_than_so_many_tasks_sleep_on_each_other() {
    let runtime = Runtime::multi_thread();
    let asleep = Rc::new(Cell::new(0usize));
    let most = Rc::new(Cell::new(0usize));
    let mut done = Vec::new();
    for _ in 0..20 {
        let (asleep, most) = (asleep.clone(), most.clone());
        done.push(runtime.handle().spawn(async move {
            asleep.set(asleep.get() + 1);
            most.set(most.get().max(asleep.get()));
            thread::sleep(MS);
            asleep.set(asleep.get() - 1);
        }));
    }
    runtime.block_on(runtime.handle().sleep(100 * MS));
    assert!(done.iter().all(|done| done.get()));
    // Sixteen that drive, and one on top that stops the thread.
    assert_eq!(most.get(), 17);
}

#[test]
fn a_background_runtime_counts_as_one_worker() {
    let (started, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let runtime = Runtime::current_thread();
    let (start, stop) = (started.clone(), stopped.clone());
    put_in_background(
        &runtime.handle().inner,
        Some(&move || {
            start.fetch_add(1, Ordering::Relaxed);
        }),
        Some(Arc::new(move || {
            stop.fetch_add(1, Ordering::Relaxed);
        })),
    );
    assert_eq!(started.load(Ordering::Relaxed), 1);
    assert_eq!(stopped.load(Ordering::Relaxed), 0);
    drop(runtime);
    assert_eq!(stopped.load(Ordering::Relaxed), 1);
}

#[test]
fn a_runtime_that_is_gone_is_not_driven() {
    let kept = Runtime::multi_thread();
    let ticks = spawn_ticks(&kept);
    {
        let gone = Runtime::multi_thread();
        spawn_ticks(&gone);
        gone.block_on(gone.handle().sleep(MS));
    }
    let sleep = kept.handle().sleep(10 * MS);
    wait_for(sleep);
    assert!(ticks.get() >= 5);
}

#[test]
#[should_panic = "nothing to drive"]
fn without_a_runtime_there_is_nothing_to_drive() {
    wait_until(|| false);
}

/// What threads of other libraries would do, and whether it was done.
fn add_work() -> Rc<Cell<bool>> {
    let done = Rc::new(Cell::new(false));
    let set = done.clone();
    thread::add_work(move || set.set(true));
    done
}

#[test]
fn work_of_other_libraries_is_done_while_anybody_waits() {
    let runtime = Runtime::multi_thread();
    // The future of `block_on`, a task, a closure, code outside, and with more runtimes.
    for beside in [None, Some(Runtime::multi_thread())] {
        let done = add_work();
        runtime.block_on(async { yield_now().await });
        assert!(done.get());
        let done = add_work();
        runtime.block_on(runtime.handle().sleep(MS));
        assert!(done.get());
        let (event, ends) = (Event::default(), Event::default());
        let happens = event.clone();
        thread::add_work(move || happens.happens());
        let (wait, end) = (event.clone(), ends.clone());
        let queued = runtime.handle().spawn_blocking(move || {
            wait_for(wait.wait());
            end.happens();
        });
        queued.unwrap();
        runtime.block_on(ends.wait());
        let done = add_work();
        wait_until(|| done.get());
        drop(beside);
    }
    drop(runtime);
    // Without a runtime too.
    let done = add_work();
    wait_until(|| done.get());
}

#[test]
fn work_of_other_libraries_may_wait_for_a_task() {
    let runtime = Runtime::current_thread();
    let (event, ends) = (Event::default(), Event::default());
    let (wait, end) = (event.clone(), ends.clone());
    thread::add_work(move || {
        wait_for(wait.wait());
        end.happens();
    });
    let sleep = runtime.handle().sleep(3 * MS);
    runtime.block_on(async {
        sleep.await;
        event.happens();
        ends.wait().await;
    });
}

#[test]
fn work_of_other_libraries_ends_a_wait_when_its_time_comes() {
    // Somebody waits for it alone: with an I/O driver, without one, with another runtime
    // beside it, in a closure, and outside of all of them.
    for make in [Runtime::multi_thread, Runtime::without_io] {
        for has_other in [false, true] {
            let runtime = make();
            let beside = has_other.then(Runtime::multi_thread);
            let begin = clock::now();
            let event = Event::default();
            let happens = event.clone();
            thread::add_work_after(5 * MS, move || happens.happens());
            runtime.block_on(event.wait());
            assert_eq!(clock::now() - begin, 5 * MS);
            let (event, ends) = (Event::default(), Event::default());
            let (happens, wait, end) = (event.clone(), event.clone(), ends.clone());
            thread::add_work_after(5 * MS, move || happens.happens());
            let queued = runtime.handle().spawn_blocking(move || {
                wait_for(wait.wait());
                end.happens();
            });
            queued.unwrap();
            runtime.block_on(ends.wait());
            assert_eq!(clock::now() - begin, 10 * MS);
            let seen = Rc::new(Cell::new(Duration::ZERO));
            let see = seen.clone();
            thread::add_work_after(5 * MS, move || see.set(clock::now()));
            thread::sleep(20 * MS);
            assert_eq!(seen.get() - begin, 15 * MS);
            assert_eq!(clock::now() - begin, 30 * MS);
            drop(beside);
        }
    }
}
