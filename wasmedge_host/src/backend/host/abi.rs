//! Types that cross the border between guest and host.
//!
//! Pointers are `u32`, as in wasm32, on every target: the layouts below hold
//! natively too, and logic built on them can be tested without a host.

use crate::Errno;
use std::fmt;
use std::mem::{align_of, offset_of, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A buffer of the guest: address and length in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Iovec {
    /// Guest address of the first byte.
    pub buf: u32,
    /// Length in bytes.
    pub len: u32,
}

/// A buffer holding a network address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Address {
    /// Guest address of the first byte.
    pub buf: u32,
    /// Length in bytes.
    pub len: u32,
}

/// Address family of a socket.
///
/// The host ends the process on a family it does not know, so there is no
/// "unspecified" here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AddressFamily {
    /// IPv4.
    Inet4 = 1,
    /// IPv6.
    Inet6 = 2,
    /// Unix domain. WasmEdge has it with `--allow-af-unix` only.
    Unix = 3,
}

impl AddressFamily {
    /// The family of an IP address.
    pub const fn of(addr: &SocketAddr) -> AddressFamily {
        match addr {
            SocketAddr::V4(_) => AddressFamily::Inet4,
            SocketAddr::V6(_) => AddressFamily::Inet6,
        }
    }

    /// The address that a socket has before it has one.
    pub const fn unspecified(self) -> SocketAddr {
        match self {
            AddressFamily::Inet6 => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
            _ => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        }
    }
}

/// Type of a socket.
///
/// The host ends the process when a lookup asks for "any" type, so there is no
/// such value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SocketType {
    /// Datagrams: UDP, Unix datagrams.
    Datagram = 1,
    /// A byte stream: TCP, Unix streams.
    Stream = 2,
}

/// What a subscription waits for, or what an event reports.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct EventType(pub u8);

impl EventType {
    /// A timer.
    pub const CLOCK: EventType = EventType(0);
    /// Readable.
    pub const READ: EventType = EventType(1);
    /// Writable.
    pub const WRITE: EventType = EventType(2);
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            EventType::CLOCK => f.write_str("CLOCK"),
            EventType::READ => f.write_str("READ"),
            EventType::WRITE => f.write_str("WRITE"),
            EventType(other) => write!(f, "EventType({other})"),
        }
    }
}

const CLOCK_MONOTONIC: u32 = 1;

/// One thing to wait for in a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Subscription {
    userdata: u64,
    tag: EventType,
    _pad0: [u8; 7],
    /// Clock id, or file descriptor.
    target: u32,
    _pad1: u32,
    timeout: u64,
    precision: u64,
    flags: u16,
    _pad2: [u8; 6],
}

impl Subscription {
    const fn new(userdata: u64, tag: EventType, target: u32, timeout: u64) -> Subscription {
        Subscription {
            userdata,
            tag,
            _pad0: [0; 7],
            target,
            _pad1: 0,
            timeout,
            precision: 0,
            flags: 0,
            _pad2: [0; 6],
        }
    }

    /// Fires `nanos` nanoseconds from the start of the poll, on the monotonic
    /// clock. 0 fires at once; `u64::MAX` never does.
    pub const fn clock_relative(userdata: u64, nanos: u64) -> Subscription {
        Subscription::new(userdata, EventType::CLOCK, CLOCK_MONOTONIC, nanos)
    }

    /// Fires while `fd` is readable.
    pub const fn read(userdata: u64, fd: i32) -> Subscription {
        Subscription::new(userdata, EventType::READ, fd as u32, 0)
    }

    /// Fires while `fd` is writable.
    pub const fn write(userdata: u64, fd: i32) -> Subscription {
        Subscription::new(userdata, EventType::WRITE, fd as u32, 0)
    }

    /// The value that comes back in the event.
    pub const fn userdata(&self) -> u64 {
        self.userdata
    }

    /// What is waited for.
    pub const fn event_type(&self) -> EventType {
        self.tag
    }

    /// The file descriptor, unless this is a clock.
    pub const fn fd(&self) -> Option<i32> {
        if self.tag.0 == EventType::CLOCK.0 {
            None
        } else {
            Some(self.target as i32)
        }
    }

    /// Which clock it is, if it is one.
    pub const fn clock(&self) -> i32 {
        self.target as i32
    }

    /// Whether the clock is to show the time-out, and not to run for so long.
    pub const fn is_absolute(&self) -> bool {
        self.flags & 1 != 0
    }

    /// The time-out in nanoseconds, if this is a clock.
    pub const fn nanos(&self) -> Option<u64> {
        if self.tag.0 == EventType::CLOCK.0 {
            Some(self.timeout)
        } else {
            None
        }
    }
}

/// The host's answer to one [`Subscription`].
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Event {
    userdata: u64,
    error: u16,
    tag: EventType,
    _pad0: [u8; 5],
    // The host fills this with 1 (or 0, on a listener), not with a length.
    nbytes: u64,
    flags: u16,
    _pad1: [u8; 6],
}

impl Event {
    const HANGUP: u16 = 1;

    /// An event with nothing in it, to be overwritten by the host.
    pub const EMPTY: Event = Event::new(0, EventType::CLOCK, Errno::SUCCESS, false);

    /// An event as the host would write it.
    pub const fn new(userdata: u64, tag: EventType, error: Errno, hangup: bool) -> Event {
        Event {
            userdata,
            error: error.raw(),
            tag,
            _pad0: [0; 5],
            nbytes: 0,
            flags: if hangup { Event::HANGUP } else { 0 },
            _pad1: [0; 6],
        }
    }

    /// The value given in the subscription.
    pub const fn userdata(&self) -> u64 {
        self.userdata
    }

    /// Why the subscription could not be waited for; [`Errno::SUCCESS`] when it
    /// fired. Errors of the socket itself do not show here.
    pub const fn error(&self) -> Errno {
        Errno::from_raw(self.error)
    }

    /// What fired.
    pub const fn event_type(&self) -> EventType {
        self.tag
    }

    /// The raw flags.
    pub const fn flags(&self) -> u16 {
        self.flags
    }

    /// Both directions of the socket are shut, or it was never connected.
    pub const fn is_hangup(&self) -> bool {
        self.flags & Event::HANGUP != 0
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("userdata", &self.userdata)
            .field("type", &self.tag)
            .field("error", &self.error())
            .field("hangup", &self.is_hangup())
            .finish()
    }
}

/// What the host tells about a file descriptor.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(8))]
pub struct FdStat {
    /// File type. The host says "stream socket" for every socket.
    pub filetype: u8,
    /// Flags; see [`FDFLAGS_NONBLOCK`].
    pub flags: u16,
    /// Rights of this descriptor.
    pub rights_base: u64,
    /// Rights of descriptors made from it.
    pub rights_inheriting: u64,
}

/// Flag of a non-blocking file descriptor.
pub const FDFLAGS_NONBLOCK: u16 = 4;
/// Receive flag: leave the data in the queue.
pub const RIFLAGS_PEEK: u16 = 1;
/// Receive flag: wait until the buffer is full.
pub const RIFLAGS_WAITALL: u16 = 2;

/// Buffers the host takes in one call; one more is an error.
pub const MAX_IOVECS: usize = 1024;

/// One entry of a name lookup, as hint and as answer.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct AddrInfo {
    /// Lookup flags.
    pub flags: u16,
    /// Address family; 0 in a hint means any.
    pub family: u8,
    /// Socket type. Never 0 in a hint.
    pub socktype: u8,
    /// Protocol; 0 means any.
    pub protocol: u8,
    /// Length of the address in bytes.
    pub addrlen: u32,
    /// Guest address of a [`SockAddr`].
    pub addr: u32,
    /// Guest address of the buffer of the canonical name.
    pub canonname: u32,
    /// Length of the canonical name in bytes.
    pub canonname_len: u32,
    /// Guest address of the next entry.
    pub next: u32,
}

/// An address in a lookup's answer.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct SockAddr {
    /// Address family.
    pub family: u8,
    /// Length of the data in bytes.
    pub data_len: u32,
    /// Guest address of the data.
    pub data: u32,
}

macro_rules! assert_layout {
    ($($ty:ident: $size:literal, $align:literal { $($field:ident @ $offset:literal),* $(,)? })*) => {
        $(const _: () = {
            assert!(size_of::<$ty>() == $size);
            assert!(align_of::<$ty>() == $align);
            $(assert!(offset_of!($ty, $field) == $offset);)*
        };)*
    };
}

assert_layout! {
    Iovec: 8, 4 { buf @ 0, len @ 4 }
    Address: 8, 4 { buf @ 0, len @ 4 }
    Subscription: 48, 8 {
        userdata @ 0, tag @ 8, target @ 16, timeout @ 24, precision @ 32, flags @ 40,
    }
    Event: 32, 8 { userdata @ 0, error @ 8, tag @ 10, nbytes @ 16, flags @ 24 }
    FdStat: 24, 8 { filetype @ 0, flags @ 2, rights_base @ 8, rights_inheriting @ 16 }
    AddrInfo: 28, 4 {
        flags @ 0, family @ 2, socktype @ 3, protocol @ 4, addrlen @ 8, addr @ 12,
        canonname @ 16, canonname_len @ 20, next @ 24,
    }
    SockAddr: 12, 4 { family @ 0, data_len @ 4, data @ 8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_say_what_they_were_made_of() {
        let read = Subscription::read(7, 2_000_000_000);
        assert_eq!(read.userdata(), 7);
        assert_eq!(read.event_type(), EventType::READ);
        assert_eq!(read.fd(), Some(2_000_000_000));
        assert_eq!(read.nanos(), None);

        let write = Subscription::write(u64::MAX, 3);
        assert_eq!(write.userdata(), u64::MAX);
        assert_eq!(write.event_type(), EventType::WRITE);
        assert_eq!(write.fd(), Some(3));

        let clock = Subscription::clock_relative(1, u64::MAX);
        assert_eq!(clock.event_type(), EventType::CLOCK);
        assert_eq!(clock.fd(), None);
        assert_eq!(clock.nanos(), Some(u64::MAX));
    }

    #[test]
    fn clocks_are_monotonic_and_relative() {
        let clock = Subscription::clock_relative(1, 5);
        assert_eq!(clock.target, 1);
        assert_eq!(clock.flags, 0);
    }

    #[test]
    fn families() {
        let of = |addr: &str| AddressFamily::of(&addr.parse().unwrap());
        assert_eq!(of("0.0.0.0:0"), AddressFamily::Inet4);
        assert_eq!(of("[::]:0"), AddressFamily::Inet6);
        for family in [AddressFamily::Inet4, AddressFamily::Inet6] {
            assert_eq!(AddressFamily::of(&family.unspecified()), family);
            assert_eq!(family.unspecified().port(), 0);
        }
    }

    #[test]
    fn events_carry_error_and_hangup() {
        let event = Event::new(9, EventType::WRITE, Errno::BADF, true);
        assert_eq!(event.userdata(), 9);
        assert_eq!(event.event_type(), EventType::WRITE);
        assert_eq!(event.error(), Errno::BADF);
        assert!(event.is_hangup());
        assert!(!Event::EMPTY.is_hangup());
        assert_eq!(Event::EMPTY.error(), Errno::SUCCESS);
    }
}
