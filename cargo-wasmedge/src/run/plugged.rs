//! Running with the plugin: the program is connected with it before WasmEdge gets it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::fs;
use crate::shell::Shell;
use crate::toolchain::Dirs;
use crate::toolchain::plugin::{MODULE, Plugin};
use crate::wasm::imports;

/// Where WasmEdge looks for plugins: folders with `:` between them.
const PATH_VARIABLE: &str = "WASMEDGE_PLUGIN_PATH";

/// Lets the plugin open Unix sockets.
const UNIX_VARIABLE: &str = "TOKIO_WASMEDGE_ALLOW_AF_UNIX";

/// Part of the key under which connected programs are cached. It is raised whenever the
/// output of [`imports::connect`] for a program changes.
const REVISION: u32 = 1;

/// A program that is connected with the plugin.
#[derive(Debug)]
pub(super) struct Plugged {
    /// The program with imports, in the cache.
    pub(super) program: PathBuf,
    plugin: Plugin,
}

impl Plugged {
    /// Connects `program`, unless that is done. `None`: it is to run without the plugin,
    /// as the settings say, or since it has no use for it.
    ///
    /// # Errors
    /// [`Error::NotSetUp`] where the settings ask for a plugin that is not there; the
    /// program cannot be read, or the cache not written.
    pub(super) fn new(
        program: &Path,
        config: &Config,
        dirs: &Dirs,
        shell: &Shell,
    ) -> Result<Option<Plugged>> {
        let is_required = match config.plugin {
            config::Plugin::Never => return Ok(None),
            config::Plugin::Auto => false,
            config::Plugin::Require => true,
        };
        let Some(plugin) = Plugin::find(dirs) else {
            return match is_required {
                true => Err(Error::NotSetUp {
                    what: "the setting `plugin` asks for the plugin, which is not there".to_owned(),
                    mend: "cargo wasmedge setup".to_owned(),
                }),
                false => Ok(None),
            };
        };
        let connected = connected(program, &dirs.connected());
        let connected = connected.unwrap_or_else(|why| {
            shell.warn(format_args!(
                "{} runs without the plugin: {why:#}",
                program.file_name().unwrap_or_default().to_string_lossy()
            ));
            None
        });
        if connected.is_none() && is_required {
            return Err(anyhow::anyhow!(
                "the setting `plugin` asks for the plugin, and {} was not built for it\n  \
                 help: build it with this cargo wasmedge",
                program.display()
            )
            .into());
        }
        Ok(connected.map(|program| Plugged { program, plugin }))
    }

    /// Has WasmEdge load the plugin.
    pub(super) fn load(&self, command: &mut Command, config: &Config) {
        let mut folders = OsString::from(self.plugin.folder());
        if let Some(others) = std::env::var_os(PATH_VARIABLE).filter(|others| !others.is_empty()) {
            folders.push(":");
            folders.push(others);
        }
        command.env(PATH_VARIABLE, folders);
        command.env_remove(UNIX_VARIABLE);
        if config.allow_af_unix {
            command.env(UNIX_VARIABLE, "1");
        }
    }
}

/// The connected program, from the cache or made now. `None`: it has no stubs.
fn connected(program: &Path, cache: &Path) -> anyhow::Result<Option<PathBuf>> {
    let read = std::fs::read(program);
    let read = read.with_context(|| format!("cannot read {}", program.display()))?;
    if memchr::memmem::find(&read, MODULE.as_bytes()).is_none() {
        return Ok(None);
    }
    let hash = format!("{:x}", Sha256::digest(&read));
    let folder = cache.join(format!("{REVISION}-{}", &hash[..32]));
    // The guest sees this name as its `args[0]`.
    let name = program.file_name().unwrap_or(OsStr::new("program.wasm"));
    let connected = folder.join(name);
    if connected.is_file() {
        return Ok(Some(connected));
    }
    let Some(made) = imports::connect(&read, MODULE, |_| true)? else {
        return Ok(None);
    };
    fs::write_atomically(&connected, &made)?;
    Ok(Some(connected))
}
