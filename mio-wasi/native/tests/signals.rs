//! Who is woken by which signal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::signals::{ListenerId, Listeners};

const HANGUP: i32 = 1;
const INTERRUPT: i32 = 2;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Count>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Listeners, and how often the waker was woken that all of them are given.
struct Rig {
    listeners: Listeners,
    count: Arc<Count>,
    waker: Waker,
}

impl Rig {
    fn new() -> Rig {
        let count = Arc::new(Count::default());
        Rig {
            listeners: Listeners::new(),
            waker: Waker::from(count.clone()),
            count,
        }
    }

    fn poll(&mut self, id: ListenerId) -> Poll<()> {
        let mut cx = Context::from_waker(&self.waker);
        self.listeners.poll(id, &mut cx).0
    }

    /// Signals come. Gives how often the waker was woken by them.
    fn come(&mut self, bits: u64) -> usize {
        let before = self.count.0.load(Ordering::Relaxed);
        let mut wakers = Vec::new();
        self.listeners.add(bits);
        self.listeners.take_wakers(bits, &mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        self.count.0.load(Ordering::Relaxed) - before
    }

    /// How many wakers are kept.
    fn kept(&self) -> usize {
        // One is the rig's, and one its waker's.
        Arc::strong_count(&self.count) - 2
    }
}

#[test]
fn who_waits_for_a_signal_is_woken_by_it_alone() {
    let mut rig = Rig::new();
    let (interrupt, hangup) = (rig.listeners.open(INTERRUPT), rig.listeners.open(HANGUP));
    assert_eq!(rig.poll(interrupt), Poll::Pending);
    assert_eq!(rig.poll(interrupt), Poll::Pending);
    assert_eq!(rig.come(1 << HANGUP), 0, "nobody waits");
    assert_eq!(rig.poll(interrupt), Poll::Pending);
    let woken = rig.come(1 << INTERRUPT | 1 << 63);
    assert_eq!(woken, 1, "once, though it asked twice");
    assert_eq!(rig.poll(interrupt), Poll::Ready(()));
    assert_eq!(rig.poll(interrupt), Poll::Pending);
    assert_eq!(rig.poll(hangup), Poll::Ready(()));
}

#[test]
fn each_listener_is_told_once_of_all_that_came_since() {
    let mut rig = Rig::new();
    let first = rig.listeners.open(INTERRUPT);
    let second = rig.listeners.open(INTERRUPT);
    rig.come(1 << INTERRUPT);
    rig.come(1 << INTERRUPT);
    let third = rig.listeners.open(INTERRUPT);
    for (id, expected) in [
        (first, Poll::Ready(())),
        (first, Poll::Pending),
        (second, Poll::Ready(())),
        (third, Poll::Pending),
    ] {
        assert_eq!(rig.poll(id), expected);
    }
    assert_eq!(rig.poll(second), Poll::Pending);
    assert_eq!(rig.come(1 << INTERRUPT), 3);
}

#[test]
fn a_listener_that_is_gone_keeps_no_waker() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        let id = rig.listeners.open(INTERRUPT);
        assert_eq!(rig.poll(id), Poll::Pending);
        assert_eq!(rig.kept(), 1);
        assert!(rig.listeners.close(id).is_some());
        assert_eq!(rig.kept(), 0);
        assert!(rig.listeners.close(id).is_none());
        assert_eq!(rig.poll(id), Poll::Pending, "nobody listens");
    }
    assert_eq!(rig.come(1 << INTERRUPT), 0);
}

#[test]
fn the_last_waker_counts() {
    let mut rig = Rig::new();
    let id = rig.listeners.open(INTERRUPT);
    assert_eq!(rig.poll(id), Poll::Pending);
    let (result, before) = rig
        .listeners
        .poll(id, &mut Context::from_waker(Waker::noop()));
    assert_eq!(result, Poll::Pending);
    assert!(before.is_some_and(|before| before.will_wake(&rig.waker)));
    assert_eq!(rig.come(1 << INTERRUPT), 0);
}

#[test]
fn numbers_of_no_signal_never_come() {
    let mut rig = Rig::new();
    for signal in [-1, 64, i32::MAX, i32::MIN] {
        let id = rig.listeners.open(signal);
        assert_eq!(rig.poll(id), Poll::Pending);
        assert_eq!(rig.come(u64::MAX), 0, "{signal}");
        assert_eq!(rig.poll(id), Poll::Pending);
    }
}
