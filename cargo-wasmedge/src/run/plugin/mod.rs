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

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use functions::Functions;

use super::aot;
use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::fs::write_atomically;
use crate::shell::Shell;
use crate::toolchain::{Dirs, plugin};
use crate::wasm::imports;

/// Where WasmEdge looks for plugins.
const PATH_VARIABLE: &str = "WASMEDGE_PLUGIN_PATH";

/// Lets the plugin open Unix sockets.
const ALLOW_AF_UNIX: &str = "TOKIO_WASMEDGE_ALLOW_AF_UNIX";

/// Raised whenever what is made of a program changes.
const REVISION: u32 = 2;

/// A program with the plugin's functions.
#[derive(Debug)]
pub(super) struct Plugged {
    /// In the cache.
    pub(super) program: PathBuf,
    library: PathBuf,
}

impl Plugged {
    /// Gives `program` the plugin's functions, unless it has been given them before.
    /// `None`: it runs without, as the settings say, or since it has no use for them.
    ///
    /// # Errors
    /// [`Error::NotSetUp`] where the settings ask for a plugin that is not there; they name
    /// a library that is none.
    pub(super) fn new(
        program: &Path,
        config: &Config,
        dirs: &Dirs,
        shell: &Shell,
    ) -> Result<Option<Plugged>> {
        let set_up = plugin::library(&dirs.plugin());
        let library = match &config.plugin {
            config::Plugin::Never => None,
            config::Plugin::Auto => set_up,
            config::Plugin::Library(library) => Some(library.clone()),
            config::Plugin::Require => Some(set_up.ok_or_else(|| {
                Error::NotSetUp {
                    what: "the setting `plugin` asks for the plugin, which is not set up"
                        .to_owned(),
                    mend: "build it as docs/plugin.md says, and set `plugin` to the library's path"
                        .to_owned(),
                }
            })?),
        };
        let Some(library) = library else {
            return Ok(None);
        };
        let functions = functions(&library)?;
        let plugged = plugged(program, &functions, &dirs.plugged()).unwrap_or_else(|why| {
            let name = program.file_name().unwrap_or_default().to_string_lossy();
            shell.warn(format_args!("{name} runs without the plugin: {why:#}"));
            None
        });
        if plugged.is_none() && config.plugin == config::Plugin::Require {
            return Err(anyhow::anyhow!(
                "the setting `plugin` asks for the plugin, and {} has no use for it",
                program.display()
            )
            .into());
        }
        Ok(plugged.map(|program| Plugged { program, library }))
    }

    /// Has WasmEdge load the plugin.
    pub(super) fn tell(&self, command: &mut Command, allow_af_unix: bool) {
        let mut path = OsString::from(&self.library);
        if let Some(others) = std::env::var_os(PATH_VARIABLE).filter(|others| !others.is_empty()) {
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

/// The functions of the plugin in the file `library`.
fn functions(library: &Path) -> anyhow::Result<Functions> {
    let content = std::fs::read(library)
        .with_context(|| format!("cannot read the plugin {}", library.display()))?;
    Functions::of(&content).with_context(|| {
        format!(
            "{} is not the plugin `{}`; docs/plugin.md says how to build it",
            library.display(),
            plugin::MODULE
        )
    })
}

/// The program with the plugin's functions, in a file in `cache`. `None`: it has no use for
/// them, and runs as it is.
fn plugged(program: &Path, functions: &Functions, cache: &Path) -> anyhow::Result<Option<PathBuf>> {
    let content =
        std::fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    if memchr::memmem::find(&content, plugin::MODULE.as_bytes()).is_none() {
        return Ok(None);
    }
    let mut hash = Sha256::new();
    hash.update(&content);
    hash.update(functions.text());
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
    let has = |name: &str, its_type: &_| functions.has(name, its_type);
    let Some(changed) = imports::connect(&content, plugin::MODULE, has)? else {
        return Ok(None);
    };
    write_atomically(&made, &changed)?;
    aot::prune_unused(cache, &folder);
    Ok(Some(made))
}
