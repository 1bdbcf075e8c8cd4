//! Compiling the C parts of crates for the target: a clang, an archiver that
//! indexes wasm objects, and wasi-libc's headers where there are some.
//!
//! What build scripts use for the host is not touched: the variables that
//! [`CToolchain::env`] gives are the `cc` crate's own for our target.

mod emulated;
mod find;
mod setup;
mod toolchain;
mod variables;

pub use emulated::archives;
pub use find::{find_in, headers};
pub(super) use setup::{is_complete, set_up};
pub use toolchain::{CToolchain, chosen, env_of_users_own};

/// The command that sets up a missing one.
pub const MEND: &str = "cargo wasmedge setup --c";
