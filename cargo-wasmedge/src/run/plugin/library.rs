//! The library that a program gets: which one, and whether it will do.

use std::fmt;
use std::path::{Path, PathBuf};

use wasmparser::FuncType;

use super::functions::Functions;
use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::toolchain::Dirs;
use crate::toolchain::plugin::{self, About, LIBRARY, MEND, PATH_VARIABLE};
use crate::toolchain::wasmedge::WasmEdge;

/// The library that the settings mean. `None`: programs run without one.
///
/// # Errors
/// [`Error::NotSetUp`]: they mean one that is not there.
pub(super) fn chosen(config: &Config, dirs: &Dirs) -> Result<Option<PathBuf>> {
    let set_up = plugin::library(&dirs.plugin());
    Ok(match &config.plugin {
        config::Plugin::Never => None,
        config::Plugin::Auto => set_up,
        config::Plugin::Library(library) => Some(library.clone()),
        config::Plugin::Require => Some(set_up.ok_or_else(|| Error::NotSetUp {
            what: "the setting `plugin` asks for the plugin, which is not set up".to_owned(),
            mend: MEND.to_owned(),
        })?),
    })
}

/// Whether WasmEdge finds the plugin by itself: by the user's variable, or in a folder of
/// its own.
pub(super) fn is_known_to(wasmedge: &WasmEdge) -> bool {
    let is_there = |place: PathBuf| place.join(LIBRARY).is_file() || place.ends_with(LIBRARY);
    let named = std::env::var_os(PATH_VARIABLE).unwrap_or_default();
    if std::env::split_paths(&named).any(is_there) {
        return true;
    }
    let program = wasmedge.program.canonicalize();
    let program = program.as_deref().unwrap_or(&wasmedge.program);
    let Some(prefix) = program.parent().and_then(Path::parent) else {
        return false;
    };
    let libraries = prefix.join("lib");
    let below = libraries.read_dir().into_iter().flatten().flatten();
    let below = below.map(|entry| entry.path().join("wasmedge"));
    let own = [prefix.join("plugin"), libraries.join("wasmedge")];
    own.into_iter().chain(below).any(is_there)
}

/// A library that will do.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) about: About,
    pub(super) functions: Functions,
}

impl Library {
    /// The library in this file, for this WasmEdge.
    pub(super) fn read(library: &Path, wasmedge: &WasmEdge) -> Result<Library, Unfit> {
        let library = Library::open(library)?;
        let (about, version) = (&library.about, &wasmedge.version);
        if !about.fits(version) {
            return Err(Unfit {
                why: format!("it fits {}, and this is {version}", about.wasmedges()),
                help: Some("another WasmEdge, by the setting `wasmedge`".to_owned()),
            });
        }
        Ok(library)
    }

    /// The library in this file.
    pub(super) fn open(library: &Path) -> Result<Library, Unfit> {
        let shown = library.display();
        let content = std::fs::read(library)
            .map_err(|error| Unfit::new(format!("cannot read {shown}: {error}")))?;
        let about = About::of(&content).map_err(|why| Unfit::new(format!("{shown} {why}")))?;
        let functions = Functions::of(&content).ok_or_else(|| {
            let module = plugin::MODULE;
            Unfit::new(format!("{shown} is not the plugin `{module}`"))
        })?;
        Ok(Library { about, functions })
    }

    /// Whether it is no older than a program that has these functions, by name and, where it
    /// is known, type.
    pub(super) fn has_all<'a>(
        &self,
        wanted: impl IntoIterator<Item = (&'a str, Option<&'a FuncType>)>,
    ) -> Result<(), Unfit> {
        let lacks = |(name, its_type): &(&str, Option<&FuncType>)| match its_type {
            Some(its_type) => !self.functions.has(name, its_type),
            None => !self.functions.has_name(name),
        };
        match wanted.into_iter().find(lacks) {
            None => Ok(()),
            Some((name, _)) => Err(Unfit::new(format!(
                "it is older than the program, and lacks `{name}`"
            ))),
        }
    }
}

/// Why a library will not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unfit {
    why: String,
    help: Option<String>,
}

impl Unfit {
    pub(super) fn new(why: String) -> Unfit {
        Unfit { why, help: None }
    }

    /// What mends it.
    pub(super) fn help(&self, config: &Config) -> String {
        match (&self.help, &config.plugin) {
            (Some(help), _) => help.clone(),
            (None, config::Plugin::Library(_)) => {
                "`cargo wasmedge plugin DIR` writes one".to_owned()
            }
            (None, _) => MEND.to_owned(),
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}
