//! A user who has a toolchain and nothing else yet.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use cargo_wasmedge::toolchain::Dirs;
use tempfile::TempDir;

use crate::build::{BUILD_LIMIT, Workbench};
use crate::guard::Guard;
use crate::mode::SETTING;

const PACKAGE: &str = "cargo-wasmedge";

/// A home folder that begins empty, far from the repository.
pub struct Newcomer<'a> {
    workbench: &'a Workbench,
    temp: TempDir,
    cargo_home: PathBuf,
    /// Where the package is built.
    target: PathBuf,
    has_our_tools: bool,
}

impl<'a> Newcomer<'a> {
    /// One who finds the WasmEdges of this machine, and whose builds are kept for the next
    /// run of the test.
    ///
    /// # Errors
    /// When folders cannot be made.
    pub fn with_our_tools(workbench: &'a Workbench) -> Result<Newcomer<'a>> {
        let folder = workbench.tmp().join("package");
        // Keeps its place, or cargo would compile everything anew in each run: for a
        // registry's packages it compares paths.
        let cargo_home = folder.join("cargo-home");
        if cargo_home.exists() {
            fs::remove_dir_all(&cargo_home)?;
        }
        Newcomer::new(
            workbench,
            tempfile::tempdir()?,
            cargo_home,
            folder.join("target"),
            true,
        )
    }

    /// One who has to set up everything, and builds everything.
    ///
    /// # Errors
    /// When folders cannot be made.
    pub fn from_nothing(workbench: &'a Workbench) -> Result<Newcomer<'a>> {
        let temp = tempfile::tempdir()?;
        let cargo_home = temp.path().join("home/.cargo");
        let target = temp.path().join("package");
        Newcomer::new(workbench, temp, cargo_home, target, false)
    }

    fn new(
        workbench: &'a Workbench,
        temp: TempDir,
        cargo_home: PathBuf,
        target: PathBuf,
        has_our_tools: bool,
    ) -> Result<Newcomer<'a>> {
        fs::create_dir_all(temp.path().join("home"))?;
        fs::create_dir_all(&cargo_home)?;
        reach_registry(&cargo_home)?;
        Ok(Newcomer {
            workbench,
            temp,
            cargo_home,
            target,
            has_our_tools,
        })
    }

    /// A folder or file of theirs, beside the home folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// cargo's home folder.
    pub fn cargo_home(&self) -> &Path {
        &self.cargo_home
    }

    /// A command that sees the empty home, and the toolchains of this machine.
    ///
    /// # Errors
    /// When this machine's user has no home folder.
    pub fn here(&self, mut command: Command) -> Result<Command> {
        let rustup = home::rustup_home()?;
        command
            .current_dir(self.temp.path())
            .env("HOME", self.path("home"))
            .env("CARGO_HOME", &self.cargo_home)
            .env_remove("XDG_CACHE_HOME");
        if rustup.is_dir() {
            command.env("RUSTUP_HOME", rustup);
        }
        if self.has_our_tools {
            command
                .env("CARGO_WASMEDGE_HOME", Dirs::new()?.home())
                .env("CARGO_TARGET_DIR", &self.target)
                // Nobody debugs it, and it is half of the build.
                .env("CARGO_PROFILE_DEV_DEBUG", "false");
        } else {
            command
                .env_remove("CARGO_WASMEDGE_HOME")
                .env_remove(SETTING);
        }
        Ok(command)
    }

    /// cargo, with arguments.
    ///
    /// # Errors
    /// As [`Newcomer::here`].
    pub fn cargo(&self, args: &[&str]) -> Result<Command> {
        let mut cargo = self.here(self.workbench.cargo())?;
        cargo.args(args);
        Ok(cargo)
    }

    /// The folder that the archive of the package unpacks to. cargo itself has built what is
    /// in it.
    ///
    /// # Errors
    /// When it cannot be made, or lacks something.
    pub fn unpacked_archive(&self) -> Result<PathBuf> {
        let mut cargo = self.cargo(&["package", "--allow-dirty", "--package", PACKAGE])?;
        cargo.arg("--target-dir").arg(&self.target);
        cargo.current_dir(self.workbench.sources());
        Guard::run(cargo, BUILD_LIMIT)?.successful()?;
        let sources = self.path("sources");
        unpack(&self.archive()?, &sources)?;
        Ok(sources)
    }

    fn archive(&self) -> Result<PathBuf> {
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(self.workbench.sources().join("../Cargo.toml"))
            .no_deps()
            .exec()?;
        let package = metadata.packages.iter().find(|each| each.name == PACKAGE);
        let version = &package.context("no such package")?.version;
        Ok(self
            .target
            .join(format!("package/{PACKAGE}-{version}.crate")))
    }
}

/// Says in another cargo home how this machine reaches the registry, where it has to be said.
///
/// # Errors
/// When the configuration cannot be copied.
pub fn reach_registry(cargo_home: &Path) -> Result<()> {
    let config = home::cargo_home()?.join("config.toml");
    if config.is_file() {
        fs::copy(config, cargo_home.join("config.toml"))?;
    }
    Ok(())
}

/// The variable `PATH` with `bin` in front.
///
/// # Errors
/// When the name of a folder cannot be in it.
pub fn path_with(bin: &Path) -> Result<OsString> {
    let mut path = vec![bin.to_owned()];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    Ok(std::env::join_paths(path)?)
}

/// Unpacks an archive, which holds one folder, as `folder`.
fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    let file = fs::File::open(archive).with_context(|| format!("no {}", archive.display()))?;
    let temp = tempfile::tempdir_in(folder.parent().context("a folder at the root")?)?;
    tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(temp.path())?;
    let inner = fs::read_dir(temp.path())?.next().context("it is empty")??;
    Ok(fs::rename(inner.path(), folder)?)
}
