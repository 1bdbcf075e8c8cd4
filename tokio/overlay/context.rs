//! Whether code counts as part of the runtime, on the one thread there is; the
//! contract is in `runtime/scheduler/current_thread/one_thread/mod.rs`.

use super::{EnterRuntime, CONTEXT};
use crate::runtime::scheduler::current_thread::one_thread;

/// Puts the former state back, also in the face of a panic.
struct Reset(EnterRuntime);

impl Drop for Reset {
    fn drop(&mut self) {
        CONTEXT.with(|context| context.runtime.set(self.0));
    }
}

fn as_state<R>(state: EnterRuntime, f: impl FnOnce() -> R) -> R {
    let _reset = Reset(CONTEXT.with(|context| context.runtime.replace(state)));
    f()
}

/// Runs `f` as code outside of the runtime, which may block. What tasks have
/// written is sent first: natively it would not wait for `f`.
pub(crate) fn as_blocking<R>(f: impl FnOnce() -> R) -> R {
    wasmedge_host::coalesce::before_blocking();
    one_thread::as_outer(|| as_state(EnterRuntime::NotEntered, f))
}

/// Whether code may block in place: natively it may not in a runtime of one thread, nor in a
/// `LocalSet`.
pub(crate) fn may_block_in_place() -> bool {
    let state = CONTEXT.try_with(|context| context.runtime.get());
    !matches!(
        state,
        Ok(EnterRuntime::Entered {
            allow_block_in_place: false
        })
    )
}

/// Whether this is code of the runtime, which may not block unless it asks to.
pub(crate) fn is_worker() -> bool {
    CONTEXT
        .try_with(|context| context.runtime.get().is_entered())
        .unwrap_or(true)
}

/// Runs `f` as a worker of the runtime, whose tasks may not block unless they
/// ask to.
pub(crate) fn as_worker<R>(f: impl FnOnce() -> R) -> R {
    as_state(
        EnterRuntime::Entered {
            allow_block_in_place: true,
        },
        f,
    )
}
