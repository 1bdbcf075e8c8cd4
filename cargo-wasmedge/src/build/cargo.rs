//! The real cargo, and how it is started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::invocation::CargoInvocation;
use crate::toolchain::Origin;
use crate::toolchain::rust::RustToolchain;

/// The cargo of a toolchain, in the environment that it needs.
#[derive(Debug, Clone)]
pub struct Cargo {
    toolchain: RustToolchain,
    variables: Vec<(String, OsString)>,
    more: Vec<(String, OsString)>,
}

impl Cargo {
    /// The toolchain's cargo. `variables` are for cargo and for all that it starts.
    pub fn new(toolchain: RustToolchain, variables: &[(String, OsString)]) -> Cargo {
        let own = toolchain.env().into_iter();
        let own = own.map(|(name, value)| (name.to_owned(), value.into_os_string()));
        Cargo {
            variables: variables.iter().cloned().chain(own).collect(),
            toolchain,
            more: Vec::new(),
        }
    }

    /// With more variables, which are stronger than the toolchain's own.
    #[must_use]
    pub fn with(mut self, variables: Vec<(String, OsString)>) -> Cargo {
        self.more.extend(variables);
        self
    }

    /// What it was given in [`Cargo::with`].
    pub fn more(&self) -> &[(String, OsString)] {
        &self.more
    }

    /// The toolchain.
    pub fn toolchain(&self) -> &RustToolchain {
        &self.toolchain
    }

    /// Its program.
    pub fn program(&self) -> &Path {
        &self.toolchain.cargo
    }

    /// What programs need in their environment to find the toolchain, and to be told
    /// of our own flags.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        let variables = self.variables.iter().chain(&self.more);
        variables.map(|(name, value)| (name.as_str(), value.as_os_str()))
    }

    /// A command that starts it, with no arguments yet.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.toolchain.cargo);
        command.envs(self.variables());
        // cargo hands its own path to build scripts. Set by another cargo, it
        // would hand that one on.
        command.env("CARGO", &self.toolchain.cargo);
        command
    }

    /// `cargo SUBCOMMAND` that looks at the app as `invocation` says; `extra` goes
    /// behind. Its stderr is the user's, so that cargo itself tells of progress
    /// and errors.
    pub fn nested(
        &self,
        invocation: &CargoInvocation,
        subcommand: &str,
        extra: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Command {
        let mut command = self.command();
        command
            .arg(subcommand)
            .args(invocation.context_args())
            .args(extra);
        command.stdin(Stdio::null());
        if let Some(dir) = &invocation.target_dir {
            command.env("CARGO_TARGET_DIR", dir);
        }
        command
    }

    /// Subcommands of the form `cargo-NAME`: beside a rustc that set-up installed,
    /// in cargo's `bin` folder, on `PATH`.
    pub fn external(&self, name: &str) -> Option<PathBuf> {
        let program = format!("cargo-{name}");
        let beside = self.toolchain.rustc.with_file_name(&program);
        if self.toolchain.origin == Origin::Private && beside.is_file() {
            return Some(beside);
        }
        let cargo_bin = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(directories::BaseDirs::new()?.home_dir().join(".cargo")))
            .map(|home| home.join("bin").join(&program));
        cargo_bin
            .filter(|path| path.is_file())
            .or_else(|| which::which(&program).ok())
    }
}
