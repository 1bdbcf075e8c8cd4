//! Blocking code on the only thread there is.
//!
//! Natively a runtime has threads to spare: closures given to `spawn_blocking`
//! run on some of them, and whoever waits (`Handle::block_on`,
//! `blocking_send`, `blocking_recv`, `blocking_lock`) may do so there while
//! other threads drive the tasks. WasmEdge has one thread. The contract here:
//!
//! * `spawn_blocking` queues the closure and returns. The scheduler runs queued
//!   closures in order, one each time it polls the drivers, so timers and
//!   sockets are served between two of them. A closure that is aborted
//!   before it started never runs; at shutdown those that must run do, the
//!   others are cancelled, as upstream has it.
//! * In a closure, and in `block_in_place`, waiting is legal. It *drives* the
//!   runtime: [`park`] lets the scheduler do once what it does all the time (the
//!   `block_on` future, tasks, a queued closure, then the drivers) and returns, and the
//!   waiting call looks again at what it waits for.
//! * `std::thread::sleep` and `yield_now` count as waiting, too. In a task, which
//!   should not wait, they stop that task alone if it is a multi-thread runtime's,
//!   as natively.
//! * What threads of other libraries would do (rayon's workers) is run as queued closures
//!   are, whichever runtime comes by first. What they would do later (timers of theirs)
//!   ends a wait.
//! * What is being polled is never polled again from inside: a task that waits
//!   is marked as running by upstream, the `block_on` future by [`Root`].
//! * A multi-thread runtime goes on though nobody is in its `block_on`: whoever
//!   waits, in another runtime or outside of all of them, drives it too. A wait is for
//!   all runtimes: it lasts until the first timer of any, and mio's polls share theirs.
//!   Then only those are driven that have something to do.
//!
//! Waits nest on one stack. A wait that is satisfied returns only when those
//! that were begun inside of it have returned; one that depends on code below
//! it on the stack can never be satisfied. Nor can a wait that upstream's
//! parker does not see: a std mutex, channel or condition variable that only
//! another thread could release.
//!
//! | file | holds |
//! |---|---|
//! | `park.rs` | what waits do |
//! | `drive.rs` | one scheduler driven from inside of a wait, and the others beside it |
//! | `root.rs` | the future of `block_on` |
//! | `runtimes.rs`, `outer.rs` | the runtimes of this thread, and those at work further down on the stack |
//! | `ready.rs` | which of them have to be driven, and when |
//! | `lent.rs` | references that callers further down on the stack have lent |
//!
//! All of it is compiled natively too, against a model of tokio: `tokio/native`.

mod drive;
pub(crate) mod lent;
mod outer;
mod park;
mod ready;
pub(crate) mod root;
mod runtimes;

use super::{Core, Handle};

use std::sync::Arc;

pub(crate) use self::outer::as_outer;
pub(crate) use self::park::{longest_wait, park};
pub(crate) use self::ready::unpark;
pub(crate) use self::root::Root;
pub(crate) use self::runtimes::{is_in_background, put_in_background, CoreSlot};

pub(super) use self::drive::{before_yield, is_closure_waiting, park_beside, works_on};

/// Makes the place for a new runtime's core, and lets waits drive the runtime from now on.
pub(super) fn core_slot(handle: &Arc<Handle>, core: Option<Box<Core>>) -> CoreSlot {
    wasmedge_host::thread::on_wait(park::wait);
    CoreSlot::new(handle, core)
}
