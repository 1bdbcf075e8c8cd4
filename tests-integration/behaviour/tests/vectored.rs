//! Writes of several buffers at once.

use std::io::IoSlice;
use std::time::{Duration, Instant};

use behaviour::{tcp_pair, within, Random};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

#[tokio::test]
async fn buffers_arrive_in_order() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let parts = [
            IoSlice::new(b"one "),
            IoSlice::new(b"two "),
            IoSlice::new(b"three"),
        ];
        assert_eq!(near.write_vectored(&parts).await.unwrap(), 13);
        let mut got = [0; 13];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"one two three");
    })
    .await;
}

#[tokio::test]
async fn streams_and_their_halves_say_that_they_are_vectored() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        assert!(near.is_write_vectored());
        let (_, writer) = far.split();
        assert!(writer.is_write_vectored());
        let (_reader, writer) = near.into_split();
        assert!(writer.is_write_vectored());
    })
    .await;
}

#[tokio::test]
async fn empty_buffers_among_others_are_fine() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let parts = [IoSlice::new(b""), IoSlice::new(b"x"), IoSlice::new(b"")];
        assert_eq!(near.write_vectored(&parts).await.unwrap(), 1);
        assert_eq!(near.write_vectored(&[]).await.unwrap(), 0);
        assert_eq!(near.write_vectored(&[IoSlice::new(b"")]).await.unwrap(), 0);
        assert_eq!(far.read_u8().await.unwrap(), b'x');
    })
    .await;
}

#[tokio::test]
async fn more_buffers_than_the_system_takes_are_written_in_part() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let data = Random::new(9).bytes(5000);
        let mut sent = 0;
        while sent < data.len() {
            let parts: Vec<_> = data[sent..].chunks(1).map(IoSlice::new).collect();
            let n = near.write_vectored(&parts).await.unwrap();
            assert!(n > 0);
            sent += n;
        }
        let mut got = vec![0; data.len()];
        far.read_exact(&mut got).await.unwrap();
        assert!(got == data);
    })
    .await;
}

#[tokio::test]
async fn exactly_as_many_buffers_as_the_system_takes_are_written_at_once() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let data = Random::new(10).bytes(1024);
        let parts: Vec<_> = data.chunks(1).map(IoSlice::new).collect();
        assert_eq!(near.write_vectored(&parts).await.unwrap(), 1024);
        let mut got = vec![0; 1024];
        far.read_exact(&mut got).await.unwrap();
        assert!(got == data);
    })
    .await;
}

#[tokio::test]
async fn large_vectored_write_is_continued() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let data = Random::new(11).bytes(4 << 20);
        let copy = data.clone();
        let writer = tokio::spawn(async move {
            let mut sent = 0;
            while sent < copy.len() {
                let parts: Vec<_> = copy[sent..].chunks(100_000).map(IoSlice::new).collect();
                sent += near.write_vectored(&parts).await.unwrap();
            }
        });
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        writer.await.unwrap();
        assert!(got == data);
    })
    .await;
}

#[tokio::test]
async fn try_write_vectored_and_try_read_vectored_work() {
    within(async {
        let (near, far) = tcp_pair().await;
        near.writable().await.unwrap();
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
        assert_eq!(near.try_write_vectored(&parts).unwrap(), 5);
        let (mut first, mut second) = ([0; 3], [0; 8]);
        let n = far
            .async_io(tokio::io::Interest::READABLE, || {
                far.try_read_vectored(&mut [
                    std::io::IoSliceMut::new(&mut first),
                    std::io::IoSliceMut::new(&mut second),
                ])
            })
            .await
            .unwrap();
        assert_eq!(n, 5);
        assert_eq!(&first, b"abc");
        assert_eq!(&second[..2], b"de");
    })
    .await;
}

#[tokio::test]
async fn head_and_body_sent_together_do_not_stall() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let server = tokio::spawn(async move {
            let mut got = [0; 40];
            for _ in 0..50 {
                far.read_exact(&mut got).await.unwrap();
                let parts = [IoSlice::new(&[1; 100]), IoSlice::new(&[2; 200])];
                assert_eq!(far.write_vectored(&parts).await.unwrap(), 300);
            }
        });
        let start = Instant::now();
        let mut got = [0; 300];
        for _ in 0..50 {
            let parts = [IoSlice::new(&[3; 30]), IoSlice::new(&[4; 10])];
            assert_eq!(near.write_vectored(&parts).await.unwrap(), 40);
            near.read_exact(&mut got).await.unwrap();
        }
        // Sent apart, each round would wait 40 ms for an acknowledgement.
        assert!(start.elapsed() < Duration::from_secs(1));
        server.await.unwrap();
    })
    .await;
}
