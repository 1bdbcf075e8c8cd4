//! Waiting, and the clocks.

use super::abi::{Event, Subscription};
use super::conv::check;
use super::imports;
use crate::Errno;

fn clock(id: i32) -> Result<u64, Errno> {
    let mut nanos = 0;
    // SAFETY: the host writes one u64 to `nanos`, which is aligned for it.
    check(unsafe { imports::clock_time_get(id, 1, &mut nanos) })?;
    Ok(nanos)
}

/// The monotonic clock, nanoseconds.
pub fn monotonic_now() -> Result<u64, Errno> {
    clock(1)
}

/// The clock of the process's processor time, nanoseconds.
pub fn processor_time() -> Result<u64, Errno> {
    clock(2)
}

/// Waits for one of `subs`; the caller has seen to it that there is one.
pub fn poll(subs: &[Subscription], events: &mut [Event]) -> Result<usize, Errno> {
    // With no subscription the host corrupts its poller, and it writes as many
    // events as there are subscriptions.
    if subs.is_empty() || events.len() < subs.len() {
        return Err(Errno::INVAL);
    }
    let mut nevents = 0;
    // SAFETY: `events` has room for an event per subscription.
    check(unsafe {
        imports::poll_oneoff(
            subs.as_ptr(),
            events.as_mut_ptr(),
            subs.len() as u32,
            &mut nevents,
        )
    })?;
    Ok(nevents as usize)
}

/// As [`poll`], but a signal does not end the wait, nor leave the host in the state
/// that one leaves it in: the identical list is given to it once more. A clock may
/// then fire early, by what had passed before the signal.
pub fn poll_uninterrupted(subs: &[Subscription], events: &mut [Event]) -> Result<usize, Errno> {
    let mut interrupted = false;
    loop {
        let count = poll(subs, events)?;
        if events[..count]
            .iter()
            .any(|event| event.error() == Errno::INTR)
        {
            interrupted = true;
            continue;
        }
        if !interrupted {
            return Ok(count);
        }
        let mut kept = 0;
        for i in 0..count {
            if events[i].error() != Errno::EXIST {
                events[kept] = events[i];
                kept += 1;
            }
        }
        if kept > 0 || count == 0 {
            return Ok(kept);
        }
        // All are "not ready", and the host is in order again.
        interrupted = false;
    }
}

/// As [`poll`], of subscriptions and events by address.
///
/// # Safety
///
/// `subs` must point to `count` subscriptions in the host's form, `events` to
/// room for as many events.
pub unsafe fn poll_foreign(
    subs: *const Subscription,
    events: *mut Event,
    count: usize,
) -> Result<usize, Errno> {
    // See `poll`.
    if count == 0 {
        return Ok(0);
    }
    let mut nevents = 0;
    // SAFETY: as the caller says.
    check(unsafe { imports::poll_oneoff(subs, events, count as u32, &mut nevents) })?;
    Ok(nevents as usize)
}
