//! One direction of a connection ends before the other.

use std::time::Duration;

use behaviour::{tcp_pair, within, Random};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

#[tokio::test]
async fn peer_reads_the_end_and_may_still_write() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        near.write_all(b"last words").await.unwrap();
        near.shutdown().await.unwrap();
        let mut got = String::new();
        far.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "last words");
        far.write_all(b"an answer").await.unwrap();
        drop(far);
        let mut got = String::new();
        near.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "an answer");
    })
    .await;
}

#[tokio::test]
async fn end_is_read_again_and_again() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        near.shutdown().await.unwrap();
        for _ in 0..5 {
            assert_eq!(far.read(&mut [0; 4]).await.unwrap(), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn end_wakes_a_waiting_reader() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let reader = tokio::spawn(async move { far.read(&mut [0; 4]).await.unwrap() });
        tokio::time::sleep(Duration::from_millis(20)).await;
        near.shutdown().await.unwrap();
        assert_eq!(reader.await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn both_sides_shut_down_in_turn() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        near.shutdown().await.unwrap();
        assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0);
        far.shutdown().await.unwrap();
        assert_eq!(near.read(&mut [0; 1]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn shutdown_by_an_owned_half_is_seen() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let (mut reader, mut writer) = near.into_split();
        writer.shutdown().await.unwrap();
        assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0);
        far.write_all(b"x").await.unwrap();
        assert_eq!(reader.read_u8().await.unwrap(), b'x');
    })
    .await;
}

#[tokio::test]
async fn data_before_the_end_is_not_lost() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let data = Random::new(7).bytes(2 << 20);
        let copy = data.clone();
        let writer = tokio::spawn(async move {
            near.write_all(&copy).await.unwrap();
            near.shutdown().await.unwrap();
            near
        });
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert!(got == data);
        writer.await.unwrap();
    })
    .await;
}

/// The writer waits for room only, while the peer has ended its own writing.
#[tokio::test]
async fn full_buffer_towards_a_half_closed_peer_waits_then_drains() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let (_reader, mut writer) = near.into_split();
        let data = Random::new(8).bytes(8 << 20);
        let copy = data.clone();
        let writer = tokio::spawn(async move {
            writer.write_all(&copy).await.unwrap();
        });
        tokio::time::sleep(Duration::from_millis(30)).await;
        far.shutdown().await.unwrap();
        // Timers keep time meanwhile: the runtime is neither stuck nor busy.
        let start = std::time::Instant::now();
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(start.elapsed() < Duration::from_secs(2));
        assert!(!writer.is_finished());
        let mut got = vec![0; data.len()];
        far.read_exact(&mut got).await.unwrap();
        writer.await.unwrap();
        assert!(got == data);
    })
    .await;
}

#[tokio::test]
async fn full_buffer_and_read_end_in_one_task() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        far.shutdown().await.unwrap();
        assert_eq!(near.read(&mut [0; 4]).await.unwrap(), 0);
        let data = vec![1; 8 << 20];
        assert!(timeout(Duration::from_millis(100), near.write_all(&data))
            .await
            .is_err());
        let drain = tokio::spawn(async move {
            let mut block = vec![0; 1 << 16];
            let mut total = 0;
            loop {
                match far.read(&mut block).await.unwrap() {
                    0 => return total,
                    n => total += n,
                }
            }
        });
        near.writable().await.unwrap();
        near.write_all(b"end").await.unwrap();
        drop(near);
        assert!(drain.await.unwrap() > 3);
    })
    .await;
}

#[tokio::test]
async fn idle_half_closed_connection_does_not_disturb_others() {
    within(async {
        let (mut quiet, mut quiet_far) = tcp_pair().await;
        quiet_far.shutdown().await.unwrap();
        assert_eq!(quiet.read(&mut [0; 1]).await.unwrap(), 0);
        let (mut near, mut far) = tcp_pair().await;
        for i in 0..50u8 {
            near.write_u8(i).await.unwrap();
            assert_eq!(far.read_u8().await.unwrap(), i);
        }
        quiet.write_u8(1).await.unwrap();
        assert_eq!(quiet_far.read_u8().await.unwrap(), 1);
    })
    .await;
}
