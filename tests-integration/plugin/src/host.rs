//! The imports, and numbers of Linux'.

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static CALLED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// The functions that were called.
pub fn called() -> Vec<&'static str> {
    CALLED.with_borrow(|called| called.iter().copied().collect())
}

macro_rules! imports {
    ($($name:ident($($parameter:ident: $type:ty),*);)*) => {
        mod raw {
            #[link(wasm_import_module = "tokio_wasmedge")]
            extern "C" {
                $(pub fn $name($($parameter: $type),*) -> i64;)*
            }
        }
        $(
            #[allow(clippy::too_many_arguments)]
            pub fn $name($($parameter: $type),*) -> i64 {
                CALLED.with_borrow_mut(|called| called.insert(stringify!($name)));
                // SAFETY: the plugin touches nothing but what the arguments name, and the
                // checks below give it what is theirs, or what it refuses.
                unsafe { raw::$name($($parameter),*) }
            }
        )*
    };
}

imports! {
    version();
    socket(family: i32, kind: i32, flags: u32);
    pair(kind: i32, flags: u32, out: u32);
    bind(socket: u32, address: u32, len: u32);
    listen(socket: u32, backlog: i32);
    accept(socket: u32, flags: u32, peer: u32);
    connect(socket: u32, address: u32, len: u32);
    local_address(socket: u32, out: u32);
    peer_address(socket: u32, out: u32);
    shutdown(socket: u32, how: i32);
    set_nonblocking(socket: u32, on: u32);
    is_nonblocking(socket: u32);
    duplicate(socket: u32);
    close(descriptor: u32);
    recv(socket: u32, at: u32, len: u32, flags: i32);
    send(socket: u32, at: u32, len: u32, flags: i32);
    recv_message(socket: u32, iovecs: u32, count: u32, flags: i32, from: u32, out_flags: u32);
    send_message(socket: u32, iovecs: u32, count: u32, flags: i32, address: u32, len: u32);
    get_option(socket: u32, level: i32, name: i32, at: u32, len: u32);
    set_option(socket: u32, level: i32, name: i32, at: u32, len: u32);
    epoll_create();
    epoll_add(epoll: u32, descriptor: u32, interest: u32, data: u64);
    epoll_modify(epoll: u32, descriptor: u32, interest: u32, data: u64);
    epoll_remove(epoll: u32, descriptor: u32);
    epoll_wait(epoll: u32, events: u32, max: u32, timeout: i64);
    poll(entries: u32, count: u32, timeout: i64);
    event_create();
    event_signal(event: u32);
    event_take(event: u32);
    stdin_open();
    signals_open();
    signals_add(signals: u32, signal: i32);
    signals_take(signals: u32);
    random(at: u32, len: u32);
}

pub const UNIX: i32 = 1;
pub const INET: i32 = 2;
pub const INET6: i32 = 10;
pub const STREAM: i32 = 1;
pub const DGRAM: i32 = 2;
pub const NONBLOCK: u32 = 1;

pub const IN: u32 = 1;
pub const PRI: u32 = 2;
pub const OUT: u32 = 4;
pub const ERR: u32 = 8;
pub const HUP: u32 = 16;
pub const RDHUP: u32 = 0x2000;

pub const EINTR: i64 = -4;
pub const EBADF: i64 = -9;
pub const EAGAIN: i64 = -11;
pub const EFAULT: i64 = -14;
pub const EBUSY: i64 = -16;
pub const EINVAL: i64 = -22;
pub const ENOTSOCK: i64 = -88;
pub const ENOPROTOOPT: i64 = -92;
pub const EOPNOTSUPP: i64 = -95;
pub const EAFNOSUPPORT: i64 = -97;
pub const ECONNREFUSED: i64 = -111;
pub const EINPROGRESS: i64 = -115;

/// A number of what was opened.
#[track_caller]
pub fn opened(result: i64) -> u32 {
    assert!(result >= 0, "error {result}");
    let number = u32::try_from(result).expect("32 bits");
    assert!(number >> 31 == 1, "{number:x} could be one of WASI's");
    number
}

/// The address of a value.
pub fn at<T: ?Sized>(value: &T) -> u32 {
    (value as *const T).cast::<u8>() as u32
}

/// The address of a value that is written to.
pub fn at_mut<T: ?Sized>(value: &mut T) -> u32 {
    (value as *mut T).cast::<u8>() as u32
}

/// A record for an address.
#[repr(C)]
pub struct Address {
    pub len: u32,
    pub bytes: [u8; 128],
}

impl Address {
    pub const NONE: Address = Address {
        len: 0,
        bytes: [0; 128],
    };

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    pub fn port(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }
}

/// An event.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Event {
    pub data: u64,
    pub events: u32,
    pub zero: u32,
}

/// The bytes of 127.0.0.1 with a port.
pub fn v4(port: u16) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0] = 2;
    bytes[2..4].copy_from_slice(&port.to_be_bytes());
    bytes[4..8].copy_from_slice(&[127, 0, 0, 1]);
    bytes
}

/// The bytes of ::1 with a port and a scope.
pub fn v6(port: u16, scope: u32) -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[0] = 10;
    bytes[2..4].copy_from_slice(&port.to_be_bytes());
    bytes[23] = 1;
    bytes[24..28].copy_from_slice(&scope.to_le_bytes());
    bytes
}

/// The events of one wait.
#[track_caller]
pub fn events(epoll: u32, timeout: i64) -> Vec<Event> {
    let mut events = [Event::default(); 8];
    loop {
        let count = epoll_wait(epoll, at_mut(&mut events), 8, timeout);
        if count == EINTR {
            continue;
        }
        assert!(count >= 0, "error {count}");
        return events[..count as usize].to_vec();
    }
}
