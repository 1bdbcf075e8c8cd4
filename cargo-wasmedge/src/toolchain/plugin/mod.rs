//! The plugin of WasmEdge: a library that gives programs the system's own sockets and
//! epoll (docs/plugin.md).
//!
//! * `about`: what a library says of itself, without being loaded;
//! * `build`: makes the library of the sources that the binary carries.

mod about;
mod build;

use std::path::{Path, PathBuf};

pub use about::About;
pub use build::{Built, has_our_sources, set_up};

/// The name of the host module, as programs import from it.
pub const MODULE: &str = "tokio_wasmedge";

/// The variable with which WasmEdge finds plugins: files, or folders of such.
pub const PATH_VARIABLE: &str = "WASMEDGE_PLUGIN_PATH";

/// The command that makes the library, or makes it anew.
pub const MEND: &str = "cargo wasmedge setup";

/// What programs gain, in a few words.
pub const GAIN: &str =
    "the system's own sockets, one epoll for all of them, signals and random numbers";

/// The library's file.
#[cfg(not(target_os = "macos"))]
pub const LIBRARY: &str = "libtokio_wasmedge_plugin.so";
/// The library's file.
#[cfg(target_os = "macos")]
pub const LIBRARY: &str = "libtokio_wasmedge_plugin.dylib";

/// The library in `folder`, if it is there.
pub fn library(folder: &Path) -> Option<PathBuf> {
    let library = folder.join(LIBRARY);
    library.is_file().then_some(library)
}
