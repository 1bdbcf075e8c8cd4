//! System calls, and copies from and to the guest's memory.
//!
//! Every function here is safe to call with any arguments: pointers are made of borrowed
//! buffers or of [`Region`]s, whose lengths go along. A number that is no open descriptor
//! is an error of the system's. That it is one of ours is the work of [`crate::table`].

use std::cell::UnsafeCell;
use std::ffi::c_int;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Errno;

// What the guest writes and reads is the system's own form on these.
const _: () = {
    assert!(cfg!(target_endian = "little") && size_of::<usize>() == 8);
    assert!(size_of::<libc::sockaddr_storage>() == Address::ROOM);
    assert!(size_of::<libc::sockaddr_in>() == 16 && size_of::<libc::sockaddr_in6>() == 28);
    assert!(size_of::<libc::linger>() == 8 && size_of::<libc::timeval>() == 16);
    assert!(size_of::<libc::ucred>() == 12);
};

/// A part of the guest's memory. Others may write to it at any time, so there is never a
/// reference into it: it is copied, or the kernel gets the pointer.
#[derive(Clone, Copy)]
pub struct Region<'a> {
    base: *mut u8,
    len: usize,
    memory: PhantomData<&'a UnsafeCell<[u8]>>,
}

impl<'a> Region<'a> {
    /// Nothing.
    pub const EMPTY: Region<'static> = Region {
        base: std::ptr::NonNull::dangling().as_ptr(),
        len: 0,
        memory: PhantomData,
    };

    /// All of `bytes`; for tests, where there is no WasmEdge.
    pub fn of(bytes: &'a mut [u8]) -> Region<'a> {
        Region {
            base: bytes.as_mut_ptr(),
            len: bytes.len(),
            memory: PhantomData,
        }
    }

    /// `len` bytes from `base` on.
    ///
    /// # Safety
    /// As long as the region is used they must be there, and hold nothing that others
    /// have Rust references to.
    pub unsafe fn from_raw(base: *mut u8, len: usize) -> Region<'a> {
        Region {
            base,
            len,
            memory: PhantomData,
        }
    }

    /// `len` bytes from the offset `at` on; `None` if they are not all in it.
    pub fn part(self, at: u32, len: u32) -> Option<Region<'a>> {
        let (at, len) = (at as usize, len as usize);
        // Two numbers of 32 bits do not overflow one of 64.
        (at + len <= self.len).then(|| Region {
            base: self.base.wrapping_add(at),
            len,
            memory: PhantomData,
        })
    }

    /// The number of bytes.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> usize {
        self.len
    }

    /// Copies the first bytes, as many as both have.
    pub fn copy_to(self, bytes: &mut [u8]) {
        let len = bytes.len().min(self.len);
        // SAFETY: the region has `len` bytes, as who made it said, and so has `bytes`, which
        // is borrowed by us alone and so no part of the guest's memory.
        unsafe { std::ptr::copy_nonoverlapping(self.base, bytes.as_mut_ptr(), len) }
    }

    /// Overwrites the first bytes, as many as both have.
    pub fn copy_from(self, bytes: &[u8]) {
        let len = bytes.len().min(self.len);
        // SAFETY: the region has `len` bytes, as who made it said, and so has `bytes`. They
        // do not overlap: there are no references into the guest's memory.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base, len) }
    }
}

impl fmt::Debug for Region<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({} bytes)", self.len)
    }
}

/// Regions for one call.
pub struct IoVecs<'a> {
    list: Vec<libc::iovec>,
    memory: PhantomData<Region<'a>>,
}

impl<'a> IoVecs<'a> {
    /// None, with room for some.
    pub fn with_capacity(count: usize) -> IoVecs<'a> {
        IoVecs {
            list: Vec::with_capacity(count),
            memory: PhantomData,
        }
    }

    /// One more.
    pub fn push(&mut self, region: Region<'a>) {
        self.list.push(libc::iovec {
            iov_base: region.base.cast(),
            iov_len: region.len,
        });
    }
}

/// A socket address, as the system has it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct Address {
    bytes: [u8; Address::ROOM],
    len: usize,
}

impl Address {
    /// The longest one.
    pub const ROOM: usize = 128;

    const NONE: Address = Address {
        bytes: [0; Address::ROOM],
        len: 0,
    };

    /// A copy of the region, of which no more than [`Address::ROOM`] bytes are taken.
    pub fn copied(region: Region<'_>) -> Address {
        let mut address = Address::NONE;
        region.copy_to(&mut address.bytes);
        address.len = region.len().min(Address::ROOM);
        address
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// After a system call that was given `ROOM` and gave `len`. It may be more, of an
    /// address that was cut off.
    fn filled(&mut self, len: libc::socklen_t) {
        self.len = (len as usize).min(Address::ROOM);
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().fmt(f)
    }
}

fn check(result: impl Into<i64>) -> Result<i64, Errno> {
    match result.into() {
        result if result < 0 => Err(Errno::last()),
        result => Ok(result),
    }
}

/// A new descriptor. It is none of the standard streams' numbers, which are free where
/// WasmEdge was started without them: those are the guest's by WASI, too.
fn owned(result: c_int) -> Result<OwnedFd, Errno> {
    check(result)?;
    // SAFETY: the system just made this descriptor, for us alone.
    let fd = unsafe { OwnedFd::from_raw_fd(result) };
    if result > libc::STDERR_FILENO {
        return Ok(fd);
    }
    duplicate(result)
}

/// `socket`, closed on exec.
pub fn socket(family: c_int, kind: c_int, flags: c_int) -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers.
    owned(unsafe { libc::socket(family, kind | flags | libc::SOCK_CLOEXEC, 0) })
}

/// `socketpair` of Unix sockets, closed on exec.
pub fn socketpair(kind: c_int, flags: c_int) -> Result<[OwnedFd; 2], Errno> {
    let mut fds = [-1; 2];
    let kind = kind | flags | libc::SOCK_CLOEXEC;
    // SAFETY: there is room for two.
    check(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, fds.as_mut_ptr()) })?;
    Ok([owned(fds[0])?, owned(fds[1])?])
}

/// `bind`.
pub fn bind(fd: RawFd, address: &Address) -> Result<i64, Errno> {
    let (at, len) = (address.bytes.as_ptr().cast(), address.len as _);
    // SAFETY: the address has `len` bytes, and is aligned for every kind.
    check(unsafe { libc::bind(fd, at, len) })
}

/// `connect`.
pub fn connect(fd: RawFd, address: &Address) -> Result<i64, Errno> {
    let (at, len) = (address.bytes.as_ptr().cast(), address.len as _);
    // SAFETY: the address has `len` bytes, and is aligned for every kind.
    check(unsafe { libc::connect(fd, at, len) })
}

/// `listen`.
pub fn listen(fd: RawFd, backlog: c_int) -> Result<i64, Errno> {
    // SAFETY: no pointers.
    check(unsafe { libc::listen(fd, backlog) })
}

/// `shutdown`.
pub fn shutdown(fd: RawFd, how: c_int) -> Result<i64, Errno> {
    // SAFETY: no pointers.
    check(unsafe { libc::shutdown(fd, how) })
}

/// `accept4`, closed on exec, with the peer's address.
pub fn accept(fd: RawFd, flags: c_int) -> Result<(OwnedFd, Address), Errno> {
    let (mut peer, mut len) = (Address::NONE, Address::ROOM as libc::socklen_t);
    let at = peer.bytes.as_mut_ptr().cast();
    // SAFETY: there is room for `len` bytes, and `len` is ours.
    let new = unsafe { libc::accept4(fd, at, &mut len, flags | libc::SOCK_CLOEXEC) };
    let new = owned(new)?;
    peer.filled(len);
    Ok((new, peer))
}

/// `getsockname`.
pub fn local_address(fd: RawFd) -> Result<Address, Errno> {
    let (mut address, mut len) = (Address::NONE, Address::ROOM as libc::socklen_t);
    let at = address.bytes.as_mut_ptr().cast();
    // SAFETY: there is room for `len` bytes, and `len` is ours.
    check(unsafe { libc::getsockname(fd, at, &mut len) })?;
    address.filled(len);
    Ok(address)
}

/// `getpeername`.
pub fn peer_address(fd: RawFd) -> Result<Address, Errno> {
    let (mut address, mut len) = (Address::NONE, Address::ROOM as libc::socklen_t);
    let at = address.bytes.as_mut_ptr().cast();
    // SAFETY: there is room for `len` bytes, and `len` is ours.
    check(unsafe { libc::getpeername(fd, at, &mut len) })?;
    address.filled(len);
    Ok(address)
}

/// `recv`.
#[inline]
pub fn recv(fd: RawFd, into: Region<'_>, flags: c_int) -> Result<i64, Errno> {
    // SAFETY: the region is the guest's memory, which the kernel may write to.
    check(unsafe { libc::recv(fd, into.base.cast(), into.len, flags) } as i64)
}

/// `send`, without `SIGPIPE`.
#[inline]
pub fn send(fd: RawFd, from: Region<'_>, flags: c_int) -> Result<i64, Errno> {
    let flags = flags | libc::MSG_NOSIGNAL;
    // SAFETY: the region is the guest's memory, which the kernel may read.
    check(unsafe { libc::send(fd, from.base.cast(), from.len, flags) } as i64)
}

/// `recvmsg`: the number of bytes, the sender, and the flags. Control messages are not
/// taken: the kernel closes descriptors that came with one.
pub fn recv_message(
    fd: RawFd,
    into: &mut IoVecs<'_>,
    flags: c_int,
) -> Result<(i64, Address, c_int), Errno> {
    let mut from = Address::NONE;
    // SAFETY: all zeros is one without anything.
    let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    message.msg_name = from.bytes.as_mut_ptr().cast();
    message.msg_namelen = Address::ROOM as _;
    message.msg_iov = into.list.as_mut_ptr();
    message.msg_iovlen = into.list.len() as _;
    // SAFETY: `message` describes the address, which is ours, and regions of the guest's
    // memory, which the kernel may write to.
    let count = check(unsafe { libc::recvmsg(fd, &mut message, flags) } as i64)?;
    from.filled(message.msg_namelen);
    Ok((count, from, message.msg_flags))
}

/// `sendmsg`, without `SIGPIPE`.
pub fn send_message(
    fd: RawFd,
    from: &mut IoVecs<'_>,
    flags: c_int,
    to: Option<&Address>,
) -> Result<i64, Errno> {
    // SAFETY: all zeros is one without anything.
    let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    if let Some(to) = to {
        message.msg_name = to.bytes.as_ptr().cast_mut().cast();
        message.msg_namelen = to.len as _;
    }
    message.msg_iov = from.list.as_mut_ptr();
    message.msg_iovlen = from.list.len() as _;
    let flags = flags | libc::MSG_NOSIGNAL;
    // SAFETY: `message` describes the address and regions of the guest's memory. The
    // kernel reads both, and writes neither.
    check(unsafe { libc::sendmsg(fd, &message, flags) } as i64)
}

/// `getsockopt`: how many bytes of `value` were filled.
pub fn get_option(fd: RawFd, level: c_int, name: c_int, value: &mut [u8]) -> Result<usize, Errno> {
    let (at, mut len) = (value.as_mut_ptr().cast(), value.len() as libc::socklen_t);
    // SAFETY: `value` has `len` bytes.
    check(unsafe { libc::getsockopt(fd, level, name, at, &mut len) })?;
    Ok((len as usize).min(value.len()))
}

/// `setsockopt`.
pub fn set_option(fd: RawFd, level: c_int, name: c_int, value: &[u8]) -> Result<i64, Errno> {
    let (at, len) = (value.as_ptr().cast(), value.len() as libc::socklen_t);
    // SAFETY: `value` has `len` bytes.
    check(unsafe { libc::setsockopt(fd, level, name, at, len) })
}

/// Whether the descriptor is in non-blocking mode.
pub fn is_nonblocking(fd: RawFd) -> Result<bool, Errno> {
    // SAFETY: no pointers.
    let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    Ok(flags & i64::from(libc::O_NONBLOCK) != 0)
}

/// Turns non-blocking mode on or off.
pub fn set_nonblocking(fd: RawFd, on: bool) -> Result<i64, Errno> {
    let mut on = c_int::from(on);
    // SAFETY: the kernel reads one number.
    check(unsafe { libc::ioctl(fd, libc::FIONBIO, &mut on) })
}

/// One more descriptor for the same, closed on exec.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers.
    owned(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) })
}

/// Closes a descriptor. The caller owns it, and forgets it.
pub fn close(fd: RawFd) {
    // SAFETY: no pointers. Whatever is returned, it is closed.
    unsafe { libc::close(fd) };
}

/// Fills the region with random bytes of the kernel's.
pub fn random(region: Region<'_>) -> Result<i64, Errno> {
    let mut done = 0;
    while done < region.len {
        let (at, len) = (region.base.wrapping_add(done), region.len - done);
        // SAFETY: the region is the guest's memory, which the kernel may write to; what is
        // left of it begins at `at`, and has `len` bytes.
        match check(unsafe { libc::getrandom(at.cast(), len, 0) } as i64) {
            Ok(count) => done += count as usize,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(0)
}

/// A counter that can be waited for.
pub fn event() -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers.
    owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
}

/// Adds one to a counter.
pub fn event_signal(fd: RawFd) -> Result<i64, Errno> {
    let one = 1u64.to_ne_bytes();
    // SAFETY: `one` has that many bytes.
    match check(unsafe { libc::write(fd, one.as_ptr().cast(), one.len()) } as i64) {
        // It is as high as can be, so whoever waits for it knows.
        Ok(_) | Err(Errno::AGAIN) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Sets a counter to 0, and gives what it was.
pub fn event_take(fd: RawFd) -> Result<i64, Errno> {
    let mut count = [0; 8];
    // SAFETY: `count` has room for that many bytes.
    match check(unsafe { libc::read(fd, count.as_mut_ptr().cast(), count.len()) } as i64) {
        Ok(_) => Ok(i64::try_from(u64::from_ne_bytes(count)).unwrap_or(i64::MAX)),
        Err(Errno::AGAIN) => Ok(0),
        Err(error) => Err(error),
    }
}

/// `epoll_create1`, closed on exec.
pub fn epoll() -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers.
    owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
}

/// `epoll_ctl`.
pub fn epoll_control(
    epoll: RawFd,
    operation: c_int,
    fd: RawFd,
    events: u32,
    data: u64,
) -> Result<i64, Errno> {
    let mut event = libc::epoll_event { events, u64: data };
    // SAFETY: the kernel reads one event.
    check(unsafe { libc::epoll_ctl(epoll, operation, fd, &mut event) })
}

/// How many events one wait gives at most.
pub const MAX_EVENTS: usize = 1024;

/// Whether the kernel has no `epoll_pwait2` (Linux before 5.11, or a filter).
static WITHOUT_PWAIT2: AtomicBool = AtomicBool::new(false);

/// Waits for events of an epoll, `max` at most, and gives each to `found`: what happened,
/// and the data. Without a time-out there is no end. The number of events.
pub fn epoll_wait(
    epoll: RawFd,
    max: usize,
    timeout: Option<u64>,
    mut found: impl FnMut(usize, u32, u64),
) -> Result<i64, Errno> {
    let mut events = [const { MaybeUninit::<libc::epoll_event>::uninit() }; MAX_EVENTS];
    let max = max.min(MAX_EVENTS) as c_int;
    let at: *mut libc::epoll_event = events.as_mut_ptr().cast();
    let milliseconds = match timeout {
        None => Some(-1),
        Some(0) => Some(0),
        Some(nanos) if WITHOUT_PWAIT2.load(Ordering::Relaxed) => {
            Some(c_int::try_from(nanos.div_ceil(1_000_000)).unwrap_or(c_int::MAX))
        }
        Some(_) => None,
    };
    let count = if let Some(milliseconds) = milliseconds {
        // SAFETY: there is room for `max` events.
        check(unsafe { libc::epoll_wait(epoll, at, max, milliseconds) })?
    } else {
        let time = timespec(timeout.unwrap_or_default());
        let none = std::ptr::null::<libc::sigset_t>();
        let call = libc::SYS_epoll_pwait2;
        // SAFETY: there is room for `max` events, and the kernel reads one time.
        let result = check(unsafe { libc::syscall(call, epoll, at, max, &time, none, 0usize) });
        match result {
            Err(Errno::NOSYS | Errno::PERM) => {
                WITHOUT_PWAIT2.store(true, Ordering::Relaxed);
                return epoll_wait(epoll, max as usize, timeout, found);
            }
            result => result?,
        }
    };
    for (i, event) in events[..count as usize].iter().enumerate() {
        // SAFETY: the kernel wrote `count` events.
        let event = unsafe { event.assume_init_read() };
        found(i, event.events, event.u64);
    }
    Ok(count)
}

fn timespec(nanos: u64) -> libc::timespec {
    libc::timespec {
        // At most 18 thousand million.
        tv_sec: (nanos / 1_000_000_000) as _,
        tv_nsec: (nanos % 1_000_000_000) as _,
    }
}

/// One descriptor of [`poll`].
pub type PollFd = libc::pollfd;

/// `ppoll`. Without a time-out there is no end. The number of those with events.
pub fn poll(list: &mut [PollFd], timeout: Option<u64>) -> Result<i64, Errno> {
    let time = timeout.map(timespec);
    let time = time
        .as_ref()
        .map_or(std::ptr::null(), |time| time as *const _);
    let (at, len) = (list.as_mut_ptr(), list.len() as libc::nfds_t);
    // SAFETY: the list has `len` entries, and the time is there or null.
    check(unsafe { libc::ppoll(at, len, time, std::ptr::null()) })
}

// ---- Signals. What a process does with them is one for all, so this is too.

/// The counter that handlers add to; -1 while nobody takes signals.
static SIGNALS: AtomicI32 = AtomicI32::new(-1);
/// The signals that came, each a bit.
static CAME: AtomicU64 = AtomicU64::new(0);
/// How many handlers are running.
static HANDLERS: AtomicUsize = AtomicUsize::new(0);
/// What was done with a signal before.
static BEFORE: Mutex<Vec<(c_int, libc::sigaction)>> = Mutex::new(Vec::new());

extern "C" fn came(signal: c_int) {
    HANDLERS.fetch_add(1, Ordering::SeqCst);
    let fd = SIGNALS.load(Ordering::SeqCst);
    if fd >= 0 && (0..64).contains(&signal) {
        CAME.fetch_or(1 << signal, Ordering::SeqCst);
        // SAFETY: it is a thread's own number. What was interrupted may be about to read it.
        let errno = unsafe { *libc::__errno_location() };
        let _ = event_signal(fd);
        // SAFETY: as above.
        unsafe { *libc::__errno_location() = errno };
    }
    HANDLERS.fetch_sub(1, Ordering::SeqCst);
}

/// A counter that counts signals. There is one at a time.
///
/// # Errors
/// `EBUSY` if there is one already.
pub fn signals_open() -> Result<OwnedFd, Errno> {
    use std::os::fd::AsRawFd as _;
    let fd = event()?;
    let (none, ours) = (-1, fd.as_raw_fd());
    let exchanged = SIGNALS.compare_exchange(none, ours, Ordering::SeqCst, Ordering::SeqCst);
    exchanged.map_err(|_| Errno::BUSY)?;
    Ok(fd)
}

/// Counts a signal from now on, instead of what was done with it.
pub fn signals_add(signal: c_int) -> Result<i64, Errno> {
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if before.iter().any(|(known, _)| *known == signal) {
        return Ok(0);
    }
    // SAFETY: all zeros is a valid value: the default action, no flags, an empty set.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = came as extern "C" fn(c_int) as usize;
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: as above.
    let mut old: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: both are ours. The handler has the right type for these flags, and does only
    // what a signal handler may: atomics, and `write`.
    check(unsafe { libc::sigaction(signal, &action, &mut old) })?;
    before.push((signal, old));
    Ok(0)
}

/// The signals that came since the last time, each a bit.
pub fn signals_take(fd: RawFd) -> Result<i64, Errno> {
    // In this order: one that comes between the two is told now, and the counter says
    // once too often that there is something.
    event_take(fd)?;
    // No signal has the number 63 in the list of those that can be added.
    Ok(CAME.swap(0, Ordering::SeqCst) as i64 & i64::MAX)
}

/// Does with all signals what was done before. The caller closes the counter.
pub fn signals_close() {
    SIGNALS.store(-1, Ordering::SeqCst);
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    for (signal, old) in before.drain(..) {
        // SAFETY: it is what the system gave for this signal.
        unsafe { libc::sigaction(signal, &old, std::ptr::null_mut()) };
    }
    drop(before);
    // A handler that runs in another thread may be about to write to the counter.
    while HANDLERS.load(Ordering::SeqCst) != 0 {
        std::thread::yield_now();
    }
    CAME.store(0, Ordering::SeqCst);
}
