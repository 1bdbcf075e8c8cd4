//! Blocking work: on threads natively, between tasks under WasmEdge.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use behaviour::{tcp_pair, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::task::{block_in_place, spawn_blocking};

#[tokio::test]
async fn spawn_blocking_gives_its_result() {
    within(async {
        assert_eq!(spawn_blocking(|| 6 * 7).await.unwrap(), 42);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spawn_blocking_works_on_any_flavor() {
    within(async {
        assert_eq!(spawn_blocking(|| 6 * 7).await.unwrap(), 42);
    })
    .await;
}

#[tokio::test]
async fn blocking_closure_may_sleep() {
    within(async {
        let start = std::time::Instant::now();
        spawn_blocking(|| std::thread::sleep(Duration::from_millis(30)))
            .await
            .unwrap();
        assert!(start.elapsed() >= Duration::from_millis(30));
    })
    .await;
}

#[tokio::test]
async fn many_blocking_closures_all_run() {
    within(async {
        let done = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..300)
            .map(|i| {
                let done = done.clone();
                spawn_blocking(move || {
                    done.fetch_add(1, Ordering::Relaxed);
                    i
                })
            })
            .collect();
        for (i, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), i);
        }
        assert_eq!(done.load(Ordering::Relaxed), 300);
    })
    .await;
}

#[tokio::test]
async fn closure_runs_though_nobody_waits_for_it() {
    within(async {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        drop(spawn_blocking(move || sender.send(5).unwrap()));
        assert_eq!(receiver.await.unwrap(), 5);
    })
    .await;
}

#[tokio::test]
async fn closure_sees_the_runtime() {
    within(async {
        let task = spawn_blocking(|| Handle::current().spawn(async { 8 }))
            .await
            .unwrap();
        assert_eq!(task.await.unwrap(), 8);
    })
    .await;
}

#[tokio::test]
async fn closure_may_start_another() {
    within(async {
        let inner = spawn_blocking(|| spawn_blocking(|| 9)).await.unwrap();
        assert_eq!(inner.await.unwrap(), 9);
    })
    .await;
}

#[tokio::test]
async fn closure_may_send_without_waiting() {
    within(async {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
        let (once, answer) = tokio::sync::oneshot::channel();
        spawn_blocking(move || {
            for i in 0..5 {
                sender.try_send(i).unwrap();
            }
            once.send(6).unwrap();
        })
        .await
        .unwrap();
        for i in 0..5 {
            assert_eq!(receiver.recv().await, Some(i));
        }
        assert_eq!(answer.await.unwrap(), 6);
    })
    .await;
}

#[tokio::test]
async fn closures_take_turns_with_io() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        for i in 0..20u8 {
            let byte = spawn_blocking(move || i).await.unwrap();
            near.write_u8(byte).await.unwrap();
            assert_eq!(far.read_u8().await.unwrap(), i);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn block_in_place_gives_its_result() {
    within(async {
        assert_eq!(block_in_place(|| 3 + 4), 7);
        let task = tokio::spawn(async { block_in_place(|| 5 + 6) });
        assert_eq!(task.await.unwrap(), 11);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn io_goes_on_after_block_in_place() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        block_in_place(|| std::thread::sleep(Duration::from_millis(10)));
        near.write_u8(1).await.unwrap();
        block_in_place(|| ());
        assert_eq!(far.read_u8().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn moved_values_are_dropped() {
    within(async {
        let value = Arc::new(());
        let moved = value.clone();
        spawn_blocking(move || drop(moved)).await.unwrap();
        assert_eq!(Arc::strong_count(&value), 1);
    })
    .await;
}

#[test]
fn handle_spawns_blocking_work_from_outside() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let task = runtime.handle().spawn_blocking(|| 12);
    assert_eq!(runtime.block_on(task).unwrap(), 12);
    let task = runtime.spawn_blocking(|| 13);
    assert_eq!(runtime.block_on(task).unwrap(), 13);
}

#[test]
fn blocking_calls_work_outside_the_runtime() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
    sender.blocking_send(1).unwrap();
    sender.blocking_send(2).unwrap();
    assert_eq!(receiver.blocking_recv(), Some(1));
    let mutex = tokio::sync::Mutex::new(3);
    assert_eq!(*mutex.blocking_lock(), 3);
}

#[tokio::test]
async fn closure_may_wait_for_the_runtime() {
    within(async {
        let handle = Handle::current();
        let got = spawn_blocking(move || handle.block_on(async { 4 })).await;
        assert_eq!(got.unwrap(), 4);
    })
    .await;
}

// A guest cannot unwind: a panic in it ends the program.
#[cfg(not(target_os = "wasi"))]
#[tokio::test]
async fn panic_of_a_closure_is_its_handles_error() {
    within(async {
        let error = spawn_blocking(|| panic!("told")).await.unwrap_err();
        assert!(error.is_panic());
    })
    .await;
}
