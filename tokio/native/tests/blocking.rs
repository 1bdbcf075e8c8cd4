//! Where code may block in place.

use crate::runtime::context::one_thread::{as_blocking, as_worker, may_block_in_place};
use crate::runtime::context::{EnterRuntime, CONTEXT};

/// Runs `f` as the code of a runtime of one thread.
fn as_single(f: impl FnOnce()) {
    let entered = EnterRuntime::Entered {
        allow_block_in_place: false,
    };
    let before = CONTEXT.with(|context| context.runtime.replace(entered));
    f();
    CONTEXT.with(|context| context.runtime.set(before));
}

#[test]
fn code_of_a_runtime_with_one_thread_may_not_block_in_place() {
    assert!(may_block_in_place());
    as_single(|| {
        assert!(!may_block_in_place());
        // A closure, and a worker of another runtime that it drives.
        as_blocking(|| assert!(may_block_in_place()));
        as_worker(|| assert!(may_block_in_place()));
        assert!(!may_block_in_place());
    });
}
