//! `getentropy` for C code: OpenSSL and AWS-LC seed themselves with it.
//!
//! wasi-libc has one too, made of WasmEdge's `random_get`. The linker takes the first
//! definition that it comes across, and libc is what it looks at last.

/// As many bytes as POSIX lets a caller ask for.
const MOST: usize = 256;

/// Fills `buffer` and gives 0. -1 where the program was given no source that is fit for
/// keys, and for more than 256 bytes. `errno` is left alone: C code that takes random
/// numbers for keys looks at the result.
///
/// # Safety
/// `buffer` is to be valid for writes of `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn getentropy(buffer: *mut u8, length: usize) -> i32 {
    if length > MOST {
        return -1;
    }
    if length == 0 {
        return 0;
    }
    // SAFETY: the caller sees to it that `length` bytes can be written to, and they are
    // nobody else's while this runs: there is one thread.
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer.cast(), length) };
    match crate::fill_uninit(buffer) {
        Ok(()) => 0,
        Err(_) => -1,
    }
}
