//! Watchers that poll, on the only thread there is.
//!
//! Natively each has a thread that sleeps from one look to the next. Here whoever waits does
//! so no longer than that, and looks: tokio's scheduler, `sleep`. A program that never waits
//! sees no event.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

struct Poller {
    /// `None`: only when asked.
    due: Option<Instant>,
    delay: Option<Duration>,
    asked: Box<dyn FnMut() -> bool + Send>,
    look: Box<dyn FnMut() -> bool + Send>,
}

/// Taken out while they are served: what they tell goes to code of others.
static POLLERS: Mutex<Vec<Poller>> = Mutex::new(Vec::new());

fn lock() -> MutexGuard<'static, Vec<Poller>> {
    POLLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a watcher, as natively its thread would start. `asked` says whether it is to look
/// before its time, `look` looks, and says whether it goes on.
pub(crate) fn add(
    delay: Option<Duration>,
    asked: impl FnMut() -> bool + Send + 'static,
    look: impl FnMut() -> bool + Send + 'static,
) {
    lock().push(Poller {
        due: Some(Instant::now()),
        delay,
        asked: Box::new(asked),
        look: Box::new(look),
    });
    wasmedge_host::thread::on_idle(serve);
    announce();
}

/// Somebody may be asked to look.
pub(crate) fn announce() {
    wasmedge_host::thread::announce_work();
}

/// Lets those look whose time has come. `false` where there is none.
fn serve() -> bool {
    let now = Instant::now();
    let mut pollers = std::mem::take(&mut *lock());
    let mut has_looked = false;
    pollers.retain_mut(|poller| {
        if !(poller.asked)() && poller.due.is_none_or(|due| now < due) {
            return true;
        }
        has_looked = true;
        let goes_on = (poller.look)();
        // As natively: the time of the look itself is not part of the delay.
        poller.due = poller
            .delay
            .and_then(|delay| Instant::now().checked_add(delay));
        goes_on
    });
    let mut all = lock();
    // Those that came meanwhile stay.
    all.append(&mut pollers);
    let next = all.iter().filter_map(|poller| poller.due).min();
    drop(all);
    if let Some(next) = next {
        let after = next.saturating_duration_since(Instant::now());
        wasmedge_host::thread::announce_work_after(after);
    }
    has_looked
}
