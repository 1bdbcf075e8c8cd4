//! The host's poll in its own form, with pointers (feature `wasi_poll`).
//!
//! Only a wrong address is kept from the host here. Its rules are told at
//! [`fd::poll::poll_oneoff`](wasmedge_host::fd::poll::poll_oneoff), and
//! [`poll`](mod@crate::poll) keeps them by itself.

#![allow(unsafe_code)]

use std::io;
use std::mem::{align_of, size_of};
use wasmedge_host::{abi, backend, coalesce};

/// A file descriptor.
pub type Fd = u32;

/// A length in bytes.
pub type Filesize = u64;

/// A time in nanoseconds.
pub type Timestamp = u64;

/// A WASI error number.
pub type Errno = u16;

/// A clock.
pub type Clockid = u32;

/// The time of day.
pub const CLOCKID_REALTIME: Clockid = 0;

/// The time since some start.
pub const CLOCKID_MONOTONIC: Clockid = 1;

/// The processor time of the process. The host cannot wait for it.
pub const CLOCKID_PROCESS_CPUTIME_ID: Clockid = 2;

/// The processor time of the thread. The host cannot wait for it.
pub const CLOCKID_THREAD_CPUTIME_ID: Clockid = 3;

/// Comes back in the event.
pub type Userdata = u64;

/// What is waited for, or happened.
pub type Eventtype = u8;

/// A time.
pub const EVENTTYPE_CLOCK: Eventtype = abi::EventType::CLOCK.0;

/// A descriptor can be read.
pub const EVENTTYPE_FD_READ: Eventtype = abi::EventType::READ.0;

/// A descriptor can be written.
pub const EVENTTYPE_FD_WRITE: Eventtype = abi::EventType::WRITE.0;

/// Flags of an event.
pub type Eventrwflags = u16;

/// Both directions of the socket are shut, or it was never connected.
pub const EVENTRWFLAGS_FD_READWRITE_HANGUP: Eventrwflags = 1;

/// What an event tells of a descriptor.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct EventFdReadwrite {
    /// No length: the host puts 1 here, or 0.
    pub nbytes: Filesize,
    /// See [`EVENTRWFLAGS_FD_READWRITE_HANGUP`].
    pub flags: Eventrwflags,
}

/// The host's answer to a subscription.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Event {
    /// As given in the subscription.
    pub userdata: Userdata,
    /// Why it could not be waited for; else 0.
    pub error: Errno,
    /// What happened.
    pub type_: Eventtype,
    /// Of a descriptor.
    pub fd_readwrite: EventFdReadwrite,
}

impl Event {
    /// An event to be overwritten by the host.
    pub fn empty() -> Self {
        let fd_readwrite = EventFdReadwrite {
            flags: 0,
            nbytes: 0,
        };
        Event {
            fd_readwrite,
            type_: EVENTTYPE_CLOCK,
            error: 0,
            userdata: 0,
        }
    }
}

/// Flags of a clock.
pub type Subclockflags = u16;

/// The time is one of the clock's, and not one from now.
pub const SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME: Subclockflags = 1;

/// A time to wait for.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct SubscriptionClock {
    /// By which clock.
    pub id: Clockid,
    /// When.
    pub timeout: Timestamp,
    /// The host passes over it.
    pub precision: Timestamp,
    /// See [`SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME`].
    pub flags: Subclockflags,
}

/// A descriptor to wait for.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct SubscriptionFdReadwrite {
    /// Which.
    pub file_descriptor: Fd,
}

/// What to wait for, by the tag beside it.
#[derive(Clone, Copy)]
#[repr(C)]
pub union SubscriptionUU {
    /// For [`EVENTTYPE_CLOCK`].
    pub clock: SubscriptionClock,
    /// For [`EVENTTYPE_FD_READ`].
    pub fd_read: SubscriptionFdReadwrite,
    /// For [`EVENTTYPE_FD_WRITE`].
    pub fd_write: SubscriptionFdReadwrite,
}

/// What to wait for, and its kind.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct SubscriptionU {
    /// [`EVENTTYPE_CLOCK`] and so on.
    pub tag: Eventtype,
    /// By the tag.
    pub u: SubscriptionUU,
}

/// Something to wait for.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Subscription {
    /// Comes back in the event.
    pub userdata: Userdata,
    /// What.
    pub u: SubscriptionU,
}

// They stand in for the host layer's own.
const _: () = {
    assert!(size_of::<Subscription>() == size_of::<abi::Subscription>());
    assert!(align_of::<Subscription>() == align_of::<abi::Subscription>());
    assert!(size_of::<Event>() == size_of::<abi::Event>());
    assert!(align_of::<Event>() == align_of::<abi::Event>());
};

/// Waits, and returns how many events were written to the front of `out`. With
/// no subscription it returns at once: the host is not to be asked then.
///
/// # Safety
///
/// `in_` must point to `nsubscriptions` subscriptions, `out` to room for as many
/// events.
///
/// # Errors
///
/// The host's.
pub unsafe fn poll(
    in_: *const Subscription,
    out: *mut Event,
    nsubscriptions: usize,
) -> io::Result<usize> {
    // SAFETY: as the caller says; the layouts are the same.
    Ok(unsafe { backend::poll_foreign(in_.cast(), out.cast(), nsubscriptions) }?)
}

/// As [`poll`], by the addresses of the subscriptions, of the events, their
/// number and the address of the number of events. Returns the error, or 0.
///
/// # Safety
///
/// As [`poll`]; the last must be valid for writing a `u32`.
pub unsafe extern "C" fn poll_oneoff(arg0: i32, arg1: i32, arg2: i32, arg3: i32) -> i32 {
    let (subs, events) = (arg0 as usize as *const _, arg1 as usize as *mut _);
    coalesce::before_blocking();
    // SAFETY: as the caller says.
    match unsafe { backend::poll_foreign(subs, events, arg2 as usize) } {
        Ok(count) => {
            // SAFETY: as the caller says.
            unsafe { (arg3 as usize as *mut u32).write(count as u32) };
            0
        }
        Err(errno) => errno.raw().into(),
    }
}

/// [`poll_oneoff`]: the host's other poll has nothing over it (feature `epoll`).
///
/// # Safety
///
/// As [`poll_oneoff`].
#[cfg(feature = "epoll")]
pub unsafe extern "C" fn epoll_oneoff(arg0: i32, arg1: i32, arg2: i32, arg3: i32) -> i32 {
    // SAFETY: as the caller says.
    unsafe { poll_oneoff(arg0, arg1, arg2, arg3) }
}
