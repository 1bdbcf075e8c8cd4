//! Blocking code that waits for async code: what natively other threads make
//! possible, one thread makes possible by driving the runtime meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::{Duration, Instant};

use behaviour::{tcp_pair, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, oneshot, Mutex};
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::{sleep, timeout};

#[tokio::test(flavor = "multi_thread")]
async fn block_in_place_may_block_on_a_future() {
    within(async {
        let answer = block_in_place(|| {
            Handle::current().block_on(async {
                sleep(Duration::from_millis(10)).await;
                42
            })
        });
        assert_eq!(answer, 42);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn task_in_place_waits_for_what_the_main_future_sends() {
    within(async {
        let (send, receive) = oneshot::channel();
        let waiting = tokio::spawn(async move { block_in_place(|| receive.blocking_recv()) });
        sleep(Duration::from_millis(10)).await;
        send.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(7));
    })
    .await;
}

#[tokio::test]
async fn closure_receives_what_its_spawner_sends_later() {
    within(async {
        let (send, mut receive) = mpsc::channel(1);
        let closure = spawn_blocking(move || {
            let mut all = Vec::new();
            while let Some(item) = receive.blocking_recv() {
                all.push(item);
            }
            all
        });
        for item in 0..3 {
            sleep(Duration::from_millis(5)).await;
            send.send(item).await.unwrap();
        }
        drop(send);
        assert_eq!(closure.await.unwrap(), [0, 1, 2]);
    })
    .await;
}

#[tokio::test]
async fn closure_sends_more_than_the_channel_holds() {
    within(async {
        let (send, mut receive) = mpsc::channel(1);
        let closure = spawn_blocking(move || {
            for item in 0..5 {
                send.blocking_send(item).unwrap();
            }
        });
        for item in 0..5 {
            sleep(Duration::from_millis(2)).await;
            assert_eq!(receive.recv().await, Some(item));
        }
        closure.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn closure_waits_for_a_lock_that_a_task_holds() {
    within(async {
        let count = Arc::new(Mutex::new(0));
        let held = count.clone().lock_owned().await;
        let closure = {
            let count = count.clone();
            spawn_blocking(move || *count.blocking_lock() += 1)
        };
        sleep(Duration::from_millis(10)).await;
        drop(held);
        closure.await.unwrap();
        assert_eq!(*count.lock().await, 1);
    })
    .await;
}

#[tokio::test]
async fn closure_waits_for_another_closure() {
    within(async {
        let (send, receive) = oneshot::channel();
        let waiting = spawn_blocking(move || receive.blocking_recv());
        let sending = spawn_blocking(move || {
            Handle::current().block_on(sleep(Duration::from_millis(10)));
            send.send(7).unwrap();
        });
        assert_eq!(waiting.await.unwrap(), Ok(7));
        sending.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn timers_and_sockets_go_on_while_a_closure_waits() {
    within(async {
        let ticks = Arc::new(AtomicUsize::new(0));
        let ticking = {
            let ticks = ticks.clone();
            tokio::spawn(async move {
                let mut interval = tokio::time::interval(Duration::from_millis(5));
                loop {
                    interval.tick().await;
                    ticks.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let (mut near, mut far) = tcp_pair().await;
        let echoing = tokio::spawn(async move {
            let mut byte = [0];
            while far.read_exact(&mut byte).await.is_ok() {
                far.write_all(&byte).await.unwrap();
            }
        });
        spawn_blocking(move || {
            Handle::current().block_on(async move {
                for byte in 0..10 {
                    near.write_all(&[byte]).await.unwrap();
                    assert_eq!(near.read_u8().await.unwrap(), byte);
                    sleep(Duration::from_millis(6)).await;
                }
            });
        })
        .await
        .unwrap();
        echoing.await.unwrap();
        ticking.abort();
        assert!(ticks.load(Ordering::Relaxed) >= 5);
    })
    .await;
}

#[tokio::test]
async fn closures_start_in_order_and_an_aborted_one_never_does() {
    within(async {
        // One that runs now keeps the others waiting natively, too: the pool
        // of this runtime has one thread.
        let log = tokio::task::spawn_blocking(|| {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(1)
                .build()
                .unwrap();
            runtime.block_on(async {
                let log = Arc::new(StdMutex::new(Vec::new()));
                let first = spawn_blocking(|| std::thread::sleep(Duration::from_millis(20)));
                let note = |what: &'static str| {
                    let log = log.clone();
                    spawn_blocking(move || log.lock().unwrap().push(what))
                };
                let (a, b, c) = (note("a"), note("b"), note("c"));
                b.abort();
                assert!(b.await.unwrap_err().is_cancelled());
                first.await.unwrap();
                a.await.unwrap();
                c.await.unwrap();
                let log = log.lock().unwrap().clone();
                log
            })
        })
        .await
        .unwrap();
        assert_eq!(log, ["a", "c"]);
    })
    .await;
}

#[tokio::test]
async fn spawning_returns_before_the_closure_runs_to_its_end() {
    within(async {
        let (send, receive) = oneshot::channel::<()>();
        let closure = spawn_blocking(move || receive.blocking_recv());
        assert!(!closure.is_finished());
        send.send(()).unwrap();
        closure.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn closure_may_have_a_runtime_of_its_own() {
    within(async {
        let answer = spawn_blocking(|| {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                sleep(Duration::from_millis(5)).await;
                spawn_blocking(|| 42).await.unwrap()
            })
        })
        .await
        .unwrap();
        assert_eq!(answer, 42);
    })
    .await;
}

#[test]
fn block_on_returns_after_the_waits_that_were_begun_inside_of_it() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (send, receive) = oneshot::channel();
    let closure = runtime.spawn_blocking(move || receive.blocking_recv());
    runtime.block_on(async {
        tokio::spawn(async move {
            sleep(Duration::from_millis(30)).await;
            send.send(7).unwrap();
        });
        sleep(Duration::from_millis(5)).await;
    });
    assert_eq!(runtime.block_on(closure).unwrap(), Ok(7));
}

#[test]
fn handle_blocks_on_a_future_though_nobody_runs_the_runtime() {
    let runtime = Runtime::new().unwrap();
    let slept = runtime.handle().block_on(async {
        let task = tokio::spawn(sleep(Duration::from_millis(5)));
        sleep(Duration::from_millis(5)).await;
        task.await
    });
    slept.unwrap();
}

#[test]
fn tasks_go_on_while_code_outside_of_the_runtime_waits() {
    let runtime = Runtime::new().unwrap();
    let (send, receive) = oneshot::channel();
    runtime.spawn(async move {
        sleep(Duration::from_millis(5)).await;
        send.send(7).unwrap();
    });
    assert_eq!(receive.blocking_recv(), Ok(7));
}

#[test]
fn one_runtime_waits_for_what_another_does() {
    let server = Runtime::new().unwrap();
    let (send, receive) = oneshot::channel();
    let (ask, asked) = oneshot::channel();
    server.spawn(async move {
        let number: u32 = asked.await.unwrap();
        sleep(Duration::from_millis(5)).await;
        send.send(number + 1).unwrap();
    });
    let client = Builder::new_current_thread().enable_all().build().unwrap();
    let answer = client.block_on(async {
        sleep(Duration::from_millis(5)).await;
        ask.send(1).unwrap();
        receive.await.unwrap()
    });
    assert_eq!(answer, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn runtime_in_a_closure_waits_for_a_task_outside() {
    within(async {
        let (send, receive) = oneshot::channel();
        tokio::spawn(async move {
            sleep(Duration::from_millis(20)).await;
            send.send(7).unwrap();
        });
        let answer = spawn_blocking(|| Runtime::new().unwrap().block_on(receive))
            .await
            .unwrap();
        assert_eq!(answer, Ok(7));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_go_on_while_a_closure_sleeps() {
    within(async {
        let ticks = Arc::new(AtomicUsize::new(0));
        let counter = ticks.clone();
        let ticker = tokio::spawn(async move {
            loop {
                sleep(Duration::from_millis(10)).await;
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        let closure = spawn_blocking(|| std::thread::sleep(Duration::from_millis(200)));
        closure.await.unwrap();
        let ticked = ticks.load(Ordering::Relaxed);
        assert!(
            (5..=20).contains(&ticked),
            "{ticked} ticks of 10 ms in 200 ms"
        );
        ticker.abort();
    })
    .await;
}

#[test]
fn tasks_go_on_while_main_sleeps() {
    let runtime = Runtime::new().unwrap();
    let (send, mut receive) = oneshot::channel();
    runtime.spawn(async move {
        sleep(Duration::from_millis(10)).await;
        send.send(7).unwrap();
    });
    let start = std::time::Instant::now();
    std::thread::sleep(Duration::from_millis(100));
    assert!(start.elapsed() >= Duration::from_millis(100));
    assert_eq!(receive.try_recv(), Ok(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn closure_waits_for_a_task_by_yielding_the_thread() {
    within(async {
        let done = Arc::new(AtomicUsize::new(0));
        let setter = done.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(20)).await;
            setter.store(1, Ordering::Relaxed);
        });
        let seen = spawn_blocking(move || {
            while done.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            done.load(Ordering::Relaxed)
        });
        assert_eq!(seen.await.unwrap(), 1);
    })
    .await;
}

#[test]
fn sleeping_takes_as_long_as_asked() {
    let start = std::time::Instant::now();
    std::thread::sleep(Duration::from_millis(30));
    let took = start.elapsed();
    assert!((30..1000).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_executor_in_a_closure_waits_for_tokio() {
    within(async {
        let task = tokio::spawn(async {
            sleep(Duration::from_millis(20)).await;
            7
        });
        let closure = spawn_blocking(|| {
            futures::executor::block_on(async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                task.await
            })
        });
        assert_eq!(closure.await.unwrap().unwrap(), 7);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tasks_go_on_while_a_task_stops_its_thread() {
    within(async {
        let (send, receive) = oneshot::channel();
        tokio::spawn(async {
            sleep(Duration::from_millis(10)).await;
            send.send(std::time::Instant::now()).unwrap();
        });
        let sleeper = tokio::spawn(async {
            std::thread::sleep(Duration::from_millis(200));
            std::time::Instant::now()
        });
        let sent = receive.await.unwrap();
        assert!(sent < sleeper.await.unwrap());
    })
    .await;
}

#[test]
fn block_on_ends_though_a_task_always_waits() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (send, mut receive) = mpsc::channel(1);
        tokio::spawn(async move {
            while receive.recv().await.is_some() {
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        tokio::spawn(async move {
            while send.send(()).await.is_ok() {
                sleep(Duration::from_millis(1)).await;
            }
        });
        sleep(Duration::from_millis(5)).await;
    });
}

#[test]
fn block_on_ends_when_its_future_does_inside_of_block_in_place() {
    let runtime = Runtime::new().unwrap();
    let (send, receive) = oneshot::channel::<()>();
    runtime.block_on(async {
        let task = tokio::spawn(async {
            block_in_place(|| Handle::current().block_on(sleep(Duration::from_millis(20))));
            let _ = send.send(());
            std::future::pending::<()>().await
        });
        sleep(Duration::from_millis(5)).await;
        drop(task);
    });
    assert_eq!(receive.blocking_recv(), Ok(()));
}

#[test]
fn a_timer_of_another_runtime_fires() {
    let other = Runtime::new().unwrap();
    let without_timers = Builder::new_multi_thread().build().unwrap();
    let timer = {
        let _other = other.enter();
        sleep(Duration::from_millis(5))
    };
    without_timers.block_on(timer);
}

#[test]
fn a_closure_waits_for_the_runtime_that_waits_for_it() {
    // The sender is a task of that runtime, or the future of its `block_on`.
    for by_a_task in [true, false] {
        for flavor in [Builder::new_multi_thread, Builder::new_current_thread] {
            let waiting = flavor().enable_all().build().unwrap();
            let other = Runtime::new().unwrap();
            let (sender, receiver) = oneshot::channel();
            let handle = other.handle().clone();
            let closure = other.spawn_blocking(move || {
                handle.block_on(async { timeout(Duration::from_secs(10), receiver).await })
            });
            let send = async move {
                sleep(Duration::from_millis(50)).await;
                sender.send(7).unwrap();
            };
            let received = waiting.block_on(async {
                if by_a_task {
                    tokio::spawn(send);
                } else {
                    send.await;
                }
                closure.await.unwrap()
            });
            assert_eq!(received, Ok(Ok(7)));
        }
    }
}

#[test]
fn idle_runtimes_do_not_hold_up_another_one() {
    const SLEEP: Duration = Duration::from_millis(200);
    let slept_beside = |count| {
        let idle: Vec<Runtime> = (0..count).map(|_| Runtime::new().unwrap()).collect();
        let runtime = Runtime::new().unwrap();
        let start = Instant::now();
        runtime.block_on(async { sleep(SLEEP).await });
        let slept = start.elapsed();
        drop(idle);
        slept
    };
    // Against a wait without them on the same machine, and once more where it is busy.
    let held_up = (0..4).all(|_| slept_beside(12) > 2 * slept_beside(0));
    assert!(!held_up, "twelve idle runtimes double the time of a sleep");
}

/// Sends what comes back, until the peer ends.
async fn echo(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let (mut reader, mut writer) = stream.split();
            tokio::io::copy(&mut reader, &mut writer).await
        });
    }
}

#[test]
fn sockets_of_many_runtimes_are_served_while_one_of_them_waits() {
    let servers: Vec<Runtime> = (0..8).map(|_| Runtime::new().unwrap()).collect();
    let addresses: Vec<_> = servers
        .iter()
        .map(|server| {
            let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let address = listener.local_addr().unwrap();
            server.spawn(echo(listener));
            address
        })
        .collect();
    for flavor in [Builder::new_multi_thread, Builder::new_current_thread] {
        let client = flavor().enable_all().build().unwrap();
        client.block_on(within(async {
            let mut streams = Vec::new();
            for address in &addresses {
                streams.push(TcpStream::connect(address).await.unwrap());
            }
            for round in 0..20 {
                for stream in &mut streams {
                    stream.write_u8(round).await.unwrap();
                }
                for stream in &mut streams {
                    assert_eq!(stream.read_u8().await.unwrap(), round);
                }
            }
        }));
    }
}

#[test]
fn a_socket_may_be_used_by_the_tasks_of_another_runtime() {
    let (one, two) = (Runtime::new().unwrap(), Runtime::new().unwrap());
    let (mut near, far) = one.block_on(tcp_pair());
    let task = two.spawn(async move {
        let mut far = far;
        let byte = far.read_u8().await.unwrap();
        far.write_u8(byte + 1).await.unwrap();
    });
    two.block_on(within(async {
        for _ in 0..3 {
            sleep(Duration::from_millis(2)).await;
        }
        near.write_u8(6).await.unwrap();
        assert_eq!(near.read_u8().await.unwrap(), 7);
        task.await.unwrap();
    }));
}

#[test]
fn a_runtime_without_io_waits_for_the_sockets_of_another() {
    let server = Runtime::new().unwrap();
    let (mut near, mut far) = server.block_on(tcp_pair());
    let answer = server.spawn(async move {
        let byte = far.read_u8().await.unwrap();
        far.write_u8(byte + 1).await.unwrap();
        far
    });
    let waiting = Builder::new_multi_thread().enable_time().build().unwrap();
    let got = waiting.block_on(async {
        sleep(Duration::from_millis(5)).await;
        near.write_u8(6).await.unwrap();
        let got = timeout(Duration::from_secs(10), near.read_u8()).await;
        drop(answer.await);
        got
    });
    assert_eq!(got.unwrap().unwrap(), 7);
}

#[test]
fn a_runtime_in_virtual_time_goes_on_beside_others() {
    let other = Runtime::new().unwrap();
    let ticks = Arc::new(AtomicUsize::new(0));
    let count = ticks.clone();
    other.spawn(async move {
        loop {
            sleep(Duration::from_millis(1)).await;
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let paused = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let start = Instant::now();
    let slept = paused.block_on(async {
        let start = tokio::time::Instant::now();
        sleep(Duration::from_secs(3600)).await;
        start.elapsed()
    });
    // Its own clock is moved by its own timers alone.
    assert_eq!(slept.as_secs(), 3600);
    assert!(start.elapsed() < Duration::from_secs(60));
}
