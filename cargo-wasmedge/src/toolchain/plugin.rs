//! The plugin of WasmEdge: a library that gives programs the system's own sockets and
//! epoll (docs/plugin.md).

use std::path::{Path, PathBuf};

use super::dirs::Dirs;

/// The name of the host module, as programs import from it.
pub const MODULE: &str = "tokio_wasmedge";

/// The library's file.
#[cfg(not(target_os = "macos"))]
const LIBRARY: &str = "libtokio_wasmedge_plugin.so";
#[cfg(target_os = "macos")]
const LIBRARY: &str = "libtokio_wasmedge_plugin.dylib";

/// The plugin as it was set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    folder: PathBuf,
}

impl Plugin {
    /// The plugin in the cache.
    pub fn find(dirs: &Dirs) -> Option<Plugin> {
        let folder = dirs.plugin();
        let is_there = folder.join(LIBRARY).is_file();
        is_there.then_some(Plugin { folder })
    }

    /// The folder that WasmEdge is to look for plugins in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
