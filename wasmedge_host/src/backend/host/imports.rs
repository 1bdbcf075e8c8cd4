//! The host's functions, exactly as the host declares them.
//!
//! Where a function has two generations, the one with the `_v2` name is used:
//! only it takes IPv6 addresses, and only its name is free of the clash with
//! the two-argument `sock_accept` of older programs. Every function returns a
//! WASI errno.

use super::abi::{AddrInfo, Address, Event, FdStat, Iovec, Subscription};

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    pub fn sock_open_v2(family: i32, socktype: i32, fd: *mut i32) -> i32;
    pub fn sock_bind_v2(fd: i32, addr: *const Address, port: i32) -> i32;
    pub fn sock_listen_v2(fd: i32, backlog: i32) -> i32;
    /// `flags` must be 0: see `sys::accept`.
    pub fn sock_accept_v2(fd: i32, flags: i32, new_fd: *mut i32) -> i32;
    pub fn sock_connect_v2(fd: i32, addr: *const Address, port: i32) -> i32;
    pub fn sock_recv(
        fd: i32,
        iovs: *const Iovec,
        iovs_len: u32,
        flags: i32,
        nread: *mut u32,
        out_flags: *mut u16,
    ) -> i32;
    /// `port` comes back in network byte order.
    pub fn sock_recv_from_v2(
        fd: i32,
        iovs: *const Iovec,
        iovs_len: u32,
        addr: *mut Address,
        flags: i32,
        port: *mut u16,
        nread: *mut u32,
        out_flags: *mut u16,
    ) -> i32;
    pub fn sock_send(
        fd: i32,
        iovs: *const Iovec,
        iovs_len: u32,
        flags: i32,
        nwritten: *mut u32,
    ) -> i32;
    pub fn sock_send_to_v2(
        fd: i32,
        iovs: *const Iovec,
        iovs_len: u32,
        addr: *const Address,
        port: i32,
        flags: i32,
        nwritten: *mut u32,
    ) -> i32;
    pub fn sock_shutdown(fd: i32, how: i32) -> i32;
    pub fn sock_getlocaladdr_v2(fd: i32, addr: *mut Address, port: *mut u32) -> i32;
    pub fn sock_getpeeraddr_v2(fd: i32, addr: *mut Address, port: *mut u32) -> i32;
    pub fn sock_getsockopt(fd: i32, level: i32, name: i32, value: *mut u8, size: *mut u32) -> i32;
    pub fn sock_setsockopt(fd: i32, level: i32, name: i32, value: *const u8, size: u32) -> i32;
    pub fn sock_getaddrinfo(
        node: *const u8,
        node_len: u32,
        service: *const u8,
        service_len: u32,
        hints: *const AddrInfo,
        res: *mut u32,
        max_res: u32,
        res_len: *mut u32,
    ) -> i32;
    pub fn poll_oneoff(
        subs: *const Subscription,
        events: *mut Event,
        nsubs: u32,
        nevents: *mut u32,
    ) -> i32;
    pub fn clock_time_get(id: i32, precision: u64, nanos: *mut u64) -> i32;
    pub fn fd_fdstat_get(fd: i32, stat: *mut FdStat) -> i32;
    pub fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32;
}
