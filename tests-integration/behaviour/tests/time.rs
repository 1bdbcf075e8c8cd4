//! Sleeping, timeouts, intervals.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use behaviour::{tcp_pair, within, Random};
use tokio::io::AsyncReadExt;
use tokio::time::{
    interval, interval_at, sleep, sleep_until, timeout, timeout_at, Instant, MissedTickBehavior,
};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test]
async fn sleep_takes_its_time_and_not_much_more() {
    for length in [1, 10, 50, 120] {
        let start = Instant::now();
        sleep(ms(length)).await;
        let took = start.elapsed();
        assert!(took >= ms(length), "{length} ms took {took:?}");
        assert!(took < ms(length + 500), "{length} ms took {took:?}");
    }
}

#[tokio::test]
async fn sleep_of_nothing_ends_at_once() {
    within(async {
        sleep(Duration::ZERO).await;
        sleep_until(Instant::now() - ms(5)).await;
        sleep(Duration::from_nanos(1)).await;
    })
    .await;
}

#[tokio::test]
async fn sleep_for_ever_does_not_end_early() {
    for length in [Duration::MAX, Duration::from_secs(u32::MAX as u64)] {
        assert!(timeout(ms(20), sleep(length)).await.is_err());
    }
}

#[tokio::test]
async fn timeout_lets_a_quick_future_through() {
    assert_eq!(timeout(ms(500), async { 3 }).await.unwrap(), 3);
    assert_eq!(timeout(Duration::MAX, async { 4 }).await.unwrap(), 4);
}

#[tokio::test]
async fn timeout_ends_a_slow_future() {
    let start = Instant::now();
    let never = std::future::pending::<()>();
    assert!(timeout(ms(30), never).await.is_err());
    assert!(start.elapsed() >= ms(30));
    let never = std::future::pending::<()>();
    assert!(timeout_at(start, never).await.is_err());
}

#[tokio::test]
async fn timeouts_nest() {
    let outer = timeout(ms(20), timeout(ms(500), std::future::pending::<()>())).await;
    assert!(outer.is_err());
    let inner = timeout(ms(500), timeout(ms(20), std::future::pending::<()>())).await;
    assert!(inner.unwrap().is_err());
}

#[tokio::test]
async fn sleepers_wake_in_the_order_of_their_deadlines() {
    within(async {
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = [60u64, 20, 40, 0, 80]
            .into_iter()
            .map(|length| {
                let order = order.clone();
                tokio::spawn(async move {
                    sleep(ms(length)).await;
                    order.lock().unwrap().push(length);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 20, 40, 60, 80]);
    })
    .await;
}

#[tokio::test]
async fn many_timers_all_fire() {
    within(async {
        let mut random = Random::new(14);
        let start = Instant::now();
        let timers = (0..3_000).map(|_| sleep(ms(random.below(200) as u64)));
        futures::future::join_all(timers).await;
        assert!(start.elapsed() >= ms(190));
    })
    .await;
}

#[tokio::test]
async fn interval_ticks_at_its_pace() {
    within(async {
        let start = Instant::now();
        let mut ticks = interval(ms(10));
        for _ in 0..6 {
            ticks.tick().await;
        }
        // The first tick is at once.
        assert!(start.elapsed() >= ms(50));
        let mut later = interval_at(Instant::now() + ms(30), ms(1000));
        let start = Instant::now();
        later.tick().await;
        assert!(start.elapsed() >= ms(29));
    })
    .await;
}

#[tokio::test]
async fn timer_fires_while_a_socket_is_quiet() {
    within(async {
        let (mut near, _far) = tcp_pair().await;
        let mut byte = [0; 1];
        let mut fired = 0;
        let mut ticks = interval(ms(5));
        while fired < 20 {
            tokio::select! {
                read = near.read(&mut byte) => panic!("read {read:?} from a quiet socket"),
                _ = ticks.tick() => fired += 1,
            }
        }
    })
    .await;
}

#[tokio::test]
async fn timer_fires_while_tasks_keep_yielding() {
    within(async {
        let busy = tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        let start = Instant::now();
        sleep(ms(30)).await;
        assert!(start.elapsed() < ms(1000));
        busy.abort();
    })
    .await;
}

#[tokio::test]
async fn sleep_can_be_reset() {
    within(async {
        let start = Instant::now();
        let timer = sleep(Duration::from_secs(3600));
        tokio::pin!(timer);
        assert!(!timer.is_elapsed());
        timer.as_mut().reset(Instant::now() + ms(20));
        timer.as_mut().await;
        assert!(timer.is_elapsed());
        assert!(start.elapsed() >= ms(20));
    })
    .await;
}

#[tokio::test]
async fn dropped_timers_do_not_wake_anyone() {
    within(async {
        for _ in 0..1000 {
            drop(sleep(ms(1)));
            let _ = timeout(ms(5), async {}).await;
        }
        sleep(ms(10)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn paused_clock_jumps_over_sleeps() {
    let real = std::time::Instant::now();
    let start = Instant::now();
    sleep(Duration::from_secs(3600)).await;
    assert!(start.elapsed() >= Duration::from_secs(3600));
    assert!(real.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn paused_clock_moves_when_told() {
    let start = Instant::now();
    let task = tokio::spawn(async move {
        sleep(ms(1500)).await;
        start.elapsed()
    });
    tokio::task::yield_now().await;
    tokio::time::advance(ms(1000)).await;
    assert!(!task.is_finished());
    tokio::time::advance(ms(600)).await;
    assert!(task.await.unwrap() >= ms(1500));
}

#[tokio::test(start_paused = true)]
async fn missed_ticks_come_as_asked() {
    let mut burst = interval(ms(10));
    burst.tick().await;
    let mut delay = interval(ms(10));
    delay.set_missed_tick_behavior(MissedTickBehavior::Delay);
    delay.tick().await;
    let mut skip = interval(ms(10));
    skip.set_missed_tick_behavior(MissedTickBehavior::Skip);
    skip.tick().await;
    tokio::time::advance(ms(35)).await;
    let now = Instant::now();
    for _ in 0..3 {
        burst.tick().await;
    }
    assert_eq!(Instant::now(), now);
    delay.tick().await;
    assert_eq!(Instant::now(), now);
    skip.tick().await;
    assert_eq!(Instant::now(), now);
    skip.tick().await;
    // The fourth multiple of 10 ms comes 5 ms later; timers count whole ms.
    assert!(now.elapsed() >= ms(4) && now.elapsed() <= ms(7));
    delay.tick().await;
    assert!(now.elapsed() >= ms(10));
}

#[tokio::test]
async fn clock_never_goes_back() {
    let mut last = Instant::now();
    for _ in 0..10_000 {
        let now = Instant::now();
        assert!(now >= last);
        last = now;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn timers_work_on_any_flavor() {
    within(async {
        let tasks: Vec<_> = (0..50)
            .map(|i| tokio::spawn(async move { sleep(ms(i % 20)).await }))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    })
    .await;
}
