//! Write coalescing: small writes of one tick of the scheduler leave in one call.
//!
//! The kernel holds a small segment back until the one before it is acknowledged,
//! which the peer does up to 43 ms later, and the host has no `TCP_NODELAY` to
//! switch that off. A socket with "no delay" therefore *coalesces*: what is written
//! on it in one tick is held and sent in one call, before whatever ends the tick. A
//! socket without it does as the kernel would (Nagle's algorithm): its first write
//! in a tick goes out at once, what follows is held, which saves calls.
//!
//! # Contract
//!
//! * Only a connected TCP stream coalesces, and only a write `within` an operation
//!   of its selector: there somebody is sure to come by and `flush`. All other
//!   writes send what is held for their socket, and themselves behind it.
//! * A socket without "no delay" begins with a write that follows one of its own in
//!   the same tick, with none of others between. It has no entry here before, and
//!   none after the tick.
//! * At most [`MAX_HELD_BYTES`] of a socket are held. What does not fit is sent in
//!   one call with what is held, and has the result that it has natively. At most
//!   [`MAX_HELD_SOCKETS`] sockets hold something at once: the one that began first is
//!   sent when another one comes, so that none waits until many others were served.
//! * A socket with "no delay" that wrote once in each of several ticks on end gains
//!   nothing: it stops coalescing until it writes twice in one tick. Most are like
//!   that: a request, an answer.
//! * Whatever may wait, for whatever it may be, sends first: every poll, sleep and
//!   name lookup, every socket operation that is not within a selector's, every
//!   blocking closure; and a socket that is shut, handed on or closed.
//! * An error is told by the next operation on the socket, see `pending.rs`.
//! * What the kernel does not take stays, as the socket's *backlog*: further writes
//!   are `WouldBlock` until it is out, and selectors see to it that it goes out
//!   (`backlogs`). A shutdown comes after it. A socket that is closed meanwhile is
//!   kept open until then, as an orphan, as natively the kernel would keep it.
//! * At the end of the program (`exit.rs`) the backlog has [`LAST_DRAIN`] to go out.
//!
//! While no socket holds anything nor has "no delay", each operation costs one load,
//! a write three and a store.
//!
//! | file | holds |
//! |---|---|
//! | `core.rs` | what is held for which socket, as plain data behind `SendSink` |
//! | `last_writer.rs` | who wrote last in this tick |
//! | `guest.rs` | the one instance, with the host behind it |

// Natively it is there for the tests, and for those of what is on top.
#![cfg_attr(not(target_os = "wasi"), allow(dead_code))]

mod core;
#[cfg(target_os = "wasi")]
mod guest;
mod last_writer;

pub use self::core::{Backlog, Sent, LAST_DRAIN, MAX_HELD_BYTES, MAX_HELD_SOCKETS};
#[cfg(target_os = "wasi")]
pub use guest::{
    backlogs, before_blocking, flush, flush_socket, send_backlog, set_adopted, within,
};
#[cfg(target_os = "wasi")]
pub(crate) use guest::{
    before_operation, close, follows_nothing, forget, is_tracked, nodelay, release, set_nodelay,
    shut, write, wrote,
};
