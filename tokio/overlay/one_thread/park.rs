//! Waits: what they do in the place of putting the thread to sleep.

use super::drive::{drive, drive_ready, Limit, Others};
use super::ready::{self, Who};
use super::runtimes::{is_in_background, number_of_runtimes};
use crate::runtime::{context, driver, scheduler};

use std::cell::Cell;
use std::time::Duration;

/// Drives the scheduler that the caller is part of, in the place of
/// putting the thread to sleep; outside of all runtimes, those that there are.
///
/// Returns when `notified` holds, when `timeout` is over, or when anything at
/// all was done; the caller checks and parks again. Returns `false`, having
/// done nothing, where there is nothing to drive or to wait for.
pub(crate) fn park(timeout: Option<Duration>, notified: impl Fn() -> bool) -> bool {
    let limit = Limit {
        timeout,
        notified: &notified,
        others: Others::Drive,
    };
    // A scheduler without an I/O driver parks here, too: nothing of it can be driven then.
    let may_be_driver = context::one_thread::is_worker();
    drive_current(limit, Who::All)
        || (may_be_driver && is_anything_due() && wait_for_all(timeout, Who::ByThemselves))
}

/// Whether a wait may have to end for others than the scheduler that waits.
fn is_anything_due() -> bool {
    number_of_runtimes() > 1 || wasmedge_host::thread::until_work().is_some()
}

/// How long the drivers of a runtime may wait that were asked to wait for `timeout` at
/// most: another one may have something to do before that.
pub(crate) fn longest_wait(timeout: Option<Duration>) -> Option<Duration> {
    if timeout == Some(Duration::ZERO) {
        return timeout;
    }
    ready::longest_wait(timeout, Who::ByThemselves)
}

/// Waits until any runtime has something to do.
fn wait_for_all(timeout: Option<Duration>, who: Who) -> bool {
    let timeout = ready::longest_wait(timeout, who);
    if timeout != Some(Duration::ZERO) {
        driver::wait_beside(timeout);
    }
    true
}

/// How many waits of tasks may lie on each other on the stack. Natively the
/// number of workers is the limit.
const MOST_WAITING_TASKS: usize = 16;

/// What the host layer does in the place of putting the thread to sleep; see
/// there for what it promises.
pub(super) fn wait(timeout: Option<Duration>) -> bool {
    thread_local! {
        static WAITING_TASKS: Cell<usize> = const { Cell::new(0) };
    }
    let limit = Limit {
        timeout,
        notified: &|| false,
        others: Others::Drive,
    };
    if !context::one_thread::is_worker() {
        return drive_current(limit, Who::ByThemselves);
    }
    // A task that stops its thread. Where natively there are other workers,
    // the other tasks go on.
    let in_background = context::with_current(is_in_background);
    let waiting = WAITING_TASKS.get();
    if !in_background.unwrap_or(false) || waiting == MOST_WAITING_TASKS {
        return false;
    }
    WAITING_TASKS.set(waiting + 1);
    let driven = drive_current(limit, Who::ByThemselves);
    WAITING_TASKS.set(waiting);
    driven
}

fn drive_current(limit: Limit<'_>, who: Who) -> bool {
    // The scheduler shows itself only to its workers.
    context::one_thread::as_worker(|| {
        let in_one = context::with_scheduler(|scheduler| match scheduler {
            Some(scheduler::Context::CurrentThread(cx)) => Some(drive(cx, limit).is_some()),
            _ => None,
        });
        in_one.unwrap_or_else(|| drive_outside(limit, who))
    })
}

/// Outside of all runtimes. `who` is [`Who::All`] where natively the wait could end only
/// by what a runtime does.
fn drive_outside(limit: Limit<'_>, who: Who) -> bool {
    if wasmedge_host::thread::work() {
        return true;
    }
    if number_of_runtimes() == 0 {
        return false;
    }
    if drive_ready(who, None) || (limit.notified)() {
        return true;
    }
    wait_for_all(limit.timeout, who)
}
