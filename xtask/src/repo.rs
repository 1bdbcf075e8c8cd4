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
    pub fn open() -> Result<Repo> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .context("cargo cannot read the workspace that xtask was built from")?;
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
    pub fn must(&self, command: &mut Command) -> Result<()> {
        if self.succeeds(command)? {
            return Ok(());
        }
        bail!("failed: {}", printed(command))
    }

    /// Runs a command and tells whether it succeeded. Its output is the user's.
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

/// Copies a package's folder without what was built in it and without its
/// lockfile. Files that are the same already keep their time, so that cargo
/// builds nothing anew; files that are gone are deleted.
pub fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let left_alone = |name: &OsStr| name == "target" || name == "Cargo.lock";
    for entry in to.read_dir()?.flatten() {
        let gone = !from.join(entry.file_name()).exists();
        if gone && !left_alone(&entry.file_name()) {
            match entry.file_type()?.is_dir() {
                true => std::fs::remove_dir_all(entry.path())?,
                false => std::fs::remove_file(entry.path())?,
            }
        }
    }
    for entry in from.read_dir()? {
        let entry = entry?;
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        if left_alone(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_sources(&source, &copy)?;
            continue;
        }
        let bytes = std::fs::read(&source)?;
        if !std::fs::read(&copy).is_ok_and(|old| old == bytes) {
            std::fs::write(&copy, bytes)
                .with_context(|| format!("cannot write {}", copy.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_copy_follows_its_source() {
        let temp = tempfile::tempdir().unwrap();
        let (from, to) = (temp.path().join("from"), temp.path().join("to"));
        fs::create_dir_all(from.join("src")).unwrap();
        fs::create_dir_all(from.join("target")).unwrap();
        for name in ["src/a.rs", "src/b.rs", "Cargo.lock", "target/x"] {
            fs::write(from.join(name), name).unwrap();
        }
        copy_sources(&from, &to).unwrap();
        assert!(!to.join("Cargo.lock").exists() && !to.join("target").exists());
        fs::write(to.join("Cargo.lock"), "its own").unwrap();
        let written = |name: &str| fs::metadata(to.join(name)).unwrap().modified().unwrap();
        let before = written("src/a.rs");

        fs::remove_file(from.join("src/b.rs")).unwrap();
        fs::write(from.join("src/c.rs"), "new").unwrap();
        copy_sources(&from, &to).unwrap();
        assert_eq!(written("src/a.rs"), before);
        assert!(!to.join("src/b.rs").exists());
        assert_eq!(fs::read_to_string(to.join("src/c.rs")).unwrap(), "new");
        assert_eq!(
            fs::read_to_string(to.join("Cargo.lock")).unwrap(),
            "its own"
        );
    }
}
