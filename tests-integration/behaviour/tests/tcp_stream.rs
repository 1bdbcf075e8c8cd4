//! TCP connections: reading, writing, peeking, splitting.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use behaviour::{closed_port, kind, tcp_pair, within, Random};
use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, Interest, ReadBuf,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

#[tokio::test]
async fn message_goes_there_and_back() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        near.write_all(b"ping").await.unwrap();
        let mut got = [0; 4];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ping");
        far.write_all(b"pong").await.unwrap();
        near.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"pong");
    })
    .await;
}

#[tokio::test]
async fn addresses_of_both_ends_match() {
    within(async {
        let (near, far) = tcp_pair().await;
        assert_eq!(near.local_addr().unwrap(), far.peer_addr().unwrap());
        assert_eq!(near.peer_addr().unwrap(), far.local_addr().unwrap());
        assert_eq!(near.local_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
        assert_ne!(near.local_addr().unwrap().port(), 0);
    })
    .await;
}

#[tokio::test]
async fn fresh_connection_is_writable_at_once() {
    within(async {
        let (near, _far) = tcp_pair().await;
        timeout(Duration::from_secs(2), near.writable())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(near.try_write(b"x").unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn read_on_a_quiet_connection_waits() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let mut byte = [0; 1];
        assert!(timeout(Duration::from_millis(40), near.read(&mut byte))
            .await
            .is_err());
        far.write_all(b"z").await.unwrap();
        assert_eq!(near.read(&mut byte).await.unwrap(), 1);
        assert_eq!(byte, *b"z");
    })
    .await;
}

#[tokio::test]
async fn cancelled_read_loses_nothing() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let writer = tokio::spawn(async move {
            for i in 0..50u8 {
                far.write_all(&[i]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        let mut next = 0;
        while next < 50 {
            let mut byte = [0; 1];
            if let Ok(read) = timeout(Duration::from_micros(700), near.read(&mut byte)).await {
                assert_eq!(read.unwrap(), 1);
                assert_eq!(byte[0], next);
                next += 1;
            }
        }
        writer.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn peek_shows_data_and_leaves_it() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        far.write_all(b"look").await.unwrap();
        let mut got = [0; 8];
        for _ in 0..3 {
            assert_eq!(near.peek(&mut got).await.unwrap(), 4);
            assert_eq!(&got[..4], b"look");
        }
        let mut short = [0; 2];
        assert_eq!(near.peek(&mut short).await.unwrap(), 2);
        assert_eq!(&short, b"lo");
        assert_eq!(near.read(&mut got).await.unwrap(), 4);
        assert_eq!(&got[..4], b"look");
    })
    .await;
}

#[tokio::test]
async fn peek_waits_for_data() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let mut got = [0; 8];
        assert!(timeout(Duration::from_millis(30), near.peek(&mut got))
            .await
            .is_err());
        let writer = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            far.write_all(b"now").await.unwrap();
            far
        });
        assert_eq!(near.peek(&mut got).await.unwrap(), 3);
        writer.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn peek_at_the_end_is_0() {
    within(async {
        let (near, far) = tcp_pair().await;
        drop(far);
        assert_eq!(near.peek(&mut [0; 8]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn poll_peek_fills_the_buffer() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        far.write_all(b"abc").await.unwrap();
        let mut memory = [0; 8];
        let mut buffer = ReadBuf::new(&mut memory);
        let n = poll_fn(|cx| near.poll_peek(cx, &mut buffer)).await.unwrap();
        assert_eq!(n, 3);
        assert_eq!(buffer.filled(), b"abc");
    })
    .await;
}

#[tokio::test]
async fn try_read_without_data_would_block() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let mut got = [0; 8];
        assert_eq!(kind(near.try_read(&mut got)), ErrorKind::WouldBlock);
        far.write_all(b"abc").await.unwrap();
        loop {
            near.readable().await.unwrap();
            match near.try_read(&mut got) {
                Ok(n) => break assert_eq!(&got[..n], b"abc"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        assert_eq!(kind(near.try_read(&mut got)), ErrorKind::WouldBlock);
    })
    .await;
}

#[tokio::test]
async fn try_write_into_a_full_buffer_would_block_until_read() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let block = vec![7; 64 * 1024];
        let mut sent = 0;
        loop {
            near.writable().await.unwrap();
            match near.try_write(&block) {
                Ok(n) => sent += n,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    // Full for good, not just for now: nobody reads.
                    if timeout(Duration::from_millis(100), near.writable())
                        .await
                        .is_err()
                    {
                        break;
                    }
                }
            }
        }
        let reader = tokio::spawn(async move {
            let mut got = vec![0; sent];
            far.read_exact(&mut got).await.unwrap();
            assert!(got.iter().all(|byte| *byte == 7));
            far
        });
        near.writable().await.unwrap();
        reader.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn ready_tells_readable_and_writable_apart() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let ready = near.ready(Interest::WRITABLE).await.unwrap();
        assert!(ready.is_writable());
        assert!(!ready.is_readable());
        assert!(
            timeout(Duration::from_millis(30), near.ready(Interest::READABLE))
                .await
                .is_err()
        );
        far.write_all(b"x").await.unwrap();
        let ready = near.ready(Interest::READABLE).await.unwrap();
        assert!(ready.is_readable());
    })
    .await;
}

#[tokio::test]
async fn ready_for_both_is_ready_with_either() {
    within(async {
        let (near, _far) = tcp_pair().await;
        let ready = near
            .ready(Interest::READABLE | Interest::WRITABLE)
            .await
            .unwrap();
        assert!(ready.is_writable());
    })
    .await;
}

#[tokio::test]
async fn readable_after_the_peer_closed() {
    within(async {
        let (near, far) = tcp_pair().await;
        drop(far);
        near.readable().await.unwrap();
        assert_eq!(near.try_read(&mut [0; 1]).unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn try_io_clears_readiness_when_it_would_block() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        far.write_all(b"x").await.unwrap();
        near.readable().await.unwrap();
        // The closure lies about blocking, so the readiness goes until there
        // is news from the peer.
        let result = near.try_io(Interest::READABLE, || {
            Err::<(), _>(ErrorKind::WouldBlock.into())
        });
        assert_eq!(kind(result), ErrorKind::WouldBlock);
        far.write_all(b"y").await.unwrap();
        near.readable().await.unwrap();
        let mut got = [0; 8];
        let mut n = 0;
        while n < 2 {
            near.readable().await.unwrap();
            match near.try_read(&mut got[n..]) {
                Ok(more) => n += more,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        assert_eq!(&got[..2], b"xy");
    })
    .await;
}

#[tokio::test]
async fn async_io_repeats_until_done() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let writer = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            far.write_all(b"go").await.unwrap();
            far
        });
        let mut got = [0; 8];
        let n = near
            .async_io(Interest::READABLE, || near.try_read(&mut got))
            .await
            .unwrap();
        assert_eq!(&got[..n], b"go");
        writer.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn small_reads_drain_what_arrived_together() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let data = Random::new(1).bytes(1000);
        far.write_all(&data).await.unwrap();
        let mut got = Vec::new();
        while got.len() < data.len() {
            let mut byte = [0; 3];
            let n = near.read(&mut byte).await.unwrap();
            got.extend_from_slice(&byte[..n]);
        }
        assert_eq!(got, data);
    })
    .await;
}

#[tokio::test]
async fn read_to_end_gets_everything() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let data = Random::new(2).bytes(300_000);
        let copy = data.clone();
        let writer = tokio::spawn(async move {
            far.write_all(&copy).await.unwrap();
        });
        let mut got = Vec::new();
        near.read_to_end(&mut got).await.unwrap();
        writer.await.unwrap();
        assert!(got == data);
    })
    .await;
}

#[tokio::test]
async fn read_exact_of_too_little_is_unexpected_eof() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        far.write_all(b"abc").await.unwrap();
        drop(far);
        let result = near.read_exact(&mut [0; 4]).await;
        assert_eq!(kind(result), ErrorKind::UnexpectedEof);
    })
    .await;
}

#[tokio::test]
async fn eight_mebibytes_go_both_ways_at_once() {
    within(async {
        const SIZE: usize = 8 << 20;
        let (near, far) = tcp_pair().await;
        let up = Arc::new(Random::new(3).bytes(SIZE));
        let down = Arc::new(Random::new(4).bytes(SIZE));
        let send = |mut half: tokio::net::tcp::OwnedWriteHalf, data: Arc<Vec<u8>>| {
            tokio::spawn(async move {
                half.write_all(&data).await.unwrap();
                half.shutdown().await.unwrap();
            })
        };
        let receive = |mut half: tokio::net::tcp::OwnedReadHalf, data: Arc<Vec<u8>>| {
            tokio::spawn(async move {
                let mut got = Vec::with_capacity(SIZE);
                half.read_to_end(&mut got).await.unwrap();
                assert!(got == *data, "{} bytes arrived, changed", got.len());
            })
        };
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        let tasks = [
            send(near_write, up.clone()),
            send(far_write, down.clone()),
            receive(far_read, up),
            receive(near_read, down),
        ];
        for task in tasks {
            task.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn slow_reader_gets_everything() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let data = Random::new(5).bytes(1 << 20);
        let copy = data.clone();
        let writer = tokio::spawn(async move { near.write_all(&copy).await.unwrap() });
        let mut got = Vec::new();
        let mut block = vec![0; 50_000];
        loop {
            let n = far.read(&mut block).await.unwrap();
            if n == 0 {
                break;
            }
            got.extend_from_slice(&block[..n]);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        writer.await.unwrap();
        assert!(got == data);
    })
    .await;
}

#[tokio::test]
async fn split_halves_work_in_one_task() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let (mut reader, mut writer) = near.split();
        assert_eq!(reader.peer_addr().unwrap(), writer.peer_addr().unwrap());
        let mut got = [0; 2];
        let (sent, echoed, received) = tokio::join!(
            writer.write_all(b"hi"),
            async {
                let mut got = [0; 2];
                far.read_exact(&mut got).await?;
                far.write_all(&got).await
            },
            reader.read_exact(&mut got)
        );
        sent.unwrap();
        echoed.unwrap();
        received.unwrap();
        assert_eq!(&got, b"hi");
    })
    .await;
}

#[tokio::test]
async fn owned_halves_work_in_two_tasks_and_reunite() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let local = near.local_addr().unwrap();
        let (mut reader, mut writer) = near.into_split();
        let read = tokio::spawn(async move {
            let mut got = [0; 5];
            reader.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"right");
            reader
        });
        tokio::task::yield_now().await;
        let write = tokio::spawn(async move {
            writer.write_all(b"left").await.unwrap();
            writer
        });
        let mut got = [0; 4];
        far.read_exact(&mut got).await.unwrap();
        far.write_all(b"right").await.unwrap();
        let near = read.await.unwrap().reunite(write.await.unwrap()).unwrap();
        assert_eq!(near.local_addr().unwrap(), local);
    })
    .await;
}

#[tokio::test]
async fn halves_of_two_connections_do_not_reunite() {
    within(async {
        let (one, _far1) = tcp_pair().await;
        let (two, _far2) = tcp_pair().await;
        let (reader, _) = one.into_split();
        let (_, writer) = two.into_split();
        assert!(reader.reunite(writer).is_err());
    })
    .await;
}

#[tokio::test]
async fn dropped_write_half_ends_the_peers_reading() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let (mut reader, writer) = near.into_split();
        drop(writer);
        assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0);
        far.write_all(b"still").await.unwrap();
        let mut got = [0; 5];
        reader.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"still");
    })
    .await;
}

#[tokio::test]
async fn forgotten_write_half_leaves_the_connection_open() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let (_reader, writer) = near.into_split();
        writer.forget();
        assert!(timeout(Duration::from_millis(50), far.read(&mut [0; 1]))
            .await
            .is_err());
    })
    .await;
}

#[tokio::test]
async fn io_split_works_too() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let (mut reader, mut writer) = tokio::io::split(near);
        let echo = tokio::spawn(async move {
            let mut got = [0; 3];
            far.read_exact(&mut got).await.unwrap();
            far.write_all(&got).await.unwrap();
            far
        });
        writer.write_all(b"abc").await.unwrap();
        let mut got = [0; 3];
        reader.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"abc");
        echo.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn stream_survives_into_std_and_from_std() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let (local, peer) = (near.local_addr().unwrap(), near.peer_addr().unwrap());
        let std = near.into_std().unwrap();
        let mut near = TcpStream::from_std(std).unwrap();
        assert_eq!(near.local_addr().unwrap(), local);
        assert_eq!(near.peer_addr().unwrap(), peer);
        near.write_all(b"once more").await.unwrap();
        let mut got = [0; 9];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"once more");
        far.write_all(b"back").await.unwrap();
        let mut got = [0; 4];
        near.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"back");
    })
    .await;
}

#[tokio::test]
async fn std_stream_reads_what_was_sent() {
    within(async {
        use std::io::Read;
        let (near, mut far) = tcp_pair().await;
        far.write_all(b"for std").await.unwrap();
        near.readable().await.unwrap();
        let mut std = near.into_std().unwrap();
        std.set_nonblocking(false).unwrap();
        let mut got = [0; 7];
        std.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"for std");
    })
    .await;
}

#[test]
fn stream_moves_to_another_runtime_through_std() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let (near, far) = first.block_on(async {
        let (near, far) = tcp_pair().await;
        (near.into_std().unwrap(), far.into_std().unwrap())
    });
    drop(first);
    runtime().block_on(async {
        let mut near = TcpStream::from_std(near).unwrap();
        let mut far = TcpStream::from_std(far).unwrap();
        near.write_u16(515).await.unwrap();
        assert_eq!(far.read_u16().await.unwrap(), 515);
    });
}

#[tokio::test]
async fn first_address_that_answers_is_used() {
    within(async {
        let closed = closed_port("127.0.0.1:0").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let near = TcpStream::connect(&[closed, open][..]).await.unwrap();
        assert_eq!(near.peer_addr().unwrap(), open);
    })
    .await;
}

#[tokio::test]
async fn no_address_at_all_is_invalid_input() {
    let none: &[SocketAddr] = &[];
    assert_eq!(
        kind(TcpStream::connect(none).await),
        ErrorKind::InvalidInput
    );
}

#[tokio::test]
async fn take_error_is_none_on_a_healthy_connection() {
    within(async {
        let (near, far) = tcp_pair().await;
        assert!(near.take_error().unwrap().is_none());
        assert!(far.take_error().unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn copy_bidirectional_proxies() {
    within(async {
        let (mut client, mut proxy_in) = tcp_pair().await;
        let (mut proxy_out, mut server) = tcp_pair().await;
        let proxy = tokio::spawn(async move {
            tokio::io::copy_bidirectional(&mut proxy_in, &mut proxy_out)
                .await
                .unwrap()
        });
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = String::new();
        server.read_to_string(&mut question).await.unwrap();
        assert_eq!(question, "question");
        server.write_all(b"an answer").await.unwrap();
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "an answer");
        assert_eq!(proxy.await.unwrap(), (8, 9));
    })
    .await;
}

#[tokio::test]
async fn lines_arrive_as_lines() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let writer = tokio::spawn(async move {
            for part in ["fir", "st\nsec", "ond\n", "thi", "rd"] {
                far.write_all(part.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let mut lines = BufReader::new(near).lines();
        let mut got = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            got.push(line);
        }
        writer.await.unwrap();
        assert_eq!(got, ["first", "second", "third"]);
    })
    .await;
}

#[tokio::test]
async fn many_small_writes_arrive_in_order() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let reader = tokio::spawn(async move {
            for i in 0..5_000u32 {
                assert_eq!(far.read_u32().await.unwrap(), i);
            }
        });
        for i in 0..5_000u32 {
            near.write_u32(i).await.unwrap();
        }
        reader.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn empty_write_and_empty_read_are_0() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        assert_eq!(near.write(&[]).await.unwrap(), 0);
        far.write_all(b"x").await.unwrap();
        near.readable().await.unwrap();
        assert_eq!(near.read(&mut []).await.unwrap(), 0);
        assert_eq!(near.read_u8().await.unwrap(), b'x');
    })
    .await;
}

#[tokio::test]
async fn poll_write_ready_follows_the_send_buffer() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        poll_fn(|cx| near.poll_write_ready(cx)).await.unwrap();
        while near.try_write(&[0; 65536]).is_ok() {}
        let pending = poll_fn(|cx| Poll::Ready(near.poll_write_ready(cx).is_pending())).await;
        assert!(pending);
        let drain = tokio::spawn(async move {
            let mut block = vec![0; 65536];
            while far.read(&mut block).await.unwrap() > 0 {}
        });
        poll_fn(|cx| near.poll_write_ready(cx)).await.unwrap();
        drop(near);
        drain.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn poll_read_ready_follows_the_data() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let pending = poll_fn(|cx| Poll::Ready(near.poll_read_ready(cx).is_pending())).await;
        assert!(pending);
        far.write_all(b"x").await.unwrap();
        poll_fn(|cx| near.poll_read_ready(cx)).await.unwrap();
        assert_eq!(near.try_read(&mut [0; 1]).unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn connection_is_usable_through_trait_objects() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        let mut boxed: Box<dyn AsyncWrite + Unpin + Send> = Box::new(near);
        boxed.write_all(b"dyn").await.unwrap();
        boxed.flush().await.unwrap();
        let mut got = [0; 3];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"dyn");
    })
    .await;
}

#[tokio::test]
async fn descriptors_of_two_streams_differ() {
    use std::os::fd::{AsFd, AsRawFd};
    within(async {
        let (near, far) = tcp_pair().await;
        assert_ne!(near.as_raw_fd(), far.as_raw_fd());
        assert_eq!(near.as_fd().as_raw_fd(), near.as_raw_fd());
    })
    .await;
}

#[tokio::test]
async fn connection_to_oneself_in_one_task_works() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // No accept is polled while connecting: the backlog takes it.
        let mut near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        near.write_all(b"early").await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let mut got = [0; 5];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"early");
    })
    .await;
}

#[tokio::test]
async fn request_and_answer_do_not_stall() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let server = tokio::spawn(async move {
            let mut got = [0; 64];
            for _ in 0..100 {
                far.read_exact(&mut got).await.unwrap();
                far.write_all(&got).await.unwrap();
            }
        });
        let start = std::time::Instant::now();
        let mut got = [0; 64];
        for _ in 0..100 {
            near.write_all(&[1; 64]).await.unwrap();
            near.read_exact(&mut got).await.unwrap();
        }
        // A delayed acknowledgement costs 40 ms; 100 rounds would take 4 s.
        assert!(start.elapsed() < Duration::from_secs(2));
        server.await.unwrap();
    })
    .await;
}

/// A server that refuses a large body answers, and closes with the rest unread, which resets
/// the connection. What came before that is read first, also by who waits to write.
#[tokio::test]
async fn an_answer_is_read_before_the_reset_behind_it() {
    within(async {
        let (near, mut far) = tcp_pair().await;
        near.writable().await.unwrap();
        let full = loop {
            if let Err(error) = near.try_write(&[b'x'; 65_536]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        far.write_all(b"refused").await.unwrap();
        drop(far);
        let read = || async {
            loop {
                let both = Interest::READABLE | Interest::WRITABLE;
                near.ready(both).await.unwrap();
                let mut got = [0; 16];
                match near.try_read(&mut got) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        tokio::task::yield_now().await;
                    }
                    read => break read.map(|count| got[..count].to_vec()),
                }
            }
        };
        assert_eq!(read().await.unwrap(), b"refused");
        assert_eq!(kind(read().await), ErrorKind::ConnectionReset);
        assert_eq!(read().await.unwrap(), b"");
    })
    .await;
}
