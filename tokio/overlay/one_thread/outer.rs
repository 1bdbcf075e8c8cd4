//! Schedulers whose blocking code is at work further down on the stack.
//!
//! A closure, or `block_in_place`, may make another runtime and wait in it. The runtime
//! that it belongs to goes on meanwhile, as natively it would: who waits finds it here.

use super::lent::Lent;
use super::ready;
use super::runtimes::Id;
use crate::runtime::{context, scheduler};

use std::sync::Arc;

use super::super::Handle;

tokio_thread_local! {
    static OUTER: Lent<scheduler::Context> = const { Lent::new() };
}

/// Runs `f` as code that is at work for the current scheduler and may wait, so
/// that runtimes inside of it can drive that scheduler.
pub(crate) fn as_outer<R>(f: impl FnOnce() -> R) -> R {
    context::with_scheduler(|scheduler| match scheduler {
        Some(scheduler) => {
            // It may have tasks, and timers of which nobody knows yet.
            ready::add(Id::of(&scheduler.expect_current_thread().handle));
            OUTER.with(|outer| outer.lend(scheduler, f))
        }
        None => f(),
    })
}

/// Calls `f` with the `n`th of them, counted from the bottom of the stack.
pub(super) fn with_outer<R>(n: usize, f: impl FnOnce(&scheduler::Context) -> R) -> Option<R> {
    OUTER.with(|outer| outer.with(n, f))
}

/// Whether this runtime's is one of them.
pub(super) fn is_outer(handle: &Arc<Handle>) -> bool {
    let is_this = |scheduler: &scheduler::Context| {
        Arc::ptr_eq(&scheduler.expect_current_thread().handle, handle)
    };
    let mut all = (0..).map_while(|n| with_outer(n, is_this));
    all.any(|is_this| is_this)
}
