//! The checkout, and how programs are started in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use cargo_wasmedge::shell::{Shell, printed};

/// The checkout that this program was built from.
#[derive(Debug, Clone)]
pub struct Repo {
    /// The folder with the workspace's Cargo.toml.
    pub root: PathBuf,
    /// The workspace's target folder.
    pub target: PathBuf,
    /// Status lines.
    pub shell: Shell,
}

impl Repo {
    /// Asks cargo where the workspace and its target folder are.
    ///
    /// # Errors
    /// When cargo cannot read the workspace.
    pub fn open() -> Result<Repo> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .context("cargo cannot read the workspace that this program was built from")?;
        Ok(Repo {
            root: metadata.workspace_root.into(),
            target: metadata.target_directory.into(),
            shell: Shell::from_env(),
        })
    }

    /// A crate with a workspace of its own: what a user's app is.
    pub fn behaviour(&self) -> PathBuf {
        self.root.join("tests-integration/behaviour")
    }

    /// The cargo that started us, in the workspace.
    pub fn cargo<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root);
        quiet_environment(&mut command);
        command
    }

    /// Runs a command that must succeed. Its output is the user's.
    ///
    /// # Errors
    /// When it cannot be started, or does not succeed.
    pub fn must(&self, command: &mut Command) -> Result<()> {
        if self.succeeds(command)? {
            return Ok(());
        }
        bail!("failed: {}", printed(command))
    }

    /// Runs a command and tells whether it succeeded. Its output is the user's.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn succeeds(&self, command: &mut Command) -> Result<bool> {
        self.shell.command(command);
        let status = command
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot start {}", printed(command)))?;
        Ok(status.success())
    }
}

/// Takes away what `cargo run` set for this program: another cargo would take it
/// for the user's wish.
pub fn quiet_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// Whether a continuous-integration service runs us: then nothing may be left out.
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false")
}
