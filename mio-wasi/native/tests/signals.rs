//! Who is woken by which signal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::signals::Counts;

const HANGUP: i32 = 1;
const INTERRUPT: i32 = 2;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Count>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn who_waits_for_a_signal_is_woken_by_it_alone() {
    let mut counts = Counts::new();
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut cx = Context::from_waker(&waker);
    assert_eq!(counts.poll(INTERRUPT, 0, &mut cx), Poll::Pending);
    assert_eq!(counts.poll(INTERRUPT, 0, &mut cx), Poll::Pending);

    let came = |counts: &mut Counts, bits: u64| {
        let mut wakers = Vec::new();
        counts.add(bits);
        counts.take_wakers(bits, &mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        count.0.load(Ordering::Relaxed)
    };
    assert_eq!(came(&mut counts, 1 << HANGUP), 0);
    assert_eq!(counts.poll(INTERRUPT, 0, &mut cx), Poll::Pending);
    assert_eq!(
        came(&mut counts, 1 << INTERRUPT | 1 << 63),
        1,
        "once, though it asked twice"
    );
    assert_eq!(counts.poll(INTERRUPT, 0, &mut cx), Poll::Ready(1));
    assert_eq!(counts.poll(HANGUP, 0, &mut cx), Poll::Ready(1));
    assert_eq!(counts.poll(63, 0, &mut cx), Poll::Ready(1));
    assert_eq!(counts.poll(INTERRUPT, 1, &mut cx), Poll::Pending);
}

#[test]
fn numbers_of_no_signal_never_come() {
    let mut counts = Counts::new();
    counts.add(u64::MAX);
    let mut cx = Context::from_waker(Waker::noop());
    for signal in [-1, 64, i32::MAX, i32::MIN] {
        assert_eq!(counts.of(signal), 0);
        assert_eq!(counts.poll(signal, 0, &mut cx), Poll::Pending);
    }
    counts.take_wakers(u64::MAX, &mut Vec::new());
}
