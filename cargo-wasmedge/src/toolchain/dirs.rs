//! The folders that cargo-wasmedge keeps its things in.

use std::path::{Path, PathBuf};

use super::env::Env;
use crate::error::{Error, Result};

/// Overrides the cache folder.
pub(crate) const HOME_VARIABLE: &str = "CARGO_WASMEDGE_HOME";

/// The cache folder and its parts. Everything in it can be deleted at any
/// time; `cargo wasmedge setup` and the next build make it anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    home: PathBuf,
}

impl Dirs {
    /// `CARGO_WASMEDGE_HOME`, else `cargo-wasmedge` in the user's cache folder
    /// (`$XDG_CACHE_HOME` or `~/.cache` on Linux, `~/Library/Caches` on macOS).
    ///
    /// # Errors
    /// [`Error::NotSetUp`] when the user has no home folder.
    pub fn new() -> Result<Dirs> {
        Dirs::from_env(&Env::of_process()?)
    }

    /// The same, in a given environment.
    ///
    /// # Errors
    /// As [`Dirs::new`].
    pub fn from_env(env: &Env) -> Result<Dirs> {
        if let Some(home) = env.var(HOME_VARIABLE) {
            // Wrapper scripts hold absolute paths.
            return Ok(Dirs::at(env.cwd().join(home)));
        }
        match directories::ProjectDirs::from("", "", "cargo-wasmedge") {
            Some(dirs) => Ok(Dirs::at(dirs.cache_dir())),
            None => Err(Error::NotSetUp {
                what: "no folder for the cache: the user has no home folder".to_owned(),
                mend: format!("set {HOME_VARIABLE} to a folder"),
            }),
        }
    }

    /// A cache folder at a given absolute path.
    pub fn at(home: impl Into<PathBuf>) -> Dirs {
        Dirs { home: home.into() }
    }

    /// The cache folder itself.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// What is needed to put lockfiles back, a folder for each workspace.
    pub fn journals(&self) -> PathBuf {
        self.home.join("journals")
    }

    /// Rust toolchains that were installed, one folder each.
    pub fn toolchains(&self) -> PathBuf {
        self.home.join("toolchains")
    }

    /// Standard libraries that unwind, one folder each.
    pub fn unwinding(&self) -> PathBuf {
        self.home.join("unwinding")
    }

    /// Sources of std, for the time of a set-up.
    pub(crate) fn sources(&self) -> PathBuf {
        self.home.join("sources")
    }

    /// WasmEdge versions that were installed, one folder each, named by version.
    pub fn wasmedge(&self) -> PathBuf {
        self.home.join("wasmedge")
    }

    /// C compilers for the target that were installed, one folder each.
    pub fn c(&self) -> PathBuf {
        self.home.join("c")
    }

    /// C libraries that were built for the target, one folder each.
    pub fn libraries(&self) -> PathBuf {
        self.home.join("libraries")
    }

    /// Programs compiled ahead of time.
    pub fn aot(&self) -> PathBuf {
        self.home.join("aot")
    }

    /// Programs with the functions of a plugin.
    pub fn plugged(&self) -> PathBuf {
        self.home.join("plugged")
    }

    /// The plugin.
    pub fn plugin(&self) -> PathBuf {
        self.home.join("plugin")
    }

    /// Ported crates.
    pub fn ported(&self) -> PathBuf {
        self.home.join("ported")
    }

    /// What is known of crates and the std facade: their calls of std, and whether they
    /// compile on it.
    pub fn facade(&self) -> PathBuf {
        self.home.join("facade")
    }

    /// Copies of the host's files on names, for programs to read.
    pub fn names(&self) -> PathBuf {
        self.home.join("names")
    }

    /// Copies of the certificates of authorities, for programs to read.
    pub fn certificates(&self) -> PathBuf {
        self.home.join("certificates")
    }

    /// apt's state and downloads while a set-up is under way; kept when it is
    /// interrupted, deleted when it is done.
    pub(crate) fn apt(&self) -> PathBuf {
        self.home.join("apt")
    }

    /// Held by the set-up under way.
    pub(crate) fn lock(&self) -> PathBuf {
        self.home.join("setup.lock")
    }

    /// Says that rustup could not add the target, so that the next set-up does
    /// not wait for it again.
    pub(crate) fn rustup_failed(&self) -> PathBuf {
        self.home.join("rustup-failed.json")
    }
}

/// The size of all files in a folder and its subfolders, in bytes.
pub(crate) fn size_of(folder: &Path) -> u64 {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Some(entry.metadata().ok()?.len()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_overrides_and_becomes_absolute() {
        let env = Env::empty("/somewhere").with(HOME_VARIABLE, "cache");
        let dirs = Dirs::from_env(&env).unwrap();
        assert_eq!(dirs.home(), Path::new("/somewhere/cache"));
        assert_eq!(dirs.wasmedge(), Path::new("/somewhere/cache/wasmedge"));
        let env = Env::empty("/somewhere").with(HOME_VARIABLE, "/abs");
        assert_eq!(Dirs::from_env(&env).unwrap().home(), Path::new("/abs"));
    }
}
