//! The plugin's `random`, where `cargo wasmedge run` was given a plugin of WasmEdge.
//!
//! Here is a stub: a function that says that there is no such call. The runner puts the
//! plugin's in its place. See docs/plugin.md.

use std::hint::black_box;

/// Fills the memory with bytes of the kernel's, and gives 0; or gives an error's number,
/// negative.
#[inline(never)]
#[export_name = "tokio_wasmedge.random"]
extern "C" fn random(at: *mut u8, len: usize) -> i64 {
    // ENOSYS. The compiler must not see that nothing is written.
    black_box((at, len));
    black_box(-38)
}

/// Fills `dest` with random bytes of the kernel's; `false` if there is no plugin, or it
/// cannot.
pub(crate) fn fill(dest: &mut [u8]) -> bool {
    random(dest.as_mut_ptr(), dest.len()) == 0
}
