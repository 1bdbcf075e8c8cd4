//! Small writes. Natively the kernel decides when they leave: at once where no delay
//! was asked for. Under WasmEdge those of one tick of the scheduler leave together, and
//! nobody can tell but by the clock.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::time::{Duration, Instant};

use behaviour::{kind, tcp_pair, within, Random};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::sleep;

/// As `tcp_pair`, with the near end asked for no delay.
async fn pair() -> (TcpStream, TcpStream) {
    pair_with(true).await
}

/// Streams that were asked for no delay and such that were not: both coalesce, the
/// latter from the second write of a tick on.
const NO_DELAY: [bool; 2] = [true, false];

async fn pair_with(no_delay: bool) -> (TcpStream, TcpStream) {
    let (near, far) = tcp_pair().await;
    near.set_nodelay(no_delay).unwrap();
    (near, far)
}

/// A pair whose far end is known to be readable, and empty: what it reads next
/// shows what has been sent, without a look at the drivers.
async fn watched_pair() -> (TcpStream, TcpStream) {
    let (mut near, far) = pair().await;
    near.write_all(b"-").await.unwrap();
    // Readiness may be wrong once.
    while !has_arrived(&far, b"-") {
        far.readable().await.unwrap();
    }
    (near, far)
}

/// Whether this has arrived by now. What is read fills the buffer, so that the
/// stream is still known to be readable afterwards.
fn has_arrived(far: &TcpStream, expected: &[u8]) -> bool {
    let mut got = vec![0; expected.len()];
    matches!(far.try_read(&mut got), Ok(n) if n == got.len()) && got == expected
}

async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}

#[tokio::test]
async fn write_write_read_does_not_wait_for_an_acknowledgement() {
    const ROUNDS: u32 = 20;
    within(async {
        let (mut near, mut far) = pair().await;
        far.set_nodelay(true).unwrap();
        let server = tokio::spawn(async move {
            let mut pair = [0; 2];
            while far.read_exact(&mut pair).await.is_ok() {
                far.write_all(&pair[..1]).await.unwrap();
                far.write_all(&pair[1..]).await.unwrap();
            }
        });
        let start = Instant::now();
        for round in 0..ROUNDS {
            near.write_all(&[round as u8]).await.unwrap();
            near.write_all(b"b").await.unwrap();
            let mut pair = [0; 2];
            near.read_exact(&mut pair).await.unwrap();
            assert_eq!(pair, [round as u8, b'b']);
        }
        // With a wait in each round it takes 40 ms.
        assert!(start.elapsed() < ROUNDS * Duration::from_millis(20));
        drop(near);
        server.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn writes_of_all_kinds_and_sizes_stay_in_order() {
    within(async {
        let (mut near, mut far) = pair().await;
        let reader = tokio::spawn(async move { read_to_end(&mut far).await });
        let mut random = Random::new(7);
        let mut sent = Vec::new();
        for step in 0..400 {
            let length = match random.below(8) {
                0 => random.below(60_000),
                1 => random.below(17_000),
                _ => random.below(300),
            };
            let data = random.bytes(length);
            let taken = match step % 4 {
                0 => {
                    let (one, two) = data.split_at(length / 3);
                    let parts = [IoSlice::new(one), IoSlice::new(two)];
                    near.write_vectored(&parts).await.unwrap()
                }
                1 => near.write(&data).await.unwrap(),
                // Sends by itself, behind the runtime's back.
                2 => match socket2::SockRef::from(&near).send(&data) {
                    Ok(taken) => taken,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                    Err(error) => panic!("{error}"),
                },
                _ => {
                    near.write_all(&data).await.unwrap();
                    length
                }
            };
            sent.extend_from_slice(&data[..taken]);
            if step % 50 == 0 {
                near.set_nodelay(step % 100 == 0).unwrap();
                tokio::task::yield_now().await;
            }
        }
        near.shutdown().await.unwrap();
        let received = reader.await.unwrap();
        assert_eq!(received.len(), sent.len());
        assert!(received == sent);
    })
    .await;
}

#[tokio::test]
async fn many_streams_written_in_one_turn_all_send() {
    within(async {
        for no_delay in NO_DELAY {
            let mut nears = Vec::new();
            let mut fars = Vec::new();
            for _ in 0..20 {
                let (near, far) = pair_with(no_delay).await;
                nears.push(near);
                fars.push(far);
            }
            for round in 0..3u8 {
                for near in &mut nears {
                    near.write_all(&[round, 1]).await.unwrap();
                    near.write_all(&[2]).await.unwrap();
                }
                for far in &mut fars {
                    let mut got = [0; 3];
                    far.read_exact(&mut got).await.unwrap();
                    assert_eq!(got, [round, 1, 2]);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn shutdown_sends_first() {
    within(async {
        for no_delay in NO_DELAY {
            let (mut near, mut far) = pair_with(no_delay).await;
            near.write_all(b"last").await.unwrap();
            near.write_all(b" words").await.unwrap();
            near.shutdown().await.unwrap();
            assert_eq!(
                kind(near.write_all(b"more").await),
                ErrorKind::BrokenPipe,
                "the writing side is shut"
            );
            assert_eq!(read_to_end(&mut far).await, b"last words");
            far.write_all(b"heard").await.unwrap();
            drop(far);
            assert_eq!(read_to_end(&mut near).await, b"heard");
        }
    })
    .await;
}

#[tokio::test]
async fn dropping_sends_first() {
    within(async {
        let (mut near, far) = watched_pair().await;
        near.write_all(b"last").await.unwrap();
        drop(near);
        assert!(has_arrived(&far, b"last"));
    })
    .await;
}

#[tokio::test]
async fn halves_send_when_they_are_dropped() {
    within(async {
        for no_delay in NO_DELAY {
            let (near, mut far) = pair_with(no_delay).await;
            let (mut reader, mut writer) = near.into_split();
            writer.write_all(b"one").await.unwrap();
            writer.write_all(b"two").await.unwrap();
            drop(writer);
            assert_eq!(read_to_end(&mut far).await, b"onetwo");
            far.write_all(b"three").await.unwrap();
            drop(far);
            let mut got = Vec::new();
            reader.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, b"three");
        }
    })
    .await;
}

#[tokio::test]
async fn reunited_and_borrowed_halves_stay_in_order() {
    within(async {
        for no_delay in NO_DELAY {
            let (near, mut far) = pair_with(no_delay).await;
            let (reader, mut writer) = near.into_split();
            writer.write_all(b"a").await.unwrap();
            let mut near = reader.reunite(writer).unwrap();
            near.write_all(b"b").await.unwrap();
            near.split().1.write_all(b"c").await.unwrap();
            assert_eq!(near.try_write(b"d").unwrap(), 1);
            drop(near);
            assert_eq!(read_to_end(&mut far).await, b"abcd");
        }
    })
    .await;
}

#[tokio::test]
async fn turning_delay_on_sends() {
    within(async {
        let (mut near, far) = watched_pair().await;
        near.write_all(b"now").await.unwrap();
        near.set_nodelay(false).unwrap();
        assert!(has_arrived(&far, b"now"));
        near.write_all(b"too").await.unwrap();
        assert!(has_arrived(&far, b"too"));
    })
    .await;
}

#[tokio::test]
async fn who_becomes_a_std_stream_sends_first() {
    within(async {
        let (mut near, far) = watched_pair().await;
        near.write_all(b"tokio").await.unwrap();
        let mut near = near.into_std().unwrap();
        near.write_all(b" std").unwrap();
        assert!(has_arrived(&far, b"tokio std"));
        let mut near = TcpStream::from_std(near).unwrap();
        near.write_all(b" tokio").await.unwrap();
        drop(near);
        assert!(has_arrived(&far, b" tokio"));
    })
    .await;
}

#[tokio::test]
async fn a_std_stream_goes_on_in_order() {
    within(async {
        for no_delay in NO_DELAY {
            let (mut near, mut far) = pair_with(no_delay).await;
            near.write_all(b"to").await.unwrap();
            near.write_all(b"kio").await.unwrap();
            let mut near = near.into_std().unwrap();
            near.write_all(b" std").unwrap();
            let mut near = TcpStream::from_std(near).unwrap();
            near.write_all(b" to").await.unwrap();
            near.write_all(b"kio").await.unwrap();
            drop(near);
            assert_eq!(read_to_end(&mut far).await, b"tokio std tokio");
        }
    })
    .await;
}

#[tokio::test]
async fn asking_for_an_error_sends_first() {
    within(async {
        let (mut near, far) = watched_pair().await;
        near.write_all(b"x").await.unwrap();
        assert!(near.take_error().unwrap().is_none());
        assert!(has_arrived(&far, b"x"));
    })
    .await;
}

#[tokio::test]
async fn a_thread_that_sleeps_has_sent() {
    within(async {
        let (mut near, far) = watched_pair().await;
        near.write_all(b"before").await.unwrap();
        std::thread::sleep(Duration::from_millis(1));
        assert!(has_arrived(&far, b"before"));
        near.write_all(b"again").await.unwrap();
        std::thread::yield_now();
        assert!(has_arrived(&far, b"again"));
    })
    .await;
}

#[tokio::test]
async fn a_blocking_closure_begins_after_the_bytes_have_left() {
    within(async {
        let (mut near, far) = watched_pair().await;
        near.write_all(b"before").await.unwrap();
        let seen = spawn_blocking(move || has_arrived(&far, b"before")).await;
        assert!(seen.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_blocks_in_place_has_sent() {
    within(async {
        let (mut near, far) = watched_pair().await;
        near.write_all(b"before").await.unwrap();
        assert!(block_in_place(|| has_arrived(&far, b"before")));
    })
    .await;
}

#[test]
fn block_on_ends_after_the_bytes_have_left() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (near, far) = runtime.block_on(async {
        let (mut near, far) = pair().await;
        near.write_all(b"bytes").await.unwrap();
        (near, far.into_std().unwrap())
    });
    // Nobody drives the runtime any more.
    let mut got = [0; 16];
    assert_eq!((&far).read(&mut got).unwrap(), 5);
    assert_eq!(&got[..5], b"bytes");
    drop(near);
    drop(runtime);
    assert_eq!((&far).read(&mut got).unwrap(), 0);
}

#[tokio::test]
async fn a_reset_is_told_by_the_operation_after_it() {
    within(async {
        for no_delay in NO_DELAY {
            let (mut near, far) = pair_with(no_delay).await;
            far.set_zero_linger().unwrap();
            drop(far);
            let mut result = Ok(());
            // Natively the first one fails.
            for _ in 0..2 {
                result = near.write_all(b"anyone?").await;
                if result.is_err() {
                    break;
                }
                sleep(Duration::from_millis(5)).await;
            }
            let found = kind(result);
            assert!(
                matches!(found, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
                "{found:?}"
            );
            assert_eq!(kind(near.write_all(b"still?").await), ErrorKind::BrokenPipe);
        }
    })
    .await;
}

#[tokio::test]
async fn a_reader_learns_of_a_write_that_failed() {
    within(async {
        for no_delay in NO_DELAY {
            let (mut near, far) = pair_with(no_delay).await;
            far.set_zero_linger().unwrap();
            drop(far);
            let _ = near.write_all(b"anyone?").await;
            // The write or the read, whichever comes first, is told of the reset.
            match near.read(&mut [0; 8]).await {
                Ok(read) => assert_eq!(read, 0),
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
            }
        }
    })
    .await;
}

/// A pair between which little fits.
async fn narrow_pair(no_delay: bool) -> (TcpStream, TcpStream) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = socket.listen(4).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(4096).unwrap();
    socket.set_nodelay(no_delay).unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(socket.connect(address), listener.accept());
    (near.unwrap(), far.unwrap().0)
}

/// Writes in small pieces, many in a tick, until nothing goes any more.
async fn fill(near: &TcpStream, random: &mut Random) -> Vec<u8> {
    let mut sent = Vec::new();
    let mut refused = 0;
    while refused < 3 {
        let data = random.bytes(100);
        match near.try_write(&data) {
            Ok(taken) => {
                refused = 0;
                sent.extend_from_slice(&data[..taken]);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                refused += 1;
                sleep(Duration::from_millis(2)).await;
            }
        }
        assert!(sent.len() < 1 << 20, "there is no end to it");
    }
    sent
}

#[tokio::test]
async fn a_peer_that_does_not_read_stops_the_writer_and_loses_nothing() {
    within(async {
        for no_delay in NO_DELAY {
            let (near, mut far) = narrow_pair(no_delay).await;
            near.writable().await.unwrap();
            let mut random = Random::new(3);
            for _ in 0..5 {
                let sent = fill(&near, &mut random).await;
                let mut received = vec![0; sent.len()];
                far.read_exact(&mut received).await.unwrap();
                assert!(received == sent);
                // There is room again, and the writer is told.
                near.writable().await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_left_when_a_stream_is_closed_arrives() {
    within(async {
        for no_delay in NO_DELAY {
            for shut in [false, true] {
                let (mut near, mut far) = narrow_pair(no_delay).await;
                near.writable().await.unwrap();
                let sent = fill(&near, &mut Random::new(5)).await;
                if shut {
                    near.shutdown().await.unwrap();
                    assert_eq!(kind(near.write(b"x").await), ErrorKind::BrokenPipe);
                }
                drop(near);
                let received = read_to_end(&mut far).await;
                assert_eq!(received.len(), sent.len());
                assert!(received == sent);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_left_goes_out_though_nobody_writes() {
    within(async {
        for no_delay in NO_DELAY {
            let (near, mut far) = narrow_pair(no_delay).await;
            near.writable().await.unwrap();
            let sent = fill(&near, &mut Random::new(9)).await;
            let mut received = vec![0; sent.len()];
            far.read_exact(&mut received).await.unwrap();
            assert!(received == sent);
            // The near end is alive, and silent.
            let mut byte = [0; 1];
            let more = tokio::time::timeout(Duration::from_millis(20), far.read(&mut byte));
            assert!(more.await.is_err());
            drop(near);
        }
    })
    .await;
}
