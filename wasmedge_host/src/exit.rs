//! The end of the program: who has something to send by then is called.
//!
//! Natively it would be with the kernel by then. `exit` and the return from `main`
//! run what the C library's `atexit` was told. A panic ends in `abort` (seen with
//! Rust 1.97), whose definition here comes first and is the one that the linker
//! takes. Nothing can be done about a trap: a stack that overflows, an
//! `unreachable` of C code, a host that ends the guest. What was written in that
//! tick of the scheduler is lost then.

use std::sync::OnceLock;

extern "C" {
    fn atexit(function: extern "C" fn()) -> i32;
}

/// What is called at the end.
#[derive(Clone, Copy)]
pub(crate) struct Hooks {
    /// The program ends in an orderly way.
    pub(crate) at_exit: fn(),
    /// It ends in the midst of something, which may be anything.
    pub(crate) at_abort: fn(),
}

static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// Has the end of the program call `hooks`. Those of the first call count.
pub(crate) fn call(hooks: Hooks) {
    HOOKS.get_or_init(|| {
        extern "C" fn at_exit() {
            if let Some(hooks) = HOOKS.get() {
                (hooks.at_exit)();
            }
        }
        // SAFETY: the function lives as long as the program. Without room for it
        // the program ends as it would without it.
        unsafe { atexit(at_exit) };
        hooks
    });
}

/// The C library's function, for std and for C code: ends the program at once, with
/// a trap.
#[no_mangle]
pub extern "C" fn abort() -> ! {
    if let Some(hooks) = HOOKS.get() {
        (hooks.at_abort)();
    }
    core::arch::wasm32::unreachable()
}
