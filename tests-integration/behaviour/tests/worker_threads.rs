//! rayon, whose workers natively have threads of their own: with one thread, their jobs
//! are run by whoever waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use behaviour::within;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

/// A pool of one's own.
fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

fn count(events: &AtomicUsize) {
    events.fetch_add(1, Ordering::Relaxed);
}

#[tokio::test]
async fn a_spawned_job_answers_a_task() {
    within(async {
        let (send, receive) = oneshot::channel();
        rayon::spawn(move || send.send(7).unwrap());
        assert_eq!(receive.await, Ok(7));
        let (send, receive) = oneshot::channel();
        rayon::spawn_fifo(move || send.send(8).unwrap());
        assert_eq!(receive.await, Ok(8));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_reaches_each_worker_once() {
    within(async {
        let (send, mut receive) = mpsc::unbounded_channel();
        rayon::spawn_broadcast(move |worker| send.send(worker.index()).unwrap());
        let mut seen = Vec::new();
        while let Some(index) = receive.recv().await {
            seen.push(index);
        }
        seen.sort_unstable();
        let all: Vec<usize> = (0..rayon::current_num_threads()).collect();
        assert_eq!(seen, all);
        assert_eq!(pool(4).broadcast(|worker| worker.index()), [0, 1, 2, 3]);
    })
    .await;
}

#[test]
fn a_pool_of_ones_own_has_the_workers_that_it_was_asked_for() {
    let pool = pool(4);
    assert_eq!(pool.current_num_threads(), 4);
    assert_eq!(pool.current_thread_index(), None);
    let (sum, threads, is_worker) = pool.install(|| {
        let sum: u64 = (0..1000u64).into_par_iter().map(|n| n * 2).sum();
        (
            sum,
            rayon::current_num_threads(),
            rayon::current_thread_index().is_some(),
        )
    });
    assert_eq!((sum, threads, is_worker), (999_000, 4, true));
    assert_eq!(pool.join(|| 1, || 2), (1, 2));
}

#[tokio::test]
async fn jobs_of_a_pool_run_though_it_is_dropped() {
    within(async {
        let (send, mut receive) = mpsc::unbounded_channel();
        let pool = pool(2);
        for job in 0..10 {
            let send = send.clone();
            pool.spawn(move || send.send(job).unwrap());
        }
        drop((pool, send));
        let mut done = Vec::new();
        while let Some(job) = receive.recv().await {
            done.push(job);
        }
        done.sort_unstable();
        assert_eq!(done, Vec::from_iter(0..10));
    })
    .await;
}

#[tokio::test]
async fn handlers_are_told_of_each_worker() {
    within(async {
        let (started, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (start, end) = (started.clone(), ended.clone());
        let pool = ThreadPoolBuilder::new()
            .num_threads(3)
            .start_handler(move |_| count(&start))
            .exit_handler(move |_| count(&end))
            .build()
            .unwrap();
        while started.load(Ordering::Relaxed) < 3 {
            sleep(Duration::from_millis(1)).await;
        }
        pool.install(|| ());
        assert_eq!(ended.load(Ordering::Relaxed), 0);
        drop(pool);
        while ended.load(Ordering::Relaxed) < 3 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_scope_ends_after_its_jobs() {
    let (mut one, mut two) = (0, 0);
    rayon::scope(|scope| {
        scope.spawn(|_| one = 1);
        scope.spawn(|_| two = 2);
    });
    assert_eq!((one, two), (1, 2));
    let pool = pool(2);
    let done = AtomicUsize::new(0);
    pool.in_place_scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|scope| {
                scope.spawn(|_| count(&done));
            });
        }
    });
    assert_eq!(done.into_inner(), 10);
}

#[tokio::test]
async fn a_job_does_not_begin_on_the_stack_of_who_spawns_it() {
    within(async {
        let numbers = Arc::new(Mutex::new(Vec::new()));
        let (send, receive) = oneshot::channel();
        {
            // A job that ran here would wait for ever.
            let mut locked = numbers.lock().unwrap();
            let numbers = numbers.clone();
            rayon::spawn(move || {
                numbers.lock().unwrap().push(2);
                send.send(()).unwrap();
            });
            locked.push(1);
        }
        receive.await.unwrap();
        assert_eq!(*numbers.lock().unwrap(), [1, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_job_may_wait_for_tasks_and_for_other_pools() {
    within(async {
        let handle = Handle::current();
        let (send, receive) = oneshot::channel();
        let (ask, asked) = oneshot::channel();
        let (one, two) = (pool(1), pool(1));
        one.spawn(move || {
            let number = handle.block_on(async {
                sleep(Duration::from_millis(5)).await;
                asked.await.unwrap()
            });
            send.send(two.install(|| number + 1)).unwrap();
        });
        sleep(Duration::from_millis(10)).await;
        ask.send(6).unwrap();
        assert_eq!(receive.await, Ok(7));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_that_was_queued_while_its_worker_waited() {
    within(async {
        let (send, receive) = oneshot::channel();
        let (pool, handle) = (pool(1), Handle::current());
        tokio::task::spawn_blocking(move || {
            pool.install(|| {
                rayon::spawn(move || send.send(7).unwrap());
                handle.block_on(async { sleep(Duration::from_millis(5)).await });
            });
        })
        .await
        .unwrap();
        assert_eq!(receive.await, Ok(7));
    })
    .await;
}

#[tokio::test]
async fn many_jobs_that_wait_do_not_pile_up() {
    within(async {
        let pool = pool(2);
        let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (send, mut receive) = mpsc::unbounded_channel();
        for _ in 0..300 {
            let (at_once, most) = (at_once.clone(), most.clone());
            let (handle, send) = (Handle::current(), send.clone());
            pool.spawn(move || {
                let now = at_once.fetch_add(1, Ordering::Relaxed) + 1;
                most.fetch_max(now, Ordering::Relaxed);
                handle.block_on(tokio::task::yield_now());
                handle.block_on(async { sleep(Duration::from_micros(100)).await });
                at_once.fetch_sub(1, Ordering::Relaxed);
                send.send(()).unwrap();
            });
        }
        drop(send);
        let mut done = 0;
        while receive.recv().await.is_some() {
            done += 1;
        }
        assert_eq!(done, 300);
        // There are two workers.
        assert!(most.load(Ordering::Relaxed) <= 2);
    })
    .await;
}

#[test]
fn jobs_run_while_code_outside_of_all_runtimes_waits() {
    let (send, receive) = oneshot::channel();
    rayon::spawn(move || send.send(7).unwrap());
    assert_eq!(receive.blocking_recv(), Ok(7));
    let (send, mut receive) = oneshot::channel();
    rayon::spawn(move || send.send(8).unwrap());
    while receive.try_recv() != Ok(8) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_computes_in_parallel_and_others_see_the_result() {
    within(async {
        let task = tokio::spawn(async {
            let mut numbers: Vec<u32> = (0..10_000).rev().collect();
            numbers.par_sort_unstable();
            numbers
        });
        assert!(task.await.unwrap().is_sorted());
    })
    .await;
}
