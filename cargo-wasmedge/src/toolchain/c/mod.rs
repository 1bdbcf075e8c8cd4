//! Compiling the C parts of crates for the target: a clang, an archiver that
//! indexes wasm objects, and wasi-libc's headers where there are some.
//!
//! What build scripts use for the host is not touched: the variables that
//! [`CToolchain::env`] gives are the `cc` crate's own for our target.

mod find;
mod setup;
mod toolchain;

pub use find::find_in;
pub(super) use setup::set_up;
pub use toolchain::{CToolchain, is_chosen};

/// The command that sets up a missing one.
pub const MEND: &str = "cargo wasmedge setup --c";
