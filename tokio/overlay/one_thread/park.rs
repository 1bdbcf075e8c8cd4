//! Waits: what they do in the place of putting the thread to sleep.

use super::drive::{drive, drive_by_itself, drive_idle, Found, Limit, Others};
use super::runtimes::{is_in_background, number_of_runtimes, Alive};
use super::slice;
use crate::runtime::{context, scheduler};

use std::cell::Cell;
use std::time::Duration;

/// Drives the scheduler that the caller is part of, in the place of
/// putting the thread to sleep; outside of all runtimes, those that there are.
///
/// Returns when `notified` holds, when `timeout` is over, or when anything at
/// all was done; the caller checks and parks again. Returns `false`, having
/// done nothing, where there is nothing to drive: without any runtime, and
/// inside of its drivers.
pub(crate) fn park(timeout: Option<Duration>, notified: impl Fn() -> bool) -> bool {
    let limit = Limit {
        timeout,
        notified: &notified,
        others: Others::Drive,
    };
    drive_current(limit, Outside::All)
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
        return drive_current(limit, Outside::ByThemselves);
    }
    // A task that stops its thread. Where natively there are other workers,
    // the other tasks go on.
    let in_background = context::with_current(is_in_background);
    let waiting = WAITING_TASKS.get();
    if !in_background.unwrap_or(false) || waiting == MOST_WAITING_TASKS {
        return false;
    }
    WAITING_TASKS.set(waiting + 1);
    let driven = drive_current(limit, Outside::ByThemselves);
    WAITING_TASKS.set(waiting);
    driven
}

/// Which runtimes a wait drives that is outside of all of them.
#[derive(Clone, Copy)]
enum Outside {
    /// Those that natively go on by themselves.
    ByThemselves,
    /// Also those that nobody runs: natively the wait could only end by what they do.
    All,
}

fn drive_current(limit: Limit<'_>, outside: Outside) -> bool {
    // The scheduler shows itself only to its workers.
    context::one_thread::as_worker(|| {
        let in_one = context::with_scheduler(|scheduler| match scheduler {
            Some(scheduler::Context::CurrentThread(cx)) => Some(drive(cx, limit).is_some()),
            _ => None,
        });
        in_one.unwrap_or_else(|| drive_outside(limit, outside))
    })
}

fn drive_outside(limit: Limit<'_>, outside: Outside) -> bool {
    let count = number_of_runtimes();
    let mut limit = limit;
    let mut driven = false;
    let mut found = Found::Nothing;
    if count > 1 {
        limit.timeout = Some(slice::next(limit.timeout));
        limit.others = Others::Leave;
    }
    for n in 0..count {
        let Some(runtime) = Alive::get(n) else {
            continue;
        };
        let this = match outside {
            Outside::All => drive_idle(runtime.handle, &runtime.slot, limit),
            Outside::ByThemselves => drive_by_itself(&runtime, limit),
        };
        if let Some(this) = this {
            driven = true;
            // Only one of them waits.
            limit.timeout = Some(Duration::ZERO);
            if this == Found::Work {
                found = this;
            }
        }
    }
    if found == Found::Work {
        slice::reset();
    }
    driven
}
