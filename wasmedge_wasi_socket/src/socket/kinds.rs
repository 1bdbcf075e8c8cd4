//! Families, types, options and flags, with the numbers that the host has for
//! them.

use std::io;
use std::net::SocketAddr;
use wasmedge_host::{abi, Errno};

/// A family of addresses.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum AddressFamily {
    /// None in particular. No socket is of this family.
    Unspec,
    /// IPv4.
    Inet4,
    /// IPv6.
    Inet6,
}

impl AddressFamily {
    /// Whether it is [`Unspec`](Self::Unspec).
    pub fn is_unspec(&self) -> bool {
        self.known().is_none()
    }

    /// Whether it is IPv4.
    pub fn is_v4(&self) -> bool {
        self.known() == Some(abi::AddressFamily::Inet4)
    }

    /// Whether it is IPv6.
    pub fn is_v6(&self) -> bool {
        self.known() == Some(abi::AddressFamily::Inet6)
    }

    pub(super) fn known(self) -> Option<abi::AddressFamily> {
        match self {
            Self::Inet4 => Some(abi::AddressFamily::Inet4),
            Self::Inet6 => Some(abi::AddressFamily::Inet6),
            Self::Unspec => None,
        }
    }

    /// The family of this number; `None` for one that is not an IP family.
    pub(super) fn of_number(number: u8) -> Option<AddressFamily> {
        [Self::Inet4, Self::Inet6]
            .into_iter()
            .find(|family| *family as u8 == number)
    }
}

impl From<&SocketAddr> for AddressFamily {
    fn from(addr: &SocketAddr) -> Self {
        if addr.is_ipv4() {
            Self::Inet4
        } else {
            Self::Inet6
        }
    }
}

/// A type of sockets.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum SocketType {
    /// None in particular. No socket is of this type.
    Any,
    /// Datagrams: UDP.
    Datagram,
    /// A byte stream: TCP.
    Stream,
}

impl SocketType {
    pub(super) fn known(self) -> Option<abi::SocketType> {
        match self {
            Self::Datagram => Some(abi::SocketType::Datagram),
            Self::Stream => Some(abi::SocketType::Stream),
            Self::Any => None,
        }
    }
}

impl From<abi::SocketType> for SocketType {
    fn from(known: abi::SocketType) -> Self {
        match known {
            abi::SocketType::Datagram => Self::Datagram,
            abi::SocketType::Stream => Self::Stream,
        }
    }
}

/// A level of options; the host reaches this one only.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum SocketOptLevel {
    /// Options of all sockets.
    SolSocket = 0,
}

/// Reads a number as one of an enum's.
macro_rules! of_number {
    ($ty:ident: $($value:ident),*) => {
        impl TryFrom<i32> for $ty {
            type Error = io::Error;

            /// `InvalidInput` for a number that stands for nothing.
            fn try_from(number: i32) -> io::Result<$ty> {
                let all = [$($ty::$value),*];
                let found = all.into_iter().find(|each| *each as i32 == number);
                found.ok_or_else(|| Errno::INVAL.into())
            }
        }
    };
}

of_number!(SocketOptLevel: SolSocket);

/// An option of [`SocketOptLevel::SolSocket`].
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum SocketOptName {
    /// Bind where old connections still end: an `i32`.
    SoReuseaddr = 0,
    /// The socket's type, to be read only.
    SoType = 1,
    /// The pending error, to be read only.
    SoError = 2,
    /// Send to directly connected hosts only: an `i32`.
    SoDontroute = 3,
    /// Allow broadcast addresses: an `i32`.
    SoBroadcast = 4,
    /// Size of the send buffer: an `i32`.
    SoSndbuf = 5,
    /// Size of the receive buffer: an `i32`.
    SoRcvbuf = 6,
    /// Probe an idle connection: an `i32`.
    SoKeepalive = 7,
    /// Keep urgent data in the stream: an `i32`.
    SoOobinline = 8,
    /// What closing waits for: two `i32`s, on or off and seconds.
    SoLinger = 9,
    /// Below so many bytes there is nothing to read: an `i32`.
    SoRcvlowat = 10,
    /// How long to wait for data: two `i64`s, seconds and microseconds.
    SoRcvtimeo = 11,
    /// How long to wait for room: two `i64`s, seconds and microseconds.
    SoSndtimeo = 12,
    /// Whether it listens, to be read only.
    SoAcceptconn = 13,
    /// The network interface to use: its name.
    SoBindToDevice = 14,
}

of_number!(
    SocketOptName: SoReuseaddr, SoType, SoError, SoDontroute, SoBroadcast, SoSndbuf, SoRcvbuf,
    SoKeepalive, SoOobinline, SoLinger, SoRcvlowat, SoRcvtimeo, SoSndtimeo, SoAcceptconn,
    SoBindToDevice
);

/// Receive flag: leave the data in the queue.
pub const MSG_PEEK: u16 = abi::RIFLAGS_PEEK;

/// Receive flag: wait until the buffer is full.
pub const MSG_WAITALL: u16 = abi::RIFLAGS_WAITALL;

/// Flag of what was received: a datagram was cut off.
pub const MSG_TRUNC: u16 = 1;
