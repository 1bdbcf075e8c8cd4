//! `AsyncFd`, for descriptors that tokio does no I/O on. Without the plugin WasmEdge tells
//! of no edges, and there is none.

use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use behaviour::{is_plain, kind, tcp_pair, within};
use socket2::SockRef;
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Whether it becomes ready, soon.
async fn is_ready<T: AsRawFd>(fd: &AsyncFd<T>, interest: Interest) -> bool {
    timeout(Duration::from_millis(30), fd.ready(interest))
        .await
        .is_ok()
}

async fn becomes_ready<T: AsRawFd>(fd: &AsyncFd<T>, interest: Interest) -> Ready {
    within(fd.ready(interest)).await.unwrap().ready()
}

/// A connection, of std's types, which never wait.
async fn pair() -> (std::net::TcpStream, TcpStream) {
    let (near, far) = tcp_pair().await;
    (near.into_std().unwrap(), far)
}

/// Sends to the descriptor. The other end may not know yet that it can.
async fn say(far: &TcpStream, words: &[u8]) {
    far.writable().await.unwrap();
    assert_eq!(far.try_write(words).unwrap(), words.len());
}

#[allow(deprecated)] // Releases before 1.54 have no other.
fn register<T: AsRawFd>(inner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(inner, interest)
}

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

#[tokio::test]
async fn without_edges_there_is_none() {
    if is_plain() {
        let (near, _far) = pair().await;
        assert_eq!(kind(register(near, BOTH).map(drop)), ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn readiness_lasts_until_it_is_cleared() {
    if is_plain() {
        return;
    }
    within(async {
        let (near, far) = pair().await;
        let near = register(near, BOTH).unwrap();
        assert!(is_ready(&near, Interest::WRITABLE).await);
        assert!(!is_ready(&near, Interest::READABLE).await);
        say(&far, b"12345").await;
        for _ in 0..2 {
            let mut guard = near.readable().await.unwrap();
            assert!(guard.ready().is_readable());
            guard.retain_ready();
        }
        // Cleared too early: nothing more is told until something happens.
        near.readable().await.unwrap().clear_ready();
        assert!(!is_ready(&near, Interest::READABLE).await);
        say(&far, b"678").await;
        let mut guard = near.readable().await.unwrap();
        let got = guard
            .try_io(|fd| fd.get_ref().read(&mut [0; 16]))
            .unwrap()
            .unwrap();
        assert_eq!(got, 8);
        // There is nothing left, which clears it.
        assert!(guard.try_io(|fd| fd.get_ref().read(&mut [0; 16])).is_err());
        assert!(!is_ready(&near, Interest::READABLE).await);
    })
    .await;
}

#[tokio::test]
async fn async_io_waits_as_often_as_it_must() {
    if is_plain() {
        return;
    }
    within(async {
        let (near, far) = pair().await;
        let near = register(near, Interest::READABLE).unwrap();
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            while all.len() < 3 {
                let mut buf = [0; 8];
                let count = near
                    .async_io(Interest::READABLE, |mut stream| stream.read(&mut buf))
                    .await
                    .unwrap();
                all.extend_from_slice(&buf[..count]);
            }
            all
        });
        for byte in [&b"a"[..], b"b", b"c"] {
            tokio::time::sleep(Duration::from_millis(5)).await;
            say(&far, byte).await;
        }
        assert_eq!(reader.await.unwrap(), b"abc");
    })
    .await;
}

#[tokio::test]
async fn a_writer_without_room_waits_for_it() {
    if is_plain() {
        return;
    }
    within(async {
        let (near, far) = pair().await;
        let near = register(near, BOTH).unwrap();
        let block = vec![0; 1 << 16];
        let mut sent = 0;
        loop {
            let mut guard = near.writable().await.unwrap();
            match guard.try_io(|fd| fd.get_ref().write(&block)) {
                Ok(count) => sent += count.unwrap(),
                Err(_) => break,
            }
        }
        assert!(!is_ready(&near, Interest::WRITABLE).await);
        let mut buf = vec![0; 1 << 16];
        while sent > 0 {
            far.readable().await.unwrap();
            match far.try_read(&mut buf) {
                Ok(count) => sent -= count,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        becomes_ready(&near, Interest::WRITABLE).await;
    })
    .await;
}

#[tokio::test]
async fn the_peers_end_is_told_before_it_is_read() {
    if is_plain() {
        return;
    }
    within(async {
        let (near, far) = pair().await;
        let near = register(near, Interest::READABLE).unwrap();
        say(&far, b"last words").await;
        let ready = becomes_ready(&near, Interest::READABLE).await;
        assert!(!ready.is_read_closed());
        near.readable().await.unwrap().clear_ready();
        drop(far);
        let ready = becomes_ready(&near, Interest::READABLE).await;
        assert!(ready.is_readable() && ready.is_read_closed());
        let mut all = String::new();
        near.get_ref().read_to_string(&mut all).unwrap();
        assert_eq!(all, "last words");
    })
    .await;
}

#[tokio::test]
async fn what_comes_out_of_band_is_a_priority_event() {
    if is_plain() {
        return;
    }
    within(async {
        let (near, far) = pair().await;
        let near = register(near, Interest::PRIORITY | Interest::READABLE).unwrap();
        say(&far, b"ordinary").await;
        let ready = becomes_ready(&near, Interest::READABLE).await;
        assert!(ready.is_readable() && !ready.is_priority());
        assert!(!is_ready(&near, Interest::PRIORITY).await);

        assert_eq!(SockRef::from(&far).send_out_of_band(b"!").unwrap(), 1);
        let ready = becomes_ready(&near, Interest::PRIORITY).await;
        assert!(ready.is_priority());
        let mut byte = [MaybeUninit::new(0); 4];
        let socket = SockRef::from(near.get_ref());
        assert_eq!(socket.recv_out_of_band(&mut byte).unwrap(), 1);
        // SAFETY: it was initialised.
        assert_eq!(unsafe { byte[0].assume_init() }, b'!');
        let nothing = socket.recv_out_of_band(&mut byte).unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::InvalidInput);
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_priority_alone_is_told_of_nothing_else() {
    if is_plain() {
        return;
    }
    within(async {
        let (near, far) = pair().await;
        let near = register(near, Interest::PRIORITY).unwrap();
        say(&far, b"ordinary").await;
        assert!(!is_ready(&near, Interest::PRIORITY).await);
        SockRef::from(&far).send_out_of_band(b"!").unwrap();
        assert!(becomes_ready(&near, Interest::PRIORITY).await.is_priority());
        assert!(format!("{:?}", Interest::PRIORITY).contains("PRIORITY"));
    })
    .await;
}

#[tokio::test]
async fn a_descriptor_is_given_back_and_taken_again() {
    if is_plain() {
        return;
    }
    within(async {
        let (near, far) = pair().await;
        let near = register(OwnedFd::from(near), BOTH).unwrap();
        let taken = register(near.as_raw_fd(), BOTH).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
        let near: OwnedFd = near.into_inner();
        say(&far, b"x").await;
        let near = register(near, Interest::READABLE).unwrap();
        becomes_ready(&near, Interest::READABLE).await;
        let near = TcpStream::from_std(near.into_inner().into()).unwrap();
        near.readable().await.unwrap();
        assert_eq!(near.try_read(&mut [0; 4]).unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_end_of_a_pair_is_a_descriptor_as_others() {
    if is_plain() {
        return;
    }
    within(async {
        let (near, far) = UnixStream::pair().unwrap();
        let near = register(near.into_std().unwrap(), Interest::READABLE).unwrap();
        assert!(!is_ready(&near, Interest::READABLE).await);
        far.writable().await.unwrap();
        assert_eq!(far.try_write(b"unix").unwrap(), 4);
        becomes_ready(&near, Interest::READABLE).await;
        assert_eq!(near.get_ref().read(&mut [0; 8]).unwrap(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_file_is_refused() {
    if is_plain() {
        return;
    }
    let scratch = behaviour::Scratch::new(env!("CARGO_TARGET_TMPDIR"), "async-fd");
    let file = std::fs::File::create(scratch.join("file")).unwrap();
    let error = register(file, BOTH).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}
