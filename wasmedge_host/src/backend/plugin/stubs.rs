//! The plugin's functions, as long as there is no plugin.
//!
//! A program that imported them would start nowhere else. So they are defined here, say
//! that there is no such function, and are exported as `tokio_wasmedge.NAME`: where the
//! plugin is, `cargo wasmedge` makes an import of each before the program starts.
//!
//! Only `random` is elsewhere: whoever makes random numbers has it.
//!
//! The compiler must not conclude anything from what a stub does: not that it changes no
//! memory, nor what it returns, nor that two of them are the same. Addresses are numbers,
//! so what they point to counts as changed by any call that is not seen through.

use std::hint::black_box;

/// Linux's `ENOSYS`, as the plugin returns errors.
const NO_FUNCTION: i64 = -38;

macro_rules! stubs {
    ($($number:literal $name:ident($($parameter:ident: $type:ty),*);)*) => {$(
        // As in docs/plugin.md.
        #[allow(missing_docs, clippy::too_many_arguments)]
        #[export_name = concat!("tokio_wasmedge.", stringify!($name))]
        #[inline(never)]
        pub extern "C" fn $name($($parameter: $type),*) -> i64 {
            // The number keeps functions with the same parameters apart.
            black_box(($number, $($parameter,)*));
            black_box(NO_FUNCTION)
        }
    )*};
}

stubs! {
    1 version();
    2 socket(family: i32, kind: i32, flags: u32);
    3 pair(kind: i32, flags: u32, out: u32);
    4 bind(socket: i32, address: u32, len: u32);
    5 listen(socket: i32, backlog: i32);
    6 accept(socket: i32, flags: u32, peer: u32);
    7 connect(socket: i32, address: u32, len: u32);
    8 local_address(socket: i32, out: u32);
    9 peer_address(socket: i32, out: u32);
    10 shutdown(socket: i32, how: i32);
    11 set_nonblocking(socket: i32, on: u32);
    12 is_nonblocking(socket: i32);
    13 duplicate(socket: i32);
    14 close(descriptor: i32);
    15 recv(socket: i32, at: u32, len: u32, flags: i32);
    16 send(socket: i32, at: u32, len: u32, flags: i32);
    17 recv_message(socket: i32, iovecs: u32, count: u32, flags: i32, from: u32, out_flags: u32);
    18 send_message(socket: i32, iovecs: u32, count: u32, flags: i32, address: u32, len: u32);
    19 get_option(socket: i32, level: i32, name: i32, at: u32, len: u32);
    20 set_option(socket: i32, level: i32, name: i32, at: u32, len: u32);
    21 epoll_create();
    22 epoll_add(epoll: i32, descriptor: i32, interest: u32, data: u64);
    23 epoll_modify(epoll: i32, descriptor: i32, interest: u32, data: u64);
    24 epoll_remove(epoll: i32, descriptor: i32);
    25 epoll_wait(epoll: i32, events: u32, max: u32, timeout: i64);
    26 poll(entries: u32, count: u32, timeout: i64);
    27 event_create();
    28 event_signal(event: i32);
    29 event_take(event: i32);
    30 stdin_open();
    31 signals_open();
    32 signals_add(signals: i32, signal: i32);
    33 signals_take(signals: i32);
}
