//! No wake-up is lost, and none is needed twice.

use std::sync::Arc;
use std::time::Duration;

use behaviour::{tcp_pair, within, Random};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, Notify};
use tokio::time::timeout;

#[tokio::test]
async fn ping_pong_across_tasks_and_sockets() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let (to_writer, mut orders) = mpsc::channel::<u32>(1);
        let (to_main, mut answers) = mpsc::channel::<u32>(1);
        let (near_done, far_done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        tokio::spawn(async move {
            while let Some(value) = orders.recv().await {
                near.write_u32(value).await.unwrap();
                let back = near.read_u32().await.unwrap();
                to_main.send(back).await.unwrap();
            }
            near_done.notify_one();
        });
        tokio::spawn(async move {
            while let Ok(value) = far.read_u32().await {
                far.write_u32(value + 1).await.unwrap();
            }
            far_done.notify_one();
        });
        for i in 0..2000 {
            to_writer.send(i).await.unwrap();
            assert_eq!(answers.recv().await, Some(i + 1));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ping_pong_on_any_flavor() {
    within(async {
        let pairs: Vec<_> = (0..10)
            .map(|_| {
                tokio::spawn(async {
                    let (mut near, mut far) = tcp_pair().await;
                    let echo = tokio::spawn(async move {
                        while let Ok(value) = far.read_u32().await {
                            far.write_u32(value).await.unwrap();
                        }
                    });
                    for i in 0..100 {
                        near.write_u32(i).await.unwrap();
                        assert_eq!(near.read_u32().await.unwrap(), i);
                    }
                    drop(near);
                    echo.await.unwrap();
                })
            })
            .collect();
        for pair in pairs {
            pair.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn reader_and_writer_of_one_socket_wake_apart() {
    within(async {
        let (near, far) = tcp_pair().await;
        let (mut near_reader, mut near_writer) = near.into_split();
        let (mut far_reader, mut far_writer) = far.into_split();
        // The writer is stuck on a full buffer...
        let writer = tokio::spawn(async move {
            near_writer.write_all(&vec![1; 8 << 20]).await.unwrap();
            near_writer
        });
        tokio::time::sleep(Duration::from_millis(30)).await;
        // ...while the reader of the same socket is served.
        for i in 0..50u8 {
            far_writer.write_u8(i).await.unwrap();
            assert_eq!(near_reader.read_u8().await.unwrap(), i);
        }
        assert!(!writer.is_finished());
        let mut block = vec![0; 1 << 16];
        let mut total = 0;
        while total < 8 << 20 {
            total += far_reader.read(&mut block).await.unwrap();
        }
        writer.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn waiting_for_both_directions_wakes_for_either() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        // Fill the buffer, so that only reading can be ready.
        loop {
            near.writable().await.unwrap();
            if near.try_write(&[0; 65536]).is_err()
                && timeout(Duration::from_millis(50), near.writable())
                    .await
                    .is_err()
            {
                break;
            }
        }
        let both = Interest::READABLE | Interest::WRITABLE;
        assert!(timeout(Duration::from_millis(30), near.ready(both))
            .await
            .is_err());
        far.write_u8(1).await.unwrap();
        let ready = near.ready(both).await.unwrap();
        assert!(ready.is_readable() && !ready.is_writable());
        assert_eq!(near.try_read(&mut [0; 8]).unwrap(), 1);
        let drain = tokio::spawn(async move {
            let mut block = vec![0; 1 << 16];
            while far.read(&mut block).await.unwrap() > 0 {}
        });
        // A read that did not block leaves the stream marked readable.
        near.writable().await.unwrap();
        drop(near);
        drain.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn data_that_comes_between_two_reads_is_seen() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let mut random = Random::new(17);
        for _ in 0..300 {
            let size = 1 + random.below(200);
            far.write_all(&random.bytes(size)).await.unwrap();
            if random.below(2) == 0 {
                tokio::task::yield_now().await;
            }
            let mut left = size;
            while left > 0 {
                let mut block = vec![0; 1 + random.below(64)];
                let most = block.len().min(left);
                left -= near.read(&mut block[..most]).await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn changing_the_waiting_task_moves_the_wake_up() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let near = Arc::new(near);
        let first = tokio::spawn({
            let near = near.clone();
            async move { near.readable().await }
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        first.abort();
        let _ = first.await;
        let second = tokio::spawn({
            let near = near.clone();
            async move { near.readable().await }
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        far.write_u8(1).await.unwrap();
        second.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn all_who_wait_for_readable_wake() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let near = Arc::new(near);
        let waiters: Vec<_> = (0..8)
            .map(|_| {
                let near = near.clone();
                tokio::spawn(async move { near.readable().await.unwrap() })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(10)).await;
        far.write_u8(1).await.unwrap();
        for waiter in waiters {
            waiter.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn task_woken_from_another_task_runs_while_io_is_quiet() {
    within(async {
        let (mut near, _far) = tcp_pair().await;
        let quiet = tokio::spawn(async move { near.read(&mut [0; 1]).await });
        let notify = Arc::new(Notify::new());
        for _ in 0..200 {
            let other = notify.clone();
            let waker = tokio::spawn(async move {
                tokio::task::yield_now().await;
                other.notify_one();
            });
            notify.notified().await;
            waker.await.unwrap();
        }
        assert!(!quiet.is_finished());
        quiet.abort();
    })
    .await;
}

#[tokio::test]
async fn short_reads_at_every_size_wake_again() {
    within(async {
        for capacity in [1, 2, 7, 63, 64, 65, 1024] {
            let (mut near, mut far) = tcp_pair().await;
            let echo = tokio::spawn(async move {
                let mut block = vec![0; capacity];
                loop {
                    let n = far.read(&mut block).await.unwrap();
                    if n == 0 {
                        break;
                    }
                    far.write_all(&block[..n]).await.unwrap();
                }
            });
            for size in [1, capacity, capacity + 1, 2 * capacity] {
                let data = Random::new(size as u64).bytes(size);
                near.write_all(&data).await.unwrap();
                let mut got = vec![0; size];
                near.read_exact(&mut got).await.unwrap();
                assert!(got == data);
            }
            drop(near);
            echo.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn streams_and_datagrams_wake_side_by_side() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = a.local_addr().unwrap();
        let (mut streams, mut datagrams) = (0, 0);
        for i in 0..200 {
            if i % 3 == 0 {
                b.send_to(&[1], to).await.unwrap();
            } else {
                far.write_u8(2).await.unwrap();
            }
            let (mut one, mut two) = ([0; 1], [0; 1]);
            tokio::select! {
                read = near.read(&mut one) => {
                    assert_eq!(read.unwrap(), 1);
                    streams += 1;
                }
                received = a.recv(&mut two) => {
                    assert_eq!(received.unwrap(), 1);
                    datagrams += 1;
                }
            }
        }
        assert_eq!((datagrams, streams), (67, 133));
    })
    .await;
}

#[tokio::test]
async fn busy_socket_does_not_starve_another() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let flood = tokio::spawn(async move {
            let block = vec![0; 1 << 16];
            while near.write_all(&block).await.is_ok() {}
        });
        let drain = tokio::spawn(async move {
            let mut block = vec![0; 1 << 16];
            while far.read(&mut block).await.is_ok_and(|n| n > 0) {}
        });
        let (mut near, mut far) = tcp_pair().await;
        for i in 0..50u8 {
            near.write_u8(i).await.unwrap();
            assert_eq!(far.read_u8().await.unwrap(), i);
        }
        flood.abort();
        drain.abort();
    })
    .await;
}
