//! Finding and installing what builds and runs a program for WasmEdge.
//!
//! * [`rust`]: a rustc and cargo with the `wasm32-wasip1` standard library,
//!   and the linker they need;
//! * [`wasmedge`]: WasmEdge 0.14.1 or newer;
//! * [`c`]: a clang for the C parts of crates, where an app has some;
//! * [`setup()`]: installs what is missing;
//! * [`doctor()`]: says what is there, what is missing and what mends it.
//!
//! What is installed already is always preferred. What [`setup()`] adds goes to
//! the user's cache folder ([`Dirs`]), except that `rustup target add` adds the
//! target to the user's own rustup toolchain. Nothing needs root.
//!
//! On Debian-like systems packages are downloaded with apt into folders of our
//! own and unpacked into a private prefix. Such programs are started through
//! the prefix's own dynamic loader, so they run beside an older glibc.

mod apt;
pub mod c;
mod dirs;
mod doctor;
mod env;
mod prefix;
mod process;
pub mod rust;
mod rustup;
mod setup;
pub mod wasmedge;

pub use dirs::Dirs;
pub use doctor::{Check, Status, doctor, doctor_in};
pub use env::Env;
pub use prefix::Installed;
pub use setup::{Reporter, SetUp, What, setup, setup_in};

/// Where a found program comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Named by an environment variable.
    Configured,
    /// Found on `PATH` (or through the `CARGO` variable that cargo sets).
    Path,
    /// In the folder that the program's own installer uses.
    Installer,
    /// Installed by [`setup()`] into the cache folder.
    Private,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Origin::Configured => "configured",
            Origin::Path => "on PATH",
            Origin::Installer => "its installer's folder",
            Origin::Private => "installed by cargo wasmedge setup",
        })
    }
}

/// How long a program may take to print its version. A first start on a cold
/// disk takes about a second.
const VERSION_LIMIT: std::time::Duration = std::time::Duration::from_secs(20);
