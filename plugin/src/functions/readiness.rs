//! Waiting: epoll and poll.
//!
//! What is registered stays so until it is closed, and is told of by edges: the kernel
//! says once that something happened, however often it is asked.

use crate::memory::words;
use crate::sys::{MAX_EVENTS, PollFd, Region};
use crate::table::{Kind, Lease};
use crate::{Call, Errno, Outcome, sys};

/// What can be asked for. Errors and hang-ups are told of anyway.
const INTEREST: u32 = (libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT | libc::EPOLLRDHUP) as u32;

/// The guest's record of an event: the data in 8 bytes, what happened in 4, and 4 zeros.
const EVENT: u32 = 16;

/// The guest's record of what to poll, the system's own with a number of ours in it.
const ENTRY: u32 = 8;

/// The most that is polled in one call.
const MOST_ENTRIES: u32 = 1024;

fn epoll_of<'a>(call: &Call<'a>, number: u32) -> Result<Lease<'a>, Errno> {
    let lease = call.state.table.get(number)?;
    if lease.kind == Kind::Epoll {
        Ok(lease)
    } else {
        Err(Errno::INVAL)
    }
}

/// A time in nanoseconds; less than nothing is for ever.
fn timeout(nanos: i64) -> Option<u64> {
    u64::try_from(nanos).ok()
}

pub(super) fn create(call: &Call<'_>) -> Outcome {
    let epoll = sys::epoll()?;
    call.state.table.insert(epoll, Kind::Epoll).map(i64::from)
}

fn control(
    call: &Call<'_>,
    epoll: u32,
    operation: i32,
    number: u32,
    interest: u32,
    data: u64,
) -> Outcome {
    let epoll = epoll_of(call, epoll)?;
    let lease = call.state.table.get(number)?;
    // One inside of another can be a circle.
    if lease.kind == Kind::Epoll || interest & !INTEREST != 0 {
        return Err(Errno::INVAL);
    }
    let events = interest | libc::EPOLLET as u32;
    sys::epoll_control(epoll.fd, operation, lease.fd, events, data)
}

pub(super) fn add(call: &Call<'_>, epoll: u32, number: u32, interest: u32, data: u64) -> Outcome {
    control(call, epoll, libc::EPOLL_CTL_ADD, number, interest, data)
}

pub(super) fn modify(
    call: &Call<'_>,
    epoll: u32,
    number: u32,
    interest: u32,
    data: u64,
) -> Outcome {
    control(call, epoll, libc::EPOLL_CTL_MOD, number, interest, data)
}

pub(super) fn remove(call: &Call<'_>, epoll: u32, number: u32) -> Outcome {
    control(call, epoll, libc::EPOLL_CTL_DEL, number, 0, 0)
}

/// Room for events, and how many.
fn room<'a>(call: &Call<'a>, events: u32, max: u32) -> Result<(Region<'a>, u32), Errno> {
    if max == 0 {
        return Err(Errno::INVAL);
    }
    let max = max.min(MAX_EVENTS as u32);
    Ok((call.memory.records(events, max, EVENT)?, max))
}

fn wait_for(epoll: &Lease<'_>, room: Region<'_>, max: u32, timeout: Option<u64>) -> Outcome {
    sys::epoll_wait(epoll.fd, max as usize, timeout, |i, events, data| {
        let mut record = [0; EVENT as usize];
        record[..8].copy_from_slice(&data.to_le_bytes());
        record[8..12].copy_from_slice(&events.to_le_bytes());
        if let Some(room) = room.part(i as u32 * EVENT, EVENT) {
            room.copy_from(&record);
        }
    })
}

pub(super) fn wait(call: &Call<'_>, epoll: u32, events: u32, max: u32, nanos: i64) -> Outcome {
    let epoll = epoll_of(call, epoll)?;
    let (room, max) = room(call, events, max)?;
    wait_for(&epoll, room, max, timeout(nanos))
}

/// The system's `poll`: each record is the number, what is asked, and what is told.
pub(super) fn poll(call: &Call<'_>, entries: u32, count: u32, nanos: i64) -> Outcome {
    if count > MOST_ENTRIES {
        return Err(Errno::INVAL);
    }
    let records = call.memory.records(entries, count, ENTRY)?;
    let mut leases = Vec::with_capacity(count as usize);
    let mut list = Vec::with_capacity(count as usize);
    let mut refused = 0;
    for i in 0..count {
        let record = records.part(i * ENTRY, ENTRY).ok_or(Errno::FAULT)?;
        let mut bytes = [0; ENTRY as usize];
        record.copy_to(&mut bytes);
        let [number, events] = words(bytes);
        let lease = call.state.table.get(number).ok();
        refused += i64::from(lease.is_none());
        list.push(PollFd {
            // The system leaves those below 0 out.
            fd: lease.as_ref().map_or(-1, |lease| lease.fd),
            events: events as i16,
            revents: 0,
        });
        leases.push(lease);
    }
    // As natively: a number that is not open is told of at once.
    let timeout = if refused > 0 { Some(0) } else { timeout(nanos) };
    let found = sys::poll(&mut list, timeout)?;
    for (i, (entry, lease)) in list.iter().zip(&leases).enumerate() {
        let told = match lease {
            Some(_) => entry.revents,
            None => libc::POLLNVAL,
        };
        if let Some(room) = records.part(i as u32 * ENTRY + 6, 2) {
            room.copy_from(&told.to_le_bytes());
        }
    }
    Ok(found + refused)
}
