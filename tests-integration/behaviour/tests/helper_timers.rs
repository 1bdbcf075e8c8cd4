//! futures-timer, whose timers natively have a thread of their own: with one thread, waits
//! end when one is due.

use std::time::{Duration, Instant};

use behaviour::within;
use futures::executor::block_on;
use futures_timer::Delay;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

const SHORT: Duration = Duration::from_millis(30);
/// Never waited for to its end.
const LONG: Duration = Duration::from_secs(300);

/// Waits for a short time, and says whether it was one.
async fn waits() -> bool {
    let start = Instant::now();
    Delay::new(SHORT).await;
    start.elapsed() >= SHORT
}

#[test]
fn a_delay_ends_without_a_runtime() {
    assert!(block_on(waits()));
}

#[test]
fn a_delay_ends_in_a_runtime_that_has_nothing_else_to_wait_for() {
    let mut builder = Builder::new_current_thread();
    assert!(builder.build().unwrap().block_on(waits()));
    builder.enable_time();
    assert!(builder.build().unwrap().block_on(waits()));
    builder.enable_all();
    assert!(builder.build().unwrap().block_on(waits()));
    assert!(Runtime::new().unwrap().block_on(waits()));
}

#[test]
fn a_delay_of_a_task_ends_while_code_outside_waits() {
    let runtime = Runtime::new().unwrap();
    let task = runtime.spawn(waits());
    let start = Instant::now();
    while !task.is_finished() && start.elapsed() < LONG {
        std::thread::sleep(SHORT);
    }
    assert!(runtime.block_on(task).unwrap());
    let closure = runtime.spawn_blocking(|| block_on(waits()));
    assert!(runtime.block_on(closure).unwrap());
}

#[tokio::test]
async fn the_shorter_one_of_a_delay_and_a_sleep_ends_first() {
    within(async {
        tokio::select! {
            _ = Delay::new(SHORT) => {}
            _ = sleep(LONG) => panic!("the sleep"),
        }
        tokio::select! {
            _ = sleep(SHORT) => {}
            _ = Delay::new(LONG) => panic!("the delay"),
        }
    })
    .await;
}

#[tokio::test]
async fn delays_end_in_order_and_can_be_set_anew() {
    within(async {
        let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
        for n in [3, 1, 2] {
            let send = send.clone();
            tokio::spawn(async move {
                Delay::new(SHORT * n).await;
                send.send(n).unwrap();
            });
        }
        for n in [1, 2, 3] {
            assert_eq!(receive.recv().await, Some(n));
        }
        let mut delay = Delay::new(LONG);
        delay.reset(SHORT);
        (&mut delay).await;
        delay.reset(SHORT);
        delay.await;
    })
    .await;
}

#[tokio::test]
async fn a_delay_ends_though_tasks_never_rest() {
    within(async {
        let busy = tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        assert!(waits().await);
        busy.abort();
    })
    .await;
}
