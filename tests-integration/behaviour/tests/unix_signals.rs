//! `tokio::signal::unix`. It is there under WasmEdge, too; without the plugin no signal
//! ever comes.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::task::Poll;
use std::time::Duration;

use behaviour::{is_plain, plugin, within};
use tokio::signal::ctrl_c;
use tokio::signal::unix::{signal, Signal, SignalKind};
use tokio::time::{sleep, timeout};

#[cfg(target_os = "wasi")]
mod raise {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        fn proc_raise(signal: i32) -> i32;
    }

    /// Sends a signal to the program. The numbers of the signals below are WASI's as well
    /// as Linux'.
    pub fn raise(signal: i32) {
        // SAFETY: no pointers.
        assert_eq!(unsafe { proc_raise(signal) }, 0);
    }
}

#[cfg(not(target_os = "wasi"))]
mod raise {
    mod c {
        extern "C" {
            pub fn raise(signal: i32) -> i32;
        }
    }

    /// Sends a signal to the program.
    pub fn raise(signal: i32) {
        // SAFETY: no pointers; the signals that are sent have a handler.
        assert_eq!(unsafe { c::raise(signal) }, 0);
    }
}

use raise::raise;

/// Sends a signal to the program, which listens for it: without the plugin it would end.
fn send(kind: SignalKind) {
    if !is_plain() {
        raise(kind.as_raw_value());
    }
}

/// Whether the signal comes, soon.
async fn comes(signal: &mut Signal) -> bool {
    let limit = Duration::from_millis(if is_plain() { 20 } else { 5000 });
    timeout(limit, signal.recv()).await.is_ok()
}

#[tokio::test]
async fn a_signal_is_told() {
    let mut hangup = signal(SignalKind::hangup()).unwrap();
    for _ in 0..3 {
        send(SignalKind::hangup());
        assert_eq!(comes(&mut hangup).await, !is_plain());
    }
    let more = timeout(Duration::from_millis(20), hangup.recv()).await;
    assert!(more.is_err(), "told without a signal");
}

#[tokio::test]
async fn signals_are_a_stream() {
    let listener = signal(SignalKind::hangup()).unwrap();
    let mut hangups = tokio_stream::wrappers::SignalStream::new(listener);
    send(SignalKind::hangup());
    let limit = Duration::from_millis(if is_plain() { 20 } else { 5000 });
    let next = timeout(limit, futures::StreamExt::next(&mut hangups)).await;
    assert_eq!(next.is_ok(), !is_plain());
}

#[tokio::test]
async fn a_signal_ends_a_wait() {
    within(async {
        let mut user = signal(SignalKind::user_defined1()).unwrap();
        let listener = tokio::spawn(async move { comes(&mut user).await });
        sleep(Duration::from_millis(10)).await;
        send(SignalKind::user_defined1());
        assert_eq!(listener.await.unwrap(), !is_plain());
    })
    .await;
}

#[tokio::test]
async fn each_listener_is_told_and_of_its_signal_alone() {
    let mut first = signal(SignalKind::user_defined2()).unwrap();
    let mut second = signal(SignalKind::user_defined2()).unwrap();
    let mut other = signal(SignalKind::window_change()).unwrap();
    // What came before is none of a new listener's.
    send(SignalKind::user_defined2());
    assert_eq!(comes(&mut first).await, !is_plain());
    let mut third = signal(SignalKind::user_defined2()).unwrap();
    assert_eq!(comes(&mut second).await, !is_plain());
    for silent in [&mut first, &mut second, &mut third, &mut other] {
        let more = timeout(Duration::from_millis(10), silent.recv()).await;
        assert!(more.is_err(), "told without a signal");
    }
    drop(first);
    send(SignalKind::user_defined2());
    for listener in [&mut second, &mut third] {
        assert_eq!(comes(listener).await, !is_plain());
    }
}

#[tokio::test]
async fn several_that_nobody_waited_for_are_one() {
    let mut alarm = signal(SignalKind::alarm()).unwrap();
    for _ in 0..3 {
        send(SignalKind::alarm());
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(comes(&mut alarm).await, !is_plain());
    let more = timeout(Duration::from_millis(20), alarm.recv()).await;
    assert!(more.is_err(), "told twice");
}

#[tokio::test]
async fn poll_recv_is_ready_once() {
    let mut quit = signal(SignalKind::quit()).unwrap();
    assert!(poll_fn(|cx| Poll::Ready(quit.poll_recv(cx)))
        .await
        .is_pending());
    send(SignalKind::quit());
    if !is_plain() {
        assert_eq!(within(poll_fn(|cx| quit.poll_recv(cx))).await, Some(()));
    }
    assert!(poll_fn(|cx| Poll::Ready(quit.poll_recv(cx)))
        .await
        .is_pending());
}

/// There is no source, and the runtime never sleeps.
#[tokio::test]
async fn a_signal_is_told_to_a_program_that_works() {
    let mut user = signal(SignalKind::user_defined1()).unwrap();
    send(SignalKind::user_defined1());
    let work = async {
        for _ in 0..5_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = user.recv() => assert!(!is_plain()),
        () = work => assert!(is_plain(), "the signal was not told"),
    }
}

/// Listeners that are gone keep nothing of those who waited.
#[tokio::test]
async fn a_listener_that_is_gone_holds_no_task() {
    struct Held(std::sync::Arc<()>);

    let token = std::sync::Arc::new(());
    for _ in 0..10 {
        let held = Held(token.clone());
        let task = tokio::spawn(async move {
            let mut child = signal(SignalKind::child()).unwrap();
            let _ = timeout(Duration::from_millis(1), child.recv()).await;
            drop(held.0);
        });
        task.await.unwrap();
    }
    assert_eq!(std::sync::Arc::strong_count(&token), 1);
}

#[tokio::test]
async fn ctrl_c_is_sigterm_too_unless_the_program_listens_for_that() {
    // Natively it never is.
    let mut stop = Box::pin(ctrl_c());
    let pending = timeout(Duration::from_millis(10), &mut stop).await;
    assert!(pending.is_err());
    if plugin() {
        raise(SignalKind::terminate().as_raw_value());
        within(stop).await.unwrap();
        stop = Box::pin(ctrl_c());
        let pending = timeout(Duration::from_millis(10), &mut stop).await;
        assert!(pending.is_err());
    }

    let mut terminate = signal(SignalKind::terminate()).unwrap();
    send(SignalKind::terminate());
    assert_eq!(comes(&mut terminate).await, !is_plain());
    for mut stop in [stop, Box::pin(ctrl_c())] {
        let pending = timeout(Duration::from_millis(20), &mut stop).await;
        assert!(pending.is_err(), "the program took it itself");
    }
}

#[tokio::test]
async fn what_is_no_signal_or_cannot_be_taken_is_an_error() {
    for (number, kind) in [
        (0, ErrorKind::Other),
        (-1, ErrorKind::Other),
        (4, ErrorKind::Other),
        (8, ErrorKind::Other),
        (9, ErrorKind::Other),
        (11, ErrorKind::Other),
        (19, ErrorKind::Other),
        (65, ErrorKind::Other),
        (i32::MAX, ErrorKind::Other),
        (32, ErrorKind::InvalidInput),
    ] {
        let error = signal(SignalKind::from_raw(number)).unwrap_err();
        assert_eq!(error.kind(), kind, "{number}");
        if (1..=64).contains(&number) && kind == ErrorKind::Other {
            let expected = format!("Refusing to register signal {number}");
            assert_eq!(error.to_string(), expected);
        }
    }
    // SIGCONT: the plugin does not tell of it.
    match signal(SignalKind::from_raw(18)) {
        Ok(_) => assert!(!plugin()),
        Err(error) => {
            assert!(plugin(), "{error}");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
    }
}

#[test]
fn kinds_have_the_numbers_of_linux() {
    for (kind, number) in [
        (SignalKind::hangup(), 1),
        (SignalKind::interrupt(), 2),
        (SignalKind::quit(), 3),
        (SignalKind::user_defined1(), 10),
        (SignalKind::user_defined2(), 12),
        (SignalKind::pipe(), 13),
        (SignalKind::alarm(), 14),
        (SignalKind::terminate(), 15),
        (SignalKind::child(), 17),
        (SignalKind::window_change(), 28),
        (SignalKind::io(), 29),
    ] {
        assert_eq!(kind.as_raw_value(), number);
        assert_eq!(SignalKind::from(number), kind);
        assert_eq!(i32::from(kind), number);
    }
}
