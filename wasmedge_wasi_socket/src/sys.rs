//! One safe function per host function.
//!
//! Pointers handed to the host stay valid for the call and are aligned as the
//! host checks from 0.17 on: 8 for subscriptions, events and addresses, 4 for
//! `u32`s, 2 for `u16`s. Every length is the length of the buffer beside it.

use crate::abi::{
    AddrInfo, Address, AddressFamily, Event, FdStat, Iovec, SockAddr, SocketType, Subscription,
    MAX_IOVECS,
};
use crate::conv::{AddressBuf, Found, ADDRESS_LEN, SOCKADDR_DATA_LEN};
use crate::{imports, Errno};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

// Guest pointers are cast to `u32`.
const _: () = assert!(std::mem::size_of::<usize>() == 4);

fn check(errno: i32) -> Result<(), Errno> {
    Errno::from_raw(errno as u16).result()
}

fn describe(addr: &AddressBuf) -> Address {
    Address {
        buf: addr.as_ptr() as u32,
        len: ADDRESS_LEN as u32,
    }
}

fn describe_mut(addr: &mut AddressBuf) -> Address {
    Address {
        buf: addr.as_mut_ptr() as u32,
        len: ADDRESS_LEN as u32,
    }
}

/// Buffers the host will write to.
pub struct RecvBufs<'a> {
    iovecs: Iovecs,
    _bufs: std::marker::PhantomData<&'a mut [u8]>,
}

/// Buffers the host will read.
pub struct SendBufs<'a> {
    iovecs: Iovecs,
    _bufs: std::marker::PhantomData<&'a [u8]>,
}

/// At most [`MAX_IOVECS`] buffers: the host refuses more. Few of them stay off
/// the heap.
enum Iovecs {
    One(Iovec),
    Few([Iovec; FEW], usize),
    Many(Vec<Iovec>),
}

const FEW: usize = 16;

impl Iovecs {
    #[inline]
    fn one(buf: u32, len: usize) -> Iovecs {
        Iovecs::One(Iovec {
            buf,
            len: len as u32,
        })
    }

    fn collect(iovecs: impl ExactSizeIterator<Item = Iovec>) -> Iovecs {
        if iovecs.len() > FEW {
            return Iovecs::Many(iovecs.take(MAX_IOVECS).collect());
        }
        let mut few = [Iovec::default(); FEW];
        let mut len = 0;
        for (place, iovec) in few.iter_mut().zip(iovecs) {
            *place = iovec;
            len += 1;
        }
        Iovecs::Few(few, len)
    }

    #[inline]
    fn as_slice(&self) -> &[Iovec] {
        match self {
            Iovecs::One(one) => std::slice::from_ref(one),
            Iovecs::Few(few, len) => &few[..*len],
            Iovecs::Many(many) => many,
        }
    }

    fn total(&self) -> usize {
        self.as_slice()
            .iter()
            .fold(0, |sum, iovec| sum.saturating_add(iovec.len as usize))
    }
}

impl<'a> RecvBufs<'a> {
    #[inline]
    pub fn one(buf: &'a mut [u8]) -> RecvBufs<'a> {
        RecvBufs {
            iovecs: Iovecs::one(buf.as_mut_ptr() as u32, buf.len()),
            _bufs: std::marker::PhantomData,
        }
    }

    /// The host writes to the buffer and never reads it.
    pub fn uninit(buf: &'a mut [MaybeUninit<u8>]) -> RecvBufs<'a> {
        RecvBufs {
            iovecs: Iovecs::one(buf.as_mut_ptr() as u32, buf.len()),
            _bufs: std::marker::PhantomData,
        }
    }

    /// The first [`MAX_IOVECS`] of `bufs`.
    pub fn many(bufs: &'a mut [IoSliceMut<'_>]) -> RecvBufs<'a> {
        RecvBufs {
            iovecs: Iovecs::collect(bufs.iter_mut().map(|buf| Iovec {
                buf: buf.as_mut_ptr() as u32,
                len: buf.len() as u32,
            })),
            _bufs: std::marker::PhantomData,
        }
    }

    /// Buffers that the caller describes by address and length, as far as the
    /// host takes that many.
    ///
    /// # Safety
    ///
    /// Each must be valid for writes while `'a` lasts, and nobody else's.
    pub unsafe fn foreign(bufs: impl ExactSizeIterator<Item = (*mut u8, usize)>) -> RecvBufs<'a> {
        RecvBufs {
            iovecs: Iovecs::collect(bufs.map(|(buf, len)| Iovec {
                buf: buf as u32,
                len: len as u32,
            })),
            _bufs: std::marker::PhantomData,
        }
    }

    /// Bytes that fit.
    pub fn total(&self) -> usize {
        self.iovecs.total()
    }
}

impl<'a> SendBufs<'a> {
    #[inline]
    pub fn one(buf: &'a [u8]) -> SendBufs<'a> {
        SendBufs {
            iovecs: Iovecs::one(buf.as_ptr() as u32, buf.len()),
            _bufs: std::marker::PhantomData,
        }
    }

    /// The first [`MAX_IOVECS`] of `bufs`.
    pub fn many(bufs: &'a [IoSlice<'_>]) -> SendBufs<'a> {
        SendBufs {
            iovecs: Iovecs::collect(bufs.iter().map(|buf| Iovec {
                buf: buf.as_ptr() as u32,
                len: buf.len() as u32,
            })),
            _bufs: std::marker::PhantomData,
        }
    }

    /// `head`, unless it is empty, and the first of `bufs` behind it.
    pub fn behind(head: &'a [u8], bufs: &'a [IoSlice<'_>]) -> SendBufs<'a> {
        let iovec = |buf: &[u8]| Iovec {
            buf: buf.as_ptr() as u32,
            len: buf.len() as u32,
        };
        let iovecs = match (head, bufs) {
            ([], bufs) => return SendBufs::many(bufs),
            (head, []) => Iovecs::One(iovec(head)),
            (head, bufs) if bufs.len() < FEW => {
                let mut few = [Iovec::default(); FEW];
                few[0] = iovec(head);
                for (place, buf) in few[1..].iter_mut().zip(bufs) {
                    *place = iovec(buf);
                }
                Iovecs::Few(few, 1 + bufs.len())
            }
            (head, bufs) => {
                let all = std::iter::once(iovec(head)).chain(bufs.iter().map(|buf| iovec(buf)));
                Iovecs::Many(all.take(MAX_IOVECS).collect())
            }
        };
        SendBufs {
            iovecs,
            _bufs: std::marker::PhantomData,
        }
    }

    /// Bytes to send.
    pub fn total(&self) -> usize {
        self.iovecs.total()
    }
}

pub fn open(family: AddressFamily, socktype: SocketType) -> Result<OwnedFd, Errno> {
    let mut fd = -1;
    // SAFETY: `fd` is valid for writing; family and type are ones the host knows.
    check(unsafe { imports::sock_open_v2(family as i32, socktype as i32, &mut fd) })?;
    // SAFETY: the host just made this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub fn bind(fd: BorrowedFd<'_>, addr: &AddressBuf, port: u16) -> Result<(), Errno> {
    // SAFETY: the description and the buffer it points to outlive the call.
    check(unsafe { imports::sock_bind_v2(fd.as_raw_fd(), &describe(addr), port.into()) })
}

pub fn listen(fd: BorrowedFd<'_>, backlog: i32) -> Result<(), Errno> {
    // SAFETY: no pointers.
    check(unsafe { imports::sock_listen_v2(fd.as_raw_fd(), backlog) })
}

/// Accepts a connection. The new socket is blocking: asked for another mode,
/// the host changes the listener's instead, so it is never asked.
pub fn accept(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let mut new_fd = -1;
    // SAFETY: `new_fd` is valid for writing.
    check(unsafe { imports::sock_accept_v2(fd.as_raw_fd(), 0, &mut new_fd) })?;
    // SAFETY: the host just made this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(new_fd) })
}

pub fn connect(fd: BorrowedFd<'_>, addr: &AddressBuf, port: u16) -> Result<(), Errno> {
    // SAFETY: the description and the buffer it points to outlive the call.
    check(unsafe { imports::sock_connect_v2(fd.as_raw_fd(), &describe(addr), port.into()) })
}

pub fn recv(fd: BorrowedFd<'_>, bufs: &mut RecvBufs<'_>, flags: u16) -> Result<usize, Errno> {
    recv_flagged(fd, bufs, flags).map(|(nread, _)| nread)
}

/// As [`recv`], with the flags that the host sets: bit 0 is a datagram that was
/// cut off.
pub fn recv_flagged(
    fd: BorrowedFd<'_>,
    bufs: &mut RecvBufs<'_>,
    flags: u16,
) -> Result<(usize, u16), Errno> {
    let iovecs = bufs.iovecs.as_slice();
    let (mut nread, mut out_flags) = (0, 0);
    // SAFETY: `bufs` borrows every buffer mutably; the rest is local.
    check(unsafe {
        imports::sock_recv(
            fd.as_raw_fd(),
            iovecs.as_ptr(),
            iovecs.len() as u32,
            flags.into(),
            &mut nread,
            &mut out_flags,
        )
    })?;
    Ok((nread as usize, out_flags))
}

/// Receives a datagram; returns its length, sender, the sender's port as the
/// host wrote it, and the flags of [`recv_flagged`].
pub fn recv_from(
    fd: BorrowedFd<'_>,
    bufs: &mut RecvBufs<'_>,
    flags: u16,
) -> Result<(usize, AddressBuf, u16, u16), Errno> {
    let iovecs = bufs.iovecs.as_slice();
    let (mut nread, mut out_flags, mut port) = (0, 0, 0);
    let mut addr = AddressBuf::unset();
    let mut description = describe_mut(&mut addr);
    // SAFETY: `bufs` borrows every buffer mutably; the rest is local.
    check(unsafe {
        imports::sock_recv_from_v2(
            fd.as_raw_fd(),
            iovecs.as_ptr(),
            iovecs.len() as u32,
            &mut description,
            flags.into(),
            &mut port,
            &mut nread,
            &mut out_flags,
        )
    })?;
    Ok((nread as usize, addr, port, out_flags))
}

pub fn send(fd: BorrowedFd<'_>, bufs: &SendBufs<'_>) -> Result<usize, Errno> {
    send_by_number(fd.as_raw_fd(), bufs)
}

/// As [`send`]; any number may be sent to.
pub fn send_by_number(fd: i32, bufs: &SendBufs<'_>) -> Result<usize, Errno> {
    let iovecs = bufs.iovecs.as_slice();
    let mut nwritten = 0;
    // SAFETY: `bufs` borrows every buffer; the rest is local.
    check(unsafe {
        imports::sock_send(fd, iovecs.as_ptr(), iovecs.len() as u32, 0, &mut nwritten)
    })?;
    Ok(nwritten as usize)
}

pub fn send_to(
    fd: BorrowedFd<'_>,
    bufs: &SendBufs<'_>,
    addr: &AddressBuf,
    port: u16,
) -> Result<usize, Errno> {
    let iovecs = bufs.iovecs.as_slice();
    let mut nwritten = 0;
    // SAFETY: `bufs` borrows every buffer; the rest outlives the call.
    check(unsafe {
        imports::sock_send_to_v2(
            fd.as_raw_fd(),
            iovecs.as_ptr(),
            iovecs.len() as u32,
            &describe(addr),
            port.into(),
            0,
            &mut nwritten,
        )
    })?;
    Ok(nwritten as usize)
}

/// Directions to shut: 1 reading, 2 writing, 3 both.
pub fn shutdown(fd: BorrowedFd<'_>, how: i32) -> Result<(), Errno> {
    shutdown_by_number(fd.as_raw_fd(), how)
}

/// As [`shutdown`]; any number may be shut.
pub fn shutdown_by_number(fd: i32, how: i32) -> Result<(), Errno> {
    // SAFETY: no pointers.
    check(unsafe { imports::sock_shutdown(fd, how) })
}

pub fn local_addr(fd: BorrowedFd<'_>) -> Result<(AddressBuf, u16), Errno> {
    let (mut addr, mut port) = (AddressBuf::unset(), 0);
    let mut description = describe_mut(&mut addr);
    // SAFETY: all three are valid for writing.
    check(unsafe { imports::sock_getlocaladdr_v2(fd.as_raw_fd(), &mut description, &mut port) })?;
    Ok((addr, port as u16))
}

pub fn peer_addr(fd: BorrowedFd<'_>) -> Result<(AddressBuf, u16), Errno> {
    peer_addr_by_number(fd.as_raw_fd())
}

fn peer_addr_by_number(fd: i32) -> Result<(AddressBuf, u16), Errno> {
    let (mut addr, mut port) = (AddressBuf::unset(), 0);
    let mut description = describe_mut(&mut addr);
    // SAFETY: all three are valid for writing.
    check(unsafe { imports::sock_getpeeraddr_v2(fd, &mut description, &mut port) })?;
    Ok((addr, port as u16))
}

/// Whether the socket has a peer; any number may be asked about.
pub fn is_connected(fd: i32) -> bool {
    peer_addr_by_number(fd).is_ok()
}

/// The one level the host passes on.
const SOL_SOCKET: i32 = 0;

/// Options whose value is one `i32`.
#[derive(Clone, Copy)]
#[repr(i32)]
pub enum IntOption {
    ReuseAddr = 0,
    Type = 1,
    Error = 2,
    DontRoute = 3,
    Broadcast = 4,
    SendBuffer = 5,
    RecvBuffer = 6,
    KeepAlive = 7,
    OobInline = 8,
    RecvLowWater = 10,
    AcceptConn = 13,
}

/// Options whose value is a time.
#[derive(Clone, Copy)]
#[repr(i32)]
pub enum TimeOption {
    Recv = 11,
    Send = 12,
}

const LINGER: i32 = 9;

/// Kept aligned for the widest value, a pair of `i64`s.
#[repr(C, align(8))]
struct OptionValue<const N: usize>([u8; N]);

impl<const N: usize> OptionValue<N> {
    /// The host ends the process if type or error do not fit.
    const FITS: () = assert!(N >= 4);

    fn zeroed() -> OptionValue<N> {
        let () = OptionValue::<N>::FITS;
        OptionValue([0; N])
    }
}

fn get_option<const N: usize>(fd: i32, name: i32) -> Result<[u8; N], Errno> {
    let mut value = OptionValue::<N>::zeroed();
    let mut size = N as u32;
    // SAFETY: `value` holds `size` bytes, and both are valid for writing.
    check(unsafe {
        imports::sock_getsockopt(fd, SOL_SOCKET, name, value.0.as_mut_ptr(), &mut size)
    })?;
    Ok(value.0)
}

fn set_option<const N: usize>(fd: BorrowedFd<'_>, name: i32, value: [u8; N]) -> Result<(), Errno> {
    let value = OptionValue(value);
    // SAFETY: `value` holds `N` bytes.
    check(unsafe {
        imports::sock_setsockopt(fd.as_raw_fd(), SOL_SOCKET, name, value.0.as_ptr(), N as u32)
    })
}

pub fn get_int(fd: BorrowedFd<'_>, name: IntOption) -> Result<i32, Errno> {
    get_option(fd.as_raw_fd(), name as i32).map(i32::from_le_bytes)
}

/// The pending error; any number may be asked about.
pub fn socket_error(fd: i32) -> Result<i32, Errno> {
    get_option(fd, IntOption::Error as i32).map(i32::from_le_bytes)
}

pub fn set_int(fd: BorrowedFd<'_>, name: IntOption, value: i32) -> Result<(), Errno> {
    set_option(fd, name as i32, value.to_le_bytes())
}

/// Kept aligned for whatever the host reads it as.
#[repr(C, align(8))]
struct Aligned<T>(T);

/// Sets the option of this number to the bytes of `value`.
pub fn set_value<T>(fd: BorrowedFd<'_>, name: i32, value: T) -> Result<(), Errno> {
    let value = Aligned(value);
    let (ptr, size) = (std::ptr::from_ref(&value.0), std::mem::size_of::<T>());
    // SAFETY: the host reads the bytes of `value`, and no more.
    check(unsafe {
        imports::sock_setsockopt(fd.as_raw_fd(), SOL_SOCKET, name, ptr.cast(), size as u32)
    })
}

const BIND_TO_DEVICE: i32 = 14;

/// The longest name of a network interface, with its terminator (`IFNAMSIZ`).
const DEVICE_LEN: usize = 16;

/// The network interface that the socket is bound to; empty if none.
pub fn get_device(fd: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let name: [u8; DEVICE_LEN] = get_option(fd.as_raw_fd(), BIND_TO_DEVICE)?;
    Ok(name.into_iter().take_while(|&byte| byte != 0).collect())
}

/// Binds the socket to a network interface; to none if `name` is empty.
pub fn set_device(fd: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    let size = name.len() as u32;
    // SAFETY: `name` holds `size` bytes.
    check(unsafe {
        imports::sock_setsockopt(
            fd.as_raw_fd(),
            SOL_SOCKET,
            BIND_TO_DEVICE,
            name.as_ptr(),
            size,
        )
    })
}

/// Whether closing lingers, and for how many seconds.
pub fn get_linger(fd: BorrowedFd<'_>) -> Result<(bool, i32), Errno> {
    linger_by_number(fd.as_raw_fd())
}

/// As [`get_linger`]; any number may be asked about.
pub fn linger_by_number(fd: i32) -> Result<(bool, i32), Errno> {
    let value: [u8; 8] = get_option(fd, LINGER)?;
    let [a, b, c, d, e, f, g, h] = value;
    Ok((
        i32::from_le_bytes([a, b, c, d]) != 0,
        i32::from_le_bytes([e, f, g, h]),
    ))
}

pub fn set_linger(fd: BorrowedFd<'_>, on: bool, seconds: i32) -> Result<(), Errno> {
    let mut value = [0; 8];
    value[..4].copy_from_slice(&i32::from(on).to_le_bytes());
    value[4..].copy_from_slice(&seconds.to_le_bytes());
    set_option(fd, LINGER, value)
}

/// Seconds and microseconds.
pub fn get_time(fd: BorrowedFd<'_>, name: TimeOption) -> Result<(i64, i64), Errno> {
    let value: [u8; 16] = get_option(fd.as_raw_fd(), name as i32)?;
    let both = u128::from_le_bytes(value);
    Ok((both as i64, (both >> 64) as i64))
}

pub fn set_time(
    fd: BorrowedFd<'_>,
    name: TimeOption,
    seconds: i64,
    micros: i64,
) -> Result<(), Errno> {
    let both = u128::from(micros as u64) << 64 | u128::from(seconds as u64);
    set_option(fd, name as i32, both.to_le_bytes())
}

pub fn fd_flags(fd: BorrowedFd<'_>) -> Result<u16, Errno> {
    let mut stat = FdStat::default();
    // SAFETY: `stat` is valid for writing.
    check(unsafe { imports::fd_fdstat_get(fd.as_raw_fd(), &mut stat) })?;
    Ok(stat.flags)
}

pub fn set_fd_flags(fd: BorrowedFd<'_>, flags: u16) -> Result<(), Errno> {
    // SAFETY: no pointers.
    check(unsafe { imports::fd_fdstat_set_flags(fd.as_raw_fd(), flags.into()) })
}

/// The WASI file type of a descriptor; any number may be asked about.
pub fn fd_filetype(fd: i32) -> Result<u8, Errno> {
    let mut stat = FdStat::default();
    // SAFETY: `stat` is valid for writing; any number may be asked about.
    check(unsafe { imports::fd_fdstat_get(fd, &mut stat) })?;
    Ok(stat.filetype)
}

/// Whether the host knows a descriptor of this number.
pub fn is_open(fd: i32) -> bool {
    let mut stat = FdStat::default();
    // SAFETY: `stat` is valid for writing; any number may be asked about.
    check(unsafe { imports::fd_fdstat_get(fd, &mut stat) }) != Err(Errno::BADF)
}

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

/// As [`poll`], of subscriptions and events by address.
///
/// # Safety
///
/// `subs` must point to `count` subscriptions in the host's form, `events` to
/// room for as many events.
#[cfg(feature = "wasi_poll")]
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

/// Room for a canonical name: the longest that a resolver returns, with its
/// terminator (`NI_MAXHOST`), and one byte that stays zero.
const CANONNAME_LEN: usize = 1026;

/// Room for a name that was not asked for.
const UNASKED_NAME_LEN: usize = 256;

/// What a lookup asks for.
pub struct Hints {
    /// The host's flags; see [`CANONNAME`].
    pub flags: u16,
    /// `None` is both.
    pub family: Option<AddressFamily>,
    pub socktype: SocketType,
    /// 0 is the one that belongs to the type.
    pub protocol: u8,
}

/// Asks for the canonical name.
pub const CANONNAME: u16 = 2;

/// One entry of a lookup's answer.
pub struct LookedUp {
    pub family: u8,
    pub socktype: u8,
    pub protocol: u8,
    pub addrlen: u32,
    pub data: [u8; SOCKADDR_DATA_LEN],
    /// Only where it was asked for, and there only the first entry's.
    pub canonname: Vec<u8>,
}

/// Asks the host for the addresses of `node`, at most `max` of them.
pub fn getaddrinfo(node: &str, max: usize) -> Result<Vec<Found>, Errno> {
    if node.is_empty() {
        return Err(Errno::INVAL);
    }
    let hints = Hints {
        flags: 0,
        family: None,
        socktype: SocketType::Stream,
        protocol: 0,
    };
    let found = addrinfo(node, "", &hints, max)?;
    Ok(found.iter().map(|each| (each.family, each.data)).collect())
}

/// Asks the host for the addresses of `node` with the port of `service`, at most
/// `max` of them.
///
/// The host fills a list that the guest has built beforehand. It writes an
/// address and a name of whatever length they have, so each entry gets room for
/// the longest of either.
pub fn addrinfo(
    node: &str,
    service: &str,
    hints: &Hints,
    max: usize,
) -> Result<Vec<LookedUp>, Errno> {
    if max == 0 {
        return Err(Errno::INVAL);
    }
    let names_len = if hints.flags & CANONNAME == 0 {
        UNASKED_NAME_LEN
    } else {
        CANONNAME_LEN
    };
    let mut data = vec![[0u8; SOCKADDR_DATA_LEN]; max];
    let mut names = vec![0u8; max * names_len];
    let data_ptr = data.as_mut_ptr() as u32;
    let names_ptr = names.as_mut_ptr() as u32;
    let mut addrs: Vec<SockAddr> = (0..max as u32)
        .map(|i| SockAddr {
            family: 0,
            data_len: SOCKADDR_DATA_LEN as u32,
            data: data_ptr + i * SOCKADDR_DATA_LEN as u32,
        })
        .collect();
    let addrs_ptr = addrs.as_mut_ptr() as u32;
    let mut list = vec![AddrInfo::default(); max];
    let list_ptr = list.as_mut_ptr() as u32;
    for (i, entry) in (0..max as u32).zip(&mut list) {
        entry.addr = addrs_ptr + i * std::mem::size_of::<SockAddr>() as u32;
        entry.canonname = names_ptr + i * names_len as u32;
        entry.canonname_len = names_len as u32;
        if i + 1 < max as u32 {
            entry.next = list_ptr + (i + 1) * std::mem::size_of::<AddrInfo>() as u32;
        }
    }
    let hint = AddrInfo {
        flags: hints.flags,
        family: hints.family.map_or(0, |family| family as u8),
        socktype: hints.socktype as u8,
        protocol: hints.protocol,
        ..AddrInfo::default()
    };
    let mut res = list_ptr;
    let mut found = 0;
    // SAFETY: the list has `max` entries, each pointing to a `SockAddr` and a
    // name buffer, each of those to a data buffer; all live to the end of this
    // function and are long enough for whatever the host writes. `node` and
    // `service` are texts with their lengths.
    check(unsafe {
        imports::sock_getaddrinfo(
            node.as_ptr(),
            node.len() as u32,
            service.as_ptr(),
            service.len() as u32,
            &hint,
            &mut res,
            max as u32,
            &mut found,
        )
    })?;
    // Read back through the pointers the host wrote through, so that the
    // compiler cannot take the buffers for unchanged.
    let found = (found as usize).min(max);
    let (addrs, data) = (std::hint::black_box(addrs), std::hint::black_box(data));
    let (list, names) = (std::hint::black_box(list), std::hint::black_box(names));
    let name = |bytes: &[u8]| bytes.iter().copied().take_while(|&b| b != 0).collect();
    Ok(list
        .iter()
        .zip(addrs)
        .zip(data)
        .zip(names.chunks(names_len))
        .take(found)
        .map(|(((entry, addr), data), canonname)| LookedUp {
            family: addr.family,
            socktype: entry.socktype,
            protocol: entry.protocol,
            addrlen: entry.addrlen,
            data,
            canonname: name(canonname),
        })
        .collect())
}
