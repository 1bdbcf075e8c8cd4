//! Channels, locks, tasks and macros.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use behaviour::within;
use tokio::sync::{
    broadcast, mpsc, oneshot, watch, Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore,
};
use tokio::task::{self, JoinSet, LocalSet};

#[tokio::test]
async fn mpsc_keeps_order_and_ends() {
    within(async {
        let (sender, mut receiver) = mpsc::channel(4);
        let producer = tokio::spawn(async move {
            for i in 0..1000 {
                sender.send(i).await.unwrap();
            }
        });
        for i in 0..1000 {
            assert_eq!(receiver.recv().await, Some(i));
        }
        assert_eq!(receiver.recv().await, None);
        producer.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn full_mpsc_waits_and_closed_mpsc_fails() {
    within(async {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.send(1).await.unwrap();
        assert!(sender.try_send(2).is_err());
        let waiting = tokio::spawn({
            let sender = sender.clone();
            async move { sender.send(2).await }
        });
        task::yield_now().await;
        assert_eq!(receiver.recv().await, Some(1));
        waiting.await.unwrap().unwrap();
        receiver.close();
        assert!(sender.send(3).await.is_err());
        assert_eq!(receiver.recv().await, Some(2));
        assert_eq!(receiver.recv().await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unbounded_mpsc_gathers_from_many_tasks() {
    within(async {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        for i in 0..50u64 {
            let sender = sender.clone();
            tokio::spawn(async move {
                for j in 0..20 {
                    sender.send(i * 20 + j).unwrap();
                    task::yield_now().await;
                }
            });
        }
        drop(sender);
        let mut sum = 0;
        while let Some(value) = receiver.recv().await {
            sum += value;
        }
        assert_eq!(sum, (0..1000).sum());
    })
    .await;
}

#[tokio::test]
async fn oneshot_delivers_or_tells_of_the_drop() {
    within(async {
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(async move { sender.send("once").unwrap() });
        assert_eq!(receiver.await.unwrap(), "once");
        let (sender, receiver) = oneshot::channel::<()>();
        drop(sender);
        assert!(receiver.await.is_err());
        let (mut sender, receiver) = oneshot::channel::<()>();
        drop(receiver);
        sender.closed().await;
    })
    .await;
}

#[tokio::test]
async fn broadcast_reaches_all_and_tells_the_slow() {
    within(async {
        let (sender, mut one) = broadcast::channel(2);
        let mut two = sender.subscribe();
        sender.send(1).unwrap();
        assert_eq!(one.recv().await.unwrap(), 1);
        sender.send(2).unwrap();
        sender.send(3).unwrap();
        assert_eq!(one.recv().await.unwrap(), 2);
        assert!(matches!(
            two.recv().await,
            Err(broadcast::error::RecvError::Lagged(1))
        ));
        assert_eq!(two.recv().await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn watch_shows_the_last_value() {
    within(async {
        let (sender, mut receiver) = watch::channel(0);
        let waiter = tokio::spawn(async move {
            receiver.wait_for(|value| *value >= 3).await.unwrap();
            *receiver.borrow()
        });
        for i in 1..=3 {
            sender.send(i).unwrap();
            task::yield_now().await;
        }
        assert_eq!(waiter.await.unwrap(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mutex_excludes() {
    within(async {
        let total = Arc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let total = total.clone();
                tokio::spawn(async move {
                    let mut total = total.lock().await;
                    let before = *total;
                    task::yield_now().await;
                    *total = before + 1;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*total.lock().await, 50);
    })
    .await;
}

#[tokio::test]
async fn rwlock_admits_readers_together() {
    within(async {
        let lock = RwLock::new(1);
        let (a, b) = (lock.read().await, lock.read().await);
        assert_eq!(*a + *b, 2);
        assert!(lock.try_write().is_err());
        drop((a, b));
        *lock.write().await = 5;
        assert_eq!(*lock.read().await, 5);
    })
    .await;
}

#[tokio::test]
async fn semaphore_bounds_what_runs_at_once() {
    within(async {
        let semaphore = Arc::new(Semaphore::new(3));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut set = JoinSet::new();
        for _ in 0..20 {
            let (semaphore, running, most) = (semaphore.clone(), running.clone(), most.clone());
            set.spawn(async move {
                let _permit = semaphore.acquire().await.unwrap();
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
                running.fetch_sub(1, Ordering::SeqCst);
            });
        }
        while let Some(ended) = set.join_next().await {
            ended.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 3);
    })
    .await;
}

#[tokio::test]
async fn notify_wakes_one_or_all() {
    within(async {
        let notify = Arc::new(Notify::new());
        notify.notify_one();
        notify.notified().await;
        let waiters: Vec<_> = (0..5)
            .map(|_| {
                let notify = notify.clone();
                tokio::spawn(async move { notify.notified().await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(5)).await;
        notify.notify_waiters();
        for waiter in waiters {
            waiter.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn barrier_lets_all_go_together() {
    within(async {
        let barrier = Arc::new(Barrier::new(4));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let barrier = barrier.clone();
                tokio::spawn(async move { barrier.wait().await.is_leader() })
            })
            .collect();
        let mut leaders = 0;
        for task in tasks {
            leaders += usize::from(task.await.unwrap());
        }
        assert_eq!(leaders, 1);
    })
    .await;
}

#[tokio::test]
async fn once_cell_is_set_once() {
    within(async {
        let cell = OnceCell::new();
        let first = cell.get_or_init(|| async { 1 }).await;
        assert_eq!(*first, 1);
        assert_eq!(*cell.get_or_init(|| async { 2 }).await, 1);
    })
    .await;
}

#[tokio::test]
async fn aborted_task_is_cancelled_and_dropped() {
    within(async {
        let value = Arc::new(());
        let held = value.clone();
        let task = tokio::spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        task::yield_now().await;
        assert!(!task.is_finished());
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&value), 1);
    })
    .await;
}

#[tokio::test]
async fn join_set_gives_what_ends_first() {
    within(async {
        let mut set = JoinSet::new();
        for length in [60u64, 1, 30] {
            set.spawn(async move {
                tokio::time::sleep(Duration::from_millis(length)).await;
                length
            });
        }
        let mut order = Vec::new();
        while let Some(ended) = set.join_next().await {
            order.push(ended.unwrap());
        }
        assert_eq!(order, [1, 30, 60]);
        set.spawn(std::future::pending());
        set.shutdown().await;
        assert!(set.is_empty());
    })
    .await;
}

#[tokio::test]
async fn local_set_runs_tasks_that_are_not_send() {
    within(async {
        let local = LocalSet::new();
        let got = local
            .run_until(async {
                let value = std::rc::Rc::new(5);
                task::spawn_local(async move {
                    task::yield_now().await;
                    *value
                })
                .await
                .unwrap()
            })
            .await;
        assert_eq!(got, 5);
    })
    .await;
}

#[tokio::test]
async fn task_locals_stay_with_their_task() {
    tokio::task_local! {
        static NUMBER: u32;
    }
    within(async {
        let tasks: Vec<_> = (0..5)
            .map(|i| {
                tokio::spawn(NUMBER.scope(i, async {
                    task::yield_now().await;
                    NUMBER.get()
                }))
            })
            .collect();
        for (i, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), i as u32);
        }
        assert!(NUMBER.try_with(|_| ()).is_err());
    })
    .await;
}

#[tokio::test]
async fn task_ids_differ() {
    within(async {
        let one = tokio::spawn(async { task::id() });
        let two = tokio::spawn(async { task::id() });
        let (a, b) = (one.id(), two.id());
        assert_eq!(one.await.unwrap(), a);
        assert_eq!(two.await.unwrap(), b);
        assert_ne!(a, b);
    })
    .await;
}

#[tokio::test]
async fn select_takes_the_first_and_drops_the_others() {
    within(async {
        let value = Arc::new(());
        let held = value.clone();
        let slow = async move {
            let _held = held;
            std::future::pending::<u32>().await
        };
        let got = tokio::select! {
            got = slow => got,
            () = tokio::time::sleep(Duration::from_millis(5)) => 2,
        };
        assert_eq!(got, 2);
        assert_eq!(Arc::strong_count(&value), 1);
        let got = tokio::select! {
            biased;
            _ = std::future::ready(()) => "first",
            _ = std::future::ready(()) => "second",
        };
        assert_eq!(got, "first");
        let (_sender, mut receiver) = mpsc::channel::<u32>(1);
        let got = tokio::select! {
            Some(_) = receiver.recv(), if false => "never",
            else => "else",
        };
        assert_eq!(got, "else");
    })
    .await;
}

#[tokio::test]
async fn join_and_try_join_gather() {
    within(async {
        let (a, b, c) = tokio::join!(async { 1 }, async { "b" }, task::yield_now());
        assert_eq!((a, b, c), (1, "b", ()));
        let good: Result<(u8, u8), &str> = tokio::try_join!(async { Ok(1) }, async { Ok(2) });
        assert_eq!(good, Ok((1, 2)));
        let bad: Result<(u8, ()), &str> = tokio::try_join!(
            async { Err("failed") },
            std::future::pending::<Result<(), _>>()
        );
        assert_eq!(bad, Err("failed"));
    })
    .await;
}

#[tokio::test]
async fn pinned_future_is_polled_by_hand() {
    within(async {
        let future = async {
            task::yield_now().await;
            3
        };
        tokio::pin!(future);
        let mut polls = 0;
        let got = std::future::poll_fn(|cx| {
            polls += 1;
            future.as_mut().poll(cx)
        })
        .await;
        assert_eq!(got, 3);
        assert!(polls >= 2);
    })
    .await;
}

#[tokio::test]
async fn yielding_tasks_take_turns() {
    within(async {
        let log = Arc::new(std::sync::Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..3)
            .map(|id| {
                let log = log.clone();
                tokio::spawn(async move {
                    for _ in 0..100 {
                        log.lock().unwrap().push(id);
                        task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let log = log.lock().unwrap();
        // On one thread a task that yields goes behind those that are ready.
        for turn in log.chunks(3) {
            let mut turn = turn.to_vec();
            turn.sort_unstable();
            assert_eq!(turn, [0, 1, 2]);
        }
    })
    .await;
}

#[tokio::test]
async fn busy_channel_does_not_starve_other_tasks() {
    within(async {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let busy = tokio::spawn(async move {
            // Always something to receive: only the task budget stops it.
            loop {
                sender.send(()).unwrap();
                receiver.recv().await.unwrap();
            }
        });
        for _ in 0..50 {
            task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        busy.abort();
        assert!(busy.await.unwrap_err().is_cancelled());
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_tasks_run() {
    within(async {
        let mut set = JoinSet::new();
        for i in 0..10_000u64 {
            set.spawn(async move { i });
        }
        let mut sum = 0;
        while let Some(ended) = set.join_next().await {
            sum += ended.unwrap();
        }
        assert_eq!(sum, (0..10_000).sum());
    })
    .await;
}

// A guest cannot unwind: a panic ends the whole program there.
#[cfg(not(target_os = "wasi"))]
#[tokio::test]
async fn panic_of_a_task_is_its_handles_error() {
    within(async {
        let error = tokio::spawn(async { panic!("told") }).await.unwrap_err();
        assert!(error.is_panic());
    })
    .await;
}
