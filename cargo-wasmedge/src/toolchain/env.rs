//! The environment that programs are looked for in.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Environment variables and a working directory: this process's, or (in
/// tests) ones made up.
#[derive(Debug, Clone)]
pub struct Env {
    vars: BTreeMap<OsString, OsString>,
    cwd: PathBuf,
    root: PathBuf,
}

impl Env {
    /// This process's variables and working directory.
    ///
    /// # Errors
    /// When the working directory no longer exists.
    pub fn of_process() -> std::io::Result<Env> {
        Ok(Env {
            vars: std::env::vars_os().collect(),
            cwd: std::env::current_dir()?,
            root: PathBuf::from("/"),
        })
    }

    /// No variables at all, in `cwd`.
    pub fn empty(cwd: impl Into<PathBuf>) -> Env {
        Env {
            vars: BTreeMap::new(),
            cwd: cwd.into(),
            root: PathBuf::from("/"),
        }
    }

    /// The same with one variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Env {
        self.vars.insert(name.into(), value.into());
        self
    }

    /// The same with one variable removed.
    #[must_use]
    pub fn without(mut self, name: &str) -> Env {
        self.vars.remove(OsStr::new(name));
        self
    }

    /// The same, with the system's files (Debian's keyring, wasi-libc's headers,
    /// `/proc`) looked for below `root` in place of `/`.
    #[must_use]
    pub fn below(mut self, root: impl Into<PathBuf>) -> Env {
        self.root = root.into();
        self
    }

    /// The same in another working directory.
    #[must_use]
    pub(crate) fn at(mut self, cwd: impl Into<PathBuf>) -> Env {
        self.cwd = cwd.into();
        self
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A variable's value; an empty one counts as unset.
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        let value = self.vars.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value.as_os_str())
    }

    /// The working directory.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// The user's home folder.
    pub fn home(&self) -> Option<PathBuf> {
        match self.var("HOME") {
            Some(home) => Some(PathBuf::from(home)),
            None => directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf()),
        }
    }

    /// Finds a program on `PATH` (or takes a path as it is, from the working directory).
    pub(crate) fn which(&self, program: impl AsRef<OsStr>) -> Option<PathBuf> {
        which::which_in(program, self.vars.get(OsStr::new("PATH")), &self.cwd).ok()
    }

    /// Every folder on `PATH`.
    pub(crate) fn path_folders(&self) -> Vec<PathBuf> {
        match self.var("PATH") {
            Some(path) => std::env::split_paths(path).collect(),
            None => Vec::new(),
        }
    }

    /// A command with these variables and no others, in this directory.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.vars).current_dir(&self.cwd);
        command
    }
}
