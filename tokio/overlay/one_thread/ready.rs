//! Which runtimes have to be driven, beside the one that waits: those that may have
//! something to do, and the others as soon as a timer of theirs is due.
//!
//! A runtime becomes ready when somebody unparks it (a wake from outside, a timer that is
//! earlier than the others), when a closure is queued, when the wait of another one finds
//! an event of its sources, and when it is left with work. It is ready no longer when
//! driving it found nothing to do. So idle runtimes cost nothing, however many there are.
//!
//! With a single runtime nothing is noted: whoever waits drives it. The first one becomes
//! ready when the second comes.

use super::runtimes::{number_of_runtimes, with_known, Alive, Id};
use crate::runtime::blocking;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use wasmedge_host::thread::{no_longer_than_until_work, now};

/// Who is to be driven.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// What natively goes on by itself: multi-thread runtimes, those that are at work
    /// further down on the stack, and closures of any.
    ByThemselves,
    /// Also runtimes that nobody runs.
    All,
}

tokio_thread_local! {
    static READY: RefCell<BTreeSet<Id>> = const { RefCell::new(BTreeSet::new()) };
    /// When the first timer of a runtime is due that was driven. By the host's clock.
    static TIMERS: RefCell<BTreeSet<(Duration, Id)>> = const { RefCell::new(BTreeSet::new()) };
    /// How many entries there are in both: mostly none, and asked all the time.
    static ENTRIES: Cell<usize> = const { Cell::new(0) };
}

/// Whether no runtime is ready, nor is a timer of one waited for.
fn is_quiet() -> bool {
    ENTRIES.try_with(Cell::get).unwrap_or(0) == 0
}

/// Counts an entry that has come or gone.
fn count(entries: isize) {
    let _ = ENTRIES.try_with(|all| all.set(all.get().wrapping_add_signed(entries)));
}

/// The runtime may have something to do.
pub(super) fn add(id: Id) {
    if number_of_runtimes() > 1 && with_known(id, |_| ()).is_some() {
        count(isize::from(
            READY.with(|ready| ready.borrow_mut().insert(id)),
        ));
    }
}

/// The runtime that has this is unparked.
pub(crate) fn unpark<T>(io: &T) {
    add(Id::of_io(io));
}

/// What wakes it makes the runtime ready.
pub(super) fn waker(id: Id) -> Waker {
    struct Ready(Id);
    impl Wake for Ready {
        fn wake(self: Arc<Self>) {
            add(self.0);
        }
    }
    Waker::from(Arc::new(Ready(id)))
}

/// The runtime is about to be driven: it is not ready, nor waits for a timer.
pub(super) fn remove(id: Id) {
    if is_quiet() {
        return;
    }
    let was_ready = READY.try_with(|ready| ready.borrow_mut().remove(&id));
    count(-isize::from(was_ready.unwrap_or(false)));
    set_timer(id, None);
}

/// The runtime has been driven, and its first timer is due after so long.
pub(super) fn set_timer(id: Id, after: Option<Duration>) {
    let due = after.map(|after| now().saturating_add(after));
    let before = with_known(id, |known| std::mem::replace(&mut known.timer, due)).flatten();
    if before == due {
        return;
    }
    let _ = TIMERS.try_with(|timers| {
        let mut timers = timers.borrow_mut();
        if let Some(before) = before {
            count(-isize::from(timers.remove(&(before, id))));
        }
        if let Some(due) = due {
            count(isize::from(timers.insert((due, id))));
        }
    });
}

/// Runtimes with a timer that is due are ready.
fn note_due() {
    loop {
        let first = TIMERS.with(|timers| timers.borrow().first().copied());
        match first {
            Some((due, id)) if due <= now() => {
                set_timer(id, None);
                add(id);
            }
            _ => return,
        }
    }
}

/// Whether a runtime besides `me` may have something to do, as far as is known without
/// looking at the clock, which is dear.
pub(super) fn is_any_but(me: Id) -> bool {
    !is_quiet()
        && READY.with(|ready| {
            let ready = ready.borrow();
            let mut others = ready.iter().filter(|&&id| id != me);
            others.any(|&id| Alive::get(id).is_some_and(|other| other.goes_on(Who::ByThemselves)))
        })
}

/// As [`is_any_but`], timers included.
pub(super) fn is_any_due_but(me: Id) -> bool {
    if is_quiet() {
        return false;
    }
    note_due();
    is_any_but(me)
}

/// Those that are to be driven now.
pub(super) fn list(who: Who) -> Vec<Alive> {
    note_due();
    let ids: Vec<Id> = match number_of_runtimes() {
        1 => super::runtimes::ids(),
        _ => READY.with(|ready| ready.borrow().iter().copied().collect()),
    };
    let alive = ids.into_iter().filter_map(Alive::get);
    alive.filter(|runtime| runtime.goes_on(who)).collect()
}

/// How long a wait may take that was asked to take `timeout` at most, since it is for all
/// runtimes: not at all where one is ready, and no longer than until the next timer. Timers
/// of other libraries, which natively have threads for them, count.
pub(super) fn longest_wait(timeout: Option<Duration>, who: Who) -> Option<Duration> {
    let timeout = no_longer_than_until_work(timeout);
    if is_quiet() {
        return timeout;
    }
    note_due();
    let is_ready = READY.with(|ready| {
        let ready = ready.borrow();
        let mut all = ready.iter();
        all.any(|&id| Alive::get(id).is_some_and(|runtime| runtime.goes_on(who)))
    });
    if is_ready {
        return Some(Duration::ZERO);
    }
    let Some(timer) = TIMERS.with(|timers| timers.borrow().first().copied()) else {
        return timeout;
    };
    let until_timer = timer.0.saturating_sub(now());
    Some(timeout.map_or(until_timer, |timeout| timeout.min(until_timer)))
}

impl Alive {
    /// Whether it is among those that are to be driven.
    fn goes_on(&self, who: Who) -> bool {
        who == Who::All
            || self.in_background
            || super::outer::is_outer(&self.handle)
            || blocking::one_thread::is_waiting(&self.handle.blocking_spawner)
    }
}
