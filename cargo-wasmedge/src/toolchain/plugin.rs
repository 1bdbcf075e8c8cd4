//! The plugin of WasmEdge: a library that gives programs the system's own sockets and
//! epoll (docs/plugin.md).

use std::path::{Path, PathBuf};

/// The name of the host module, as programs import from it.
pub const MODULE: &str = "tokio_wasmedge";

/// The library's file.
#[cfg(not(target_os = "macos"))]
const LIBRARY: &str = "libtokio_wasmedge_plugin.so";
#[cfg(target_os = "macos")]
const LIBRARY: &str = "libtokio_wasmedge_plugin.dylib";

/// The library in `folder`, if it is there.
pub fn library(folder: &Path) -> Option<PathBuf> {
    let library = folder.join(LIBRARY);
    library.is_file().then_some(library)
}
