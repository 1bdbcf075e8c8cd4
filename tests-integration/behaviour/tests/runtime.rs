//! Runtimes of every flavor build and run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use behaviour::{tcp_pair, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

/// One message there and back, so that the runtime's I/O driver is used.
async fn echo_once() {
    let (mut near, mut far) = tcp_pair().await;
    near.write_all(b"hello").await.unwrap();
    let mut got = [0; 5];
    far.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"hello");
}

#[test]
fn plain_main_attribute_runs() {
    #[tokio::main]
    async fn main() -> u32 {
        echo_once().await;
        tokio::spawn(async { 42 }).await.unwrap()
    }
    assert_eq!(main(), 42);
}

#[test]
fn main_attribute_with_worker_threads_runs() {
    #[tokio::main(flavor = "multi_thread", worker_threads = 3)]
    async fn main() -> u32 {
        echo_once().await;
        tokio::spawn(async { 42 }).await.unwrap()
    }
    assert_eq!(main(), 42);
}

#[test]
fn main_attribute_on_the_current_thread_runs() {
    #[tokio::main(flavor = "current_thread")]
    async fn main() -> u32 {
        echo_once().await;
        tokio::spawn(async { 42 }).await.unwrap()
    }
    assert_eq!(main(), 42);
}

#[test]
fn main_attribute_passes_errors_on() {
    #[tokio::main]
    async fn main() -> Result<(), Box<dyn std::error::Error>> {
        "x".parse::<u8>()?;
        Ok(())
    }
    assert!(main().is_err());
}

#[tokio::test]
async fn test_attribute_runs() {
    within(echo_once()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn test_attribute_with_many_threads_runs() {
    within(echo_once()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_attribute_with_worker_threads_runs() {
    within(echo_once()).await;
}

#[test]
fn new_runtime_runs() {
    Runtime::new().unwrap().block_on(within(echo_once()));
}

#[test]
fn built_multi_thread_runtime_runs() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(4)
        .max_blocking_threads(7)
        .thread_name("worker")
        .thread_stack_size(512 * 1024)
        .global_queue_interval(31)
        .event_interval(61)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(within(echo_once()));
}

#[test]
fn built_current_thread_runtime_runs() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(within(echo_once()));
}

#[test]
fn tasks_of_a_multi_thread_runtime_all_finish() {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    runtime.block_on(within(async {
        let tasks: Vec<_> = (0..200)
            .map(|i| {
                let done = done.clone();
                tokio::spawn(async move {
                    tokio::task::yield_now().await;
                    tokio::time::sleep(Duration::from_millis(i % 5)).await;
                    done.fetch_add(1, Ordering::Relaxed);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }));
    assert_eq!(done.load(Ordering::Relaxed), 200);
}

#[test]
fn handle_tells_the_flavor() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let flavor = runtime.block_on(async { Handle::current().runtime_flavor() });
    assert_eq!(flavor, RuntimeFlavor::MultiThread);
    let runtime = Builder::new_current_thread().build().unwrap();
    assert_eq!(
        runtime.handle().runtime_flavor(),
        RuntimeFlavor::CurrentThread
    );
}

#[test]
fn runtime_can_be_entered_again_and_again() {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    for round in 0..5u8 {
        runtime.block_on(within(async {
            let mut near = TcpStream::connect(address).await.unwrap();
            near.write_u8(round).await.unwrap();
            let (mut far, _) = listener.accept().await.unwrap();
            assert_eq!(far.read_u8().await.unwrap(), round);
        }));
    }
}

#[test]
fn spawned_task_goes_on_in_the_next_block_on() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let task = runtime.spawn(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        7
    });
    runtime.block_on(async { tokio::task::yield_now().await });
    assert_eq!(runtime.block_on(within(task)).unwrap(), 7);
}

#[test]
fn runtimes_one_after_another_each_have_their_own_driver() {
    for _ in 0..10 {
        Runtime::new().unwrap().block_on(within(echo_once()));
    }
}

#[test]
fn two_runtimes_do_not_disturb_each_other() {
    let one = Builder::new_current_thread().enable_all().build().unwrap();
    let two = Builder::new_current_thread().enable_all().build().unwrap();
    // Sockets of both are open, with and without data, while the other runs.
    let (mut near1, mut far1) = one.block_on(tcp_pair());
    let (mut near2, mut far2) = two.block_on(tcp_pair());
    for round in 0..20u8 {
        one.block_on(within(async {
            near1.write_u8(round).await.unwrap();
        }));
        two.block_on(within(async {
            near2.write_u8(round).await.unwrap();
            assert_eq!(far2.read_u8().await.unwrap(), round);
        }));
        one.block_on(within(async {
            assert_eq!(far1.read_u8().await.unwrap(), round);
        }));
    }
}

#[test]
fn runtimes_sleep_apart() {
    let one = Builder::new_current_thread().enable_all().build().unwrap();
    let two = Builder::new_current_thread().enable_all().build().unwrap();
    let (near, mut far) = one.block_on(tcp_pair());
    two.block_on(async { tokio::time::sleep(Duration::from_millis(10)).await });
    drop(near);
    two.block_on(async { tokio::time::sleep(Duration::from_millis(10)).await });
    let end = one.block_on(within(async { far.read(&mut [0; 1]).await.unwrap() }));
    assert_eq!(end, 0);
}

#[test]
fn dropping_the_runtime_drops_its_tasks() {
    struct Count(Arc<AtomicUsize>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let runtime = Runtime::new().unwrap();
    for _ in 0..10 {
        let guard = Count(dropped.clone());
        runtime.spawn(async move {
            std::future::pending::<()>().await;
            drop(guard);
        });
    }
    runtime.block_on(tokio::task::yield_now());
    drop(runtime);
    assert_eq!(dropped.load(Ordering::Relaxed), 10);
}

#[test]
fn shutdown_with_a_timeout_returns() {
    let runtime = Runtime::new().unwrap();
    runtime.spawn(std::future::pending::<()>());
    runtime.block_on(within(echo_once()));
    runtime.shutdown_timeout(Duration::from_secs(5));
    let runtime = Runtime::new().unwrap();
    runtime.spawn(std::future::pending::<()>());
    runtime.shutdown_background();
}

#[test]
fn entering_a_handle_allows_spawning() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    let task = tokio::spawn(async { 5 });
    assert_eq!(runtime.block_on(within(task)).unwrap(), 5);
}

#[test]
fn handle_outside_a_runtime_is_an_error() {
    assert!(Handle::try_current().is_err());
}

#[test]
fn sockets_outlive_their_runtime() {
    let runtime = Runtime::new().unwrap();
    let (near, far) = runtime.block_on(tcp_pair());
    drop(runtime);
    drop((near, far));
    Runtime::new().unwrap().block_on(within(echo_once()));
}

#[test]
fn runtime_without_io_still_keeps_time() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let start = std::time::Instant::now();
    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(30)).await });
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn runtime_without_time_still_does_io() {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(echo_once());
}

#[test]
fn metrics_count_live_tasks() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let metrics = runtime.metrics();
    // A guest's runtime is the one thread.
    let workers = if cfg!(target_os = "wasi") { 1 } else { 2 };
    assert_eq!(metrics.num_workers(), workers);
    runtime.block_on(async {
        let task = tokio::spawn(std::future::pending::<()>());
        assert_eq!(metrics.num_alive_tasks(), 1);
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        // The count goes down just after the handle has its answer.
        while metrics.num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn metrics_measure_a_runtime_that_is_never_idle() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let metrics = runtime.metrics();
    let short = async {
        tokio::spawn(tokio::task::yield_now()).await.unwrap();
    };
    runtime.block_on(short);
    let worked = metrics.worker_total_busy_duration(0);
    assert!(worked > Duration::ZERO);

    let start = std::time::Instant::now();
    runtime.block_on(async {
        while metrics.worker_total_busy_duration(0) < worked + Duration::from_millis(20) {
            assert!(start.elapsed() < Duration::from_secs(10), "not measured");
            tokio::task::yield_now().await;
        }
    });
    assert!(metrics.worker_total_busy_duration(0) <= worked + start.elapsed());
}
