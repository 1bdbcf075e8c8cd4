//! A plugin of WasmEdge, for programs that can do without it.
//!
//! WasmEdge does not start a program that imports what is not there. So a program that may
//! have the plugin's functions imports none of them: it has stubs, which say that there is
//! no such call. Where there is a plugin, [`imports`] makes imports of the stubs, before the
//! program starts or is compiled. The program that was built stays as it is.
//!
//! Which functions a library has it says itself, so the two need not be of one age: a stub of
//! a function that it lacks stays a stub.

mod functions;
mod imports;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use functions::Functions;

use super::aot;

/// Where WasmEdge looks for plugins.
const PATH_VARIABLE: &str = "WASMEDGE_PLUGIN_PATH";

/// Lets the plugin open Unix sockets.
const ALLOW_AF_UNIX: &str = "TOKIO_WASMEDGE_ALLOW_AF_UNIX";

/// Raised whenever what is made of a program changes.
const REVISION: u32 = 1;

/// A library, and what it has.
#[derive(Debug)]
pub(super) struct Plugin {
    library: PathBuf,
    functions: Functions,
}

impl Plugin {
    /// The plugin in the file `library`.
    ///
    /// # Errors
    /// It cannot be read, or is no plugin.
    pub(super) fn open(library: &Path) -> anyhow::Result<Plugin> {
        let content = std::fs::read(library)
            .with_context(|| format!("cannot read the plugin {}", library.display()))?;
        let functions = Functions::of(&content).with_context(|| {
            format!(
                "{} is not the plugin `tokio_wasmedge`; docs/plugin.md says how to build it",
                library.display()
            )
        })?;
        Ok(Plugin {
            library: library.to_owned(),
            functions,
        })
    }

    /// The program with the plugin's functions, in a file in `cache`. `None`: it has no use
    /// for them, and runs as it is.
    ///
    /// # Errors
    /// It is no module of wasm, or one with what is not known here; I/O.
    pub(super) fn program(&self, program: &Path, cache: &Path) -> anyhow::Result<Option<PathBuf>> {
        let content =
            std::fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
        let mut hash = Sha256::new();
        hash.update(&content);
        hash.update(self.functions.text());
        let hash = format!("{:x}", hash.finalize());
        let folder = cache.join(format!("{REVISION}-{}", &hash[..32]));
        // The guest sees this name.
        let made = folder.join(program.file_name().unwrap_or_default());
        if made.is_file() {
            // It was used, so it is kept.
            let file = std::fs::File::options().append(true).open(&made);
            let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
            return Ok(Some(made));
        }
        let Some(changed) = imports::of_stubs(&content, &self.functions)? else {
            return Ok(None);
        };
        let failed = || format!("cannot write {}", folder.display());
        std::fs::create_dir_all(&folder).with_context(failed)?;
        let whole = tempfile::NamedTempFile::new_in(&folder).with_context(failed)?;
        std::fs::write(&whole, changed).with_context(failed)?;
        whole.persist(&made).with_context(failed)?;
        aot::prune_unused(cache, &folder);
        Ok(Some(made))
    }

    /// Has WasmEdge load the plugin.
    pub(super) fn tell(&self, command: &mut Command, allow_af_unix: bool) {
        let mut path = OsString::from(&self.library);
        if let Some(others) = std::env::var_os(PATH_VARIABLE) {
            path.push(":");
            path.push(others);
        }
        command.env(PATH_VARIABLE, path);
        if allow_af_unix {
            command.env(ALLOW_AF_UNIX, "1");
        } else {
            command.env_remove(ALLOW_AF_UNIX);
        }
    }
}
