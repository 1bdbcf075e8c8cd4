//! What std leaves to the system where panics unwind on WASI: the tag of exceptions, and
//! two functions of the unwinder. Compiled by the user's rustc, not with this crate.

#![no_std]
#![allow(internal_features)]
#![feature(asm_experimental_arch, link_llvm_intrinsics)]

core::arch::global_asm!(
    ".tagtype __cpp_exception i32",
    ".globl __cpp_exception",
    "__cpp_exception:",
);

/// As the C ABI for exceptions has it, without what is private to unwinders.
#[repr(C)]
pub struct Exception {
    class: u64,
    cleanup: Option<unsafe extern "C" fn(reason: i32, exception: *mut Exception)>,
}

/// The reason: another language has caught it.
const FOREIGN_EXCEPTION_CAUGHT: i32 = 1;

/// The number that LLVM has for the tag.
const CPP_EXCEPTION: i32 = 0;

unsafe extern "C-unwind" {
    #[link_name = "llvm.wasm.throw"]
    fn throw(tag: i32, exception: *mut Exception) -> !;
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn _Unwind_RaiseException(exception: *mut Exception) -> i32 {
    // SAFETY: a pointer is all that the instruction takes.
    unsafe { throw(CPP_EXCEPTION, exception) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn _Unwind_DeleteException(exception: *mut Exception) {
    // SAFETY: the caller gives an exception of its own, which begins so.
    if let Some(cleanup) = unsafe { (*exception).cleanup } {
        // SAFETY: whoever made the exception made this for it.
        unsafe { cleanup(FOREIGN_EXCEPTION_CAUGHT, exception) }
    }
}
