//! Unix sockets that need no permission: pairs. Without the plugin WasmEdge makes none.
//! What has a name is in the suite `unix`.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::time::Duration;

use behaviour::{not_plain, within, Random};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{UnixDatagram, UnixStream};
use tokio::time::timeout;

#[tokio::test]
async fn a_pair_of_streams_talks() {
    within(async {
        let Some((mut near, mut far)) = not_plain(UnixStream::pair()) else {
            return;
        };
        for stream in [&near, &far] {
            assert!(stream.local_addr().unwrap().is_unnamed());
            assert!(stream.peer_addr().unwrap().is_unnamed());
        }
        let empty = near.try_read(&mut [0; 4]).unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::WouldBlock);
        near.write_all(b"ping").await.unwrap();
        let mut got = [0; 4];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ping");
        far.write_all(b"pong").await.unwrap();
        drop(far);
        let mut rest = String::new();
        near.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "pong");
        let gone = near.write_all(b"x").await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::BrokenPipe);
    })
    .await;
}

#[tokio::test]
async fn much_goes_both_ways_through_a_pair() {
    within(async {
        let Some((near, far)) = not_plain(UnixStream::pair()) else {
            return;
        };
        let data = Random::new(11).bytes(1 << 20);
        let tasks = [near, far].map(|stream| {
            let data = data.clone();
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.into_split();
                let sent = data.clone();
                let send = tokio::spawn(async move {
                    writer.write_all(&sent).await.unwrap();
                    writer.shutdown().await.unwrap();
                });
                let mut got = Vec::new();
                reader.read_to_end(&mut got).await.unwrap();
                assert!(got == data);
                send.await.unwrap();
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_pair_is_told_before_it_is_read() {
    within(async {
        let Some((near, mut far)) = not_plain(UnixStream::pair()) else {
            return;
        };
        far.write_all(b"unread").await.unwrap();
        assert!(!near
            .ready(Interest::READABLE)
            .await
            .unwrap()
            .is_read_closed());
        far.shutdown().await.unwrap();
        while !near
            .ready(Interest::READABLE)
            .await
            .unwrap()
            .is_read_closed()
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(near.try_read(&mut [0; 16]).unwrap(), 6);
    })
    .await;
}

#[tokio::test]
async fn a_pair_of_datagram_sockets_keeps_messages_apart() {
    within(async {
        let Some((near, far)) = not_plain(UnixDatagram::pair()) else {
            return;
        };
        for message in [&b"one"[..], b"", b"three"] {
            assert_eq!(near.send(message).await.unwrap(), message.len());
        }
        let mut buf = [0; 8];
        assert_eq!(far.recv(&mut buf).await.unwrap(), 3);
        let (n, from) = far.recv_from(&mut buf).await.unwrap();
        assert_eq!(n, 0);
        assert!(from.is_unnamed());
        assert_eq!(far.recv(&mut buf[..2]).await.unwrap(), 2);
        assert_eq!(&buf[..2], b"th");
        let nothing = far.try_recv(&mut buf).unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);

        // Until the receiver has no room.
        let mut sent = 0;
        while near.try_send(&[7; 1024]).is_ok() {
            sent += 1;
            assert!(sent < 10_000, "there is always room");
        }
        let waiting = tokio::spawn(async move { near.send(b"last").await.unwrap() });
        for _ in 0..sent {
            assert_eq!(far.recv(&mut [0; 1024]).await.unwrap(), 1024);
        }
        assert_eq!(waiting.await.unwrap(), 4);
        assert_eq!(far.recv(&mut buf).await.unwrap(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_reader_of_a_pair_waits() {
    within(async {
        let Some((mut near, mut far)) = not_plain(UnixStream::pair()) else {
            return;
        };
        let waited = timeout(Duration::from_millis(10), near.read_u8()).await;
        assert!(waited.is_err());
        let reader = tokio::spawn(async move { near.read_u8().await.unwrap() });
        tokio::time::sleep(Duration::from_millis(10)).await;
        far.write_u8(9).await.unwrap();
        assert_eq!(reader.await.unwrap(), 9);
    })
    .await;
}

#[tokio::test]
async fn the_peer_of_a_pair_is_the_program_itself() {
    let Some((near, far)) = not_plain(UnixStream::pair()) else {
        return;
    };
    let (one, other) = (near.peer_cred().unwrap(), far.peer_cred().unwrap());
    assert_eq!(one, other);
    assert!(one.pid().unwrap() > 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        assert_eq!(one.pid().unwrap() as u32, std::process::id());
        let own = std::fs::metadata("/proc/self").unwrap();
        assert_eq!((one.uid(), one.gid()), (own.uid(), own.gid()));
    }
}

#[tokio::test]
async fn halves_of_a_pair_become_blocking_and_come_back() {
    within(async {
        let Some((near, far)) = not_plain(UnixStream::pair()) else {
            return;
        };
        let (mut near, mut far) = (near.into_std().unwrap(), far.into_std().unwrap());
        for stream in [&near, &far] {
            stream.set_nonblocking(false).unwrap();
        }
        near.write_all(b"blocking").unwrap();
        let mut got = [0; 8];
        far.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"blocking");
        let clone = far.try_clone().unwrap();
        assert_ne!(clone.as_raw_fd(), far.as_raw_fd());
        far.set_nonblocking(true).unwrap();
        let mut far = UnixStream::from_std(far).unwrap();
        drop(clone);
        near.write_all(b"!").unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'!');
    })
    .await;
}
