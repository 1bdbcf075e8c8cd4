//! Tasks, closures and timers at random, that wait for what was begun after them.
//!
//! Of what stops its thread a case has either tasks or closures: both are begun in order,
//! but not with each other, and what depends on code below it on the stack cannot end.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::nested::Event;
use crate::runtime::{block_in_place, wait_for, yield_now, Handle, Runtime};

/// Xorshift: the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What of a case may stop its thread.
#[derive(Clone, Copy)]
enum Stops {
    Tasks,
    Closures,
}

struct Case {
    handle: Handle,
    numbers: Numbers,
    /// How many have begun and not ended.
    open: Rc<Cell<i32>>,
    stops: Stops,
}

enum Kind {
    Timer,
    Task,
    TaskThatStops,
    Closure,
    ClosureWithRuntime,
}

/// Begins one thing that has `event` happen sooner or later. It may depend on others, that
/// are begun after it and so lie above it on the stack.
fn begin(case: &mut Case, event: &Event, depth: u32) {
    let Case {
        handle,
        numbers,
        open,
        stops,
    } = case;
    open.set(open.get() + 1);
    let (mine, open_here) = (event.clone(), open.clone());
    let end = move || {
        open_here.set(open_here.get() - 1);
        mine.happens();
    };
    let inner = Event::default();
    let kind = match (depth, numbers.below(4), *stops) {
        (0, ..) => Kind::Timer,
        (_, 0, _) => Kind::Task,
        (_, _, Stops::Tasks) => Kind::TaskThatStops,
        (_, 1, Stops::Closures) => Kind::ClosureWithRuntime,
        (_, _, Stops::Closures) => Kind::Closure,
    };
    let sleep = handle.sleep(Duration::from_millis(numbers.below(20)));
    let wait = inner.clone();
    match kind {
        Kind::Timer => {
            handle.spawn(async move {
                yield_now().await;
                sleep.await;
                end();
            });
            return;
        }
        Kind::Task => {
            handle.spawn(async move {
                wait.wait().await;
                end();
            });
        }
        Kind::TaskThatStops => {
            handle.spawn(async move {
                block_in_place(|| wait_for(wait.wait()));
                end();
            });
        }
        Kind::Closure => {
            let queued = handle.spawn_blocking(move || {
                wait_for(async {
                    sleep.await;
                    wait.wait().await;
                });
                end();
            });
            assert!(queued.is_ok());
        }
        Kind::ClosureWithRuntime => {
            let queued = handle.spawn_blocking(move || {
                let own = Runtime::current_thread();
                own.block_on(wait.wait());
                end();
            });
            assert!(queued.is_ok());
        }
    }
    begin(case, &inner, depth - 1);
}

#[test]
fn everything_that_can_end_does() {
    let cases = if cfg!(miri) { 8 } else { 300 };
    for seed in 1..=cases {
        let mut numbers = Numbers(seed << 32 | 0x9E37_79B9);
        let runtime = match numbers.below(2) {
            0 => Runtime::current_thread(),
            _ => Runtime::multi_thread(),
        };
        let stops = match numbers.below(2) {
            0 => Stops::Tasks,
            _ => Stops::Closures,
        };
        let mut case = Case {
            handle: runtime.handle().clone(),
            numbers,
            open: Rc::default(),
            stops,
        };
        let mut events = Vec::new();
        for _ in 0..=case.numbers.below(4) {
            let event = Event::default();
            let depth = case.numbers.below(5) as u32;
            begin(&mut case, &event, depth);
            events.push(event);
        }
        runtime.block_on(async {
            for event in &events {
                event.wait().await;
            }
        });
        assert_eq!(case.open.get(), 0, "seed {seed}");
    }
}
