//! A plugin of WasmEdge, for programs that can do without it.
//!
//! WasmEdge does not start a program that imports what is not there. So a program that may
//! have the plugin's functions imports none of them: it has stubs, which say that there is
//! no such call. Where there is a plugin, `wasm::imports` makes imports of the stubs, before the
//! program starts or is compiled. The program that was built stays as it is.
//!
//! Which functions a library has it says itself. A program gets all that it has stubs of, or
//! runs without: one that has some of them would do what nobody has tried.

mod check;
mod functions;
mod library;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use self::functions::Functions;
use self::library::{Library, Unfit};
use super::aot;
use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::fs::write_atomically;
use crate::shell::Shell;
use crate::toolchain::Dirs;
use crate::toolchain::plugin::{self, MEND, PATH_VARIABLE};
use crate::toolchain::wasmedge::WasmEdge;
use crate::wasm::imports::{self, Wants};

pub use self::check::check;

/// Lets the plugin open Unix sockets.
pub(super) const ALLOW_AF_UNIX: &str = "TOKIO_WASMEDGE_ALLOW_AF_UNIX";

/// Raised whenever what is made of a program changes.
const REVISION: u32 = 2;

/// A program with the plugin's functions.
#[derive(Debug)]
pub struct Plugged {
    /// In the cache, or where it was.
    pub program: PathBuf,
    /// The plugin.
    pub library: PathBuf,
}

impl Plugged {
    /// Gives `program` the plugin's functions, unless it has been given them before.
    /// `None`: it runs without, as the settings say, or since it has no use for them, or
    /// since the plugin that is set up will not do, which is said.
    ///
    /// # Errors
    /// The settings ask for a plugin, and there is none that will do.
    pub fn new(
        program: &Path,
        config: &Config,
        wasmedge: &WasmEdge,
        dirs: &Dirs,
        shell: &Shell,
    ) -> Result<Option<Plugged>> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let content =
            std::fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
        let wants = imports::wants(&content, plugin::MODULE);
        let starts_without = !matches!(wants, Ok(Wants::Imports(_)));
        let chosen = library::chosen(config, dirs)?;
        let library = match (chosen, &wants, &config.plugin) {
            (Some(_), Ok(Wants::Nothing), config::Plugin::Auto) => return Ok(None),
            (Some(library), _, _) => library,
            (None, _, _) => {
                if !starts_without && !library::is_known_to(wasmedge) {
                    let (why, help) = match config.plugin {
                        config::Plugin::Never => ("the setting `plugin` is `never`", "change it"),
                        _ => ("which is not here", MEND),
                    };
                    shell.warn(starts_with_it_only(&name, why, help));
                }
                return Ok(None);
            }
        };
        let wants = wants.map_err(|why| Unfit::new(format!("{why:#}")));
        let made = Library::read(&library, wasmedge).and_then(|library| match wants? {
            Wants::Nothing => Ok(None),
            Wants::Imports(functions) => {
                library.has_all(functions.iter().map(|name| (&**name, None)))?;
                Ok(Some(program.to_owned()))
            }
            Wants::Stubs(stubs) => {
                library.has_all(stubs.iter().map(|(name, ty)| (&**name, Some(ty))))?;
                let name = program.file_name().unwrap_or_default();
                let cache = dirs.plugged();
                let made = plugged(&content, Path::new(name), &library.functions, &cache);
                made.map(Some).map_err(|why| Unfit::new(format!("{why:#}")))
            }
        });
        match made {
            Ok(Some(program)) => Ok(Some(Plugged { program, library })),
            Ok(None) if config.plugin == config::Plugin::Require => {
                let program = program.display();
                let why = format!(
                    "the setting `plugin` asks for the plugin, and {program} has no use for it"
                );
                Err(anyhow::anyhow!(why).into())
            }
            Ok(None) => Ok(None),
            Err(unfit) if config.plugin == config::Plugin::Auto => {
                let help = unfit.help(config);
                shell.warn(match starts_without {
                    true => format!("{name} runs without the plugin: {unfit} ({help})"),
                    false => starts_with_it_only(&name, &unfit.to_string(), &help),
                });
                Ok(None)
            }
            Err(unfit) => Err(Error::NotSetUp {
                what: format!("the setting `plugin` asks for the plugin: {unfit}"),
                mend: unfit.help(config),
            }),
        }
    }

    /// How WasmEdge finds the plugin, as the beginning of a shell's line.
    pub fn variable(&self) -> String {
        let library = crate::shell::quoted(&self.library.display().to_string());
        format!("{PATH_VARIABLE}={library}")
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

/// Whether the program would have the plugin's functions, if the settings insisted on them:
/// the plugin is set up, and the program has stubs.
pub fn would_be_plugged(program: &Path, dirs: &Dirs) -> bool {
    let has_stubs = |content: Vec<u8>| {
        let wants = imports::wants(&content, plugin::MODULE);
        matches!(wants, Ok(Wants::Stubs(_)))
    };
    plugin::library(&dirs.plugin()).is_some() && std::fs::read(program).is_ok_and(has_stubs)
}

/// What is said of a program that WasmEdge will not start. It speaks of an unknown import.
fn starts_with_it_only(name: &str, why: &str, help: &str) -> String {
    format!(
        "{name} was compiled for the plugin, and starts with it only: {why}\n  \
         help: {help}, or compile the program with `plugin = \"never\"`"
    )
}

/// The program with the plugin's functions, in a file `name` in `cache`.
fn plugged(
    content: &[u8],
    name: &Path,
    functions: &Functions,
    cache: &Path,
) -> anyhow::Result<PathBuf> {
    let mut hash = Sha256::new();
    hash.update(content);
    hash.update(functions.text());
    let hash = format!("{:x}", hash.finalize());
    let folder = cache.join(format!("{REVISION}-{}", &hash[..32]));
    // The guest sees this name.
    let made = folder.join(name);
    if made.is_file() {
        // It was used, so it is kept.
        let file = std::fs::File::options().append(true).open(&made);
        let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
        return Ok(made);
    }
    let has = |name: &str, its_type: &_| functions.has(name, its_type);
    let changed = imports::connect(content, plugin::MODULE, has)?;
    write_atomically(&made, &changed.context("it has no stubs")?)?;
    aot::prune_unused(cache, &folder);
    Ok(made)
}
