//! The end of the program: what is [gathered](crate::gather) is sent.
//!
//! Natively it would be with the kernel by then. `exit` and the return from `main`
//! run what the C library's `atexit` was told. A panic ends in `abort` (seen with
//! Rust 1.97), whose definition here comes first and is the one that the linker
//! takes. Nothing can be done about a trap: a stack that overflows, an
//! `unreachable` of C code, a host that ends the guest. What was written in that
//! turn of the scheduler is lost then.

use crate::gather;
use std::sync::Once;

extern "C" {
    fn atexit(function: extern "C" fn()) -> i32;
}

/// Has the end of the program send what is gathered.
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        extern "C" fn at_exit() {
            gather::at_exit();
        }
        // SAFETY: the function lives as long as the program. Without room for it
        // the program ends as it would without it.
        unsafe { atexit(at_exit) };
    });
}

/// The C library's function, for std and for C code: ends the program at once, with
/// a trap.
#[no_mangle]
pub extern "C" fn abort() -> ! {
    gather::at_abort();
    core::arch::wasm32::unreachable()
}
