//! Apps become programs.

mod environment;
mod once;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cargo_wasmedge::run::runner;

use environment::{quick_to_load, select, shell_like};
use once::Once;

use crate::guard::Guard;
use crate::host::{Execution, Host};
use crate::mode;

/// Names the `cargo-wasmedge` program to test; without it the one of this
/// workspace is built.
pub const BIN_VARIABLE: &str = "CARGO_WASMEDGE_BIN";

/// How long a build may take, on a busy machine and from nothing.
pub const BUILD_LIMIT: Duration = Duration::from_secs(3600);

/// A program of the apps' workspace, or of a published package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App {
    /// A package of `tests-integration/apps`.
    Own(&'static str),
    /// A program of the published mini-redis.
    MiniRedis(&'static str),
    /// A program of the package `tests-integration/old`.
    Old(&'static str),
}

/// Builds programs, each once per run.
#[derive(Debug)]
pub struct Workbench {
    tmp: PathBuf,
    bin: OnceLock<PathBuf>,
    once: Once,
}

impl Workbench {
    /// Builds into `tmp`, a folder that outlives the tests.
    pub fn new(tmp: PathBuf) -> Workbench {
        Workbench {
            once: Once::new(tmp.join("built")),
            tmp,
            bin: OnceLock::new(),
        }
    }

    /// The folder that is built into.
    pub fn tmp(&self) -> &Path {
        &self.tmp
    }

    /// Does what is needed once in a run, by whichever test comes first.
    ///
    /// # Errors
    /// What `work` gives.
    pub fn once(&self, name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.once.run(name, work)
    }

    /// The folder of this package's sources.
    pub fn sources(&self) -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// The `cargo-wasmedge` program under test.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn cargo_wasmedge(&self) -> Result<&Path> {
        if let Some(bin) = self.bin.get() {
            return Ok(bin);
        }
        let bin = match std::env::var_os(BIN_VARIABLE) {
            Some(bin) => std::path::absolute(bin)?,
            None => {
                // Where the tests themselves were built: its library is there.
                let target = self.tmp.parent().context("no target folder")?.to_owned();
                self.once.run("cargo-wasmedge", || {
                    let mut cargo = self.cargo();
                    cargo
                        .args(["build", "--package", "cargo-wasmedge", "--target-dir"])
                        .arg(&target)
                        .arg("--manifest-path")
                        .arg(self.sources().join("../Cargo.toml"));
                    Guard::run(cargo, BUILD_LIMIT)?.successful()?;
                    Ok(())
                })?;
                target.join("debug/cargo-wasmedge")
            }
        };
        ensure!(bin.is_file(), "no program at {}", bin.display());
        Ok(self.bin.get_or_init(|| bin))
    }

    /// The plugin of WasmEdge, a library.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn plugin(&self) -> Result<PathBuf> {
        let target = self.tmp.parent().context("no target folder")?.to_owned();
        self.once.run("plugin", || {
            let mut cargo = self.cargo();
            cargo
                .args(["build", "--package", mode::PACKAGE, "--target-dir"])
                .arg(&target)
                .arg("--manifest-path")
                .arg(self.sources().join("../Cargo.toml"));
            Guard::run(cargo, BUILD_LIMIT)?.successful()?;
            Ok(())
        })?;
        Ok(mode::built(&target))
    }

    /// A guest of the plugin's, of those in `plugin`.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn plugin_guest(&self, name: &str, host: &Host) -> Result<PathBuf> {
        self.build(&self.sources().join("plugin/Cargo.toml"), host)?;
        Ok(self.artifact(name, host))
    }

    /// The user's cargo, as if called from a shell.
    pub fn cargo(&self) -> Command {
        self.cargo_at(Path::new("cargo"))
    }

    /// [`Workbench::cargo`] with another program.
    pub fn cargo_at(&self, program: &Path) -> Command {
        shell_like(Command::new(program))
    }

    /// `cargo wasmedge`, as if called from a shell. Programs run on `host`.
    ///
    /// # Errors
    /// When cargo-wasmedge cannot be built.
    pub fn wasmedge(&self, host: &Host) -> Result<Command> {
        let mut command = shell_like(Command::new(self.cargo_wasmedge()?));
        command.arg("wasmedge");
        quick_to_load(&mut command);
        self.select(&mut command, host)?;
        Ok(command)
    }

    /// Tells the runner where to run.
    fn select(&self, command: &mut Command, host: &Host) -> Result<()> {
        select(command, host, || self.plugin())
    }

    /// A command that runs `app` on `host`.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn command(&self, app: App, host: &Host) -> Result<Command> {
        let program = self.program(app, host)?;
        self.run_program(&program, host)
    }

    /// A command that runs a program that was built for `host`.
    ///
    /// # Errors
    /// When cargo-wasmedge cannot be built.
    pub fn run_program(&self, program: &Path, host: &Host) -> Result<Command> {
        if host.is_native() {
            return Ok(shell_like(Command::new(program)));
        }
        let mut command = shell_like(Command::new(self.cargo_wasmedge()?));
        command.arg(runner::SUBCOMMAND).arg(program);
        self.select(&mut command, host)?;
        // Compiled outside of the test's time limits.
        if let Host::WasmEdge(_, Execution::Compiled, _) = host {
            self.compile(program, host)?;
        }
        Ok(command)
    }

    /// Has the runner compile `program`, which it keeps: programs that are given
    /// no address to listen on or command to carry out end by themselves.
    fn compile(&self, program: &Path, host: &Host) -> Result<()> {
        self.once.run(&format!("{host} {}", program.display()), || {
            let mut command = shell_like(Command::new(self.cargo_wasmedge()?));
            command
                .arg(runner::SUBCOMMAND)
                .arg(program)
                .args(["--help", "no such command"]);
            self.select(&mut command, host)?;
            Guard::run(command, BUILD_LIMIT)?;
            Ok(())
        })
    }

    /// The program of `app` for `host`.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn program(&self, app: App, host: &Host) -> Result<PathBuf> {
        match app {
            App::Own(name) => {
                let manifest = self.sources().join("apps/Cargo.toml");
                self.build(&manifest, host)?;
                Ok(self.artifact(name, host))
            }
            App::Old(name) => {
                self.build(&self.sources().join("old/Cargo.toml"), host)?;
                Ok(self.artifact(name, host))
            }
            App::MiniRedis(name) => {
                let package = self.mini_redis(host)?;
                self.build(&package.join("Cargo.toml"), host)?;
                Ok(self.artifact(name, host))
            }
        }
    }

    /// Builds a whole workspace: programs share what they depend on.
    fn build(&self, manifest: &Path, host: &Host) -> Result<()> {
        let (kind, mut command) = if host.is_native() {
            ("native", self.cargo())
        } else {
            // Not inside of the other work: it may have to be built itself.
            ("wasm", self.wasmedge(host)?)
        };
        self.once
            .run(&format!("{kind} {}", manifest.display()), || {
                command
                    .args(["build", "--manifest-path"])
                    .arg(manifest)
                    .arg("--target-dir")
                    .arg(self.target());
                Guard::run(command, BUILD_LIMIT)?
                    .successful()
                    .with_context(|| format!("cannot build {}", manifest.display()))?;
                Ok(())
            })
    }

    /// A copy of mini-redis as it was published, out of cargo's own registry.
    fn mini_redis(&self, host: &Host) -> Result<PathBuf> {
        let mut metadata = cargo_metadata::MetadataCommand::new();
        metadata
            .manifest_path(self.sources().join("apps/Cargo.toml"))
            .other_options(["--locked".to_owned()]);
        let metadata = metadata.exec()?;
        let package = metadata
            .packages
            .iter()
            .find(|package| package.name == "mini-redis")
            .context("the apps do not depend on mini-redis")?;
        let source = package
            .manifest_path
            .parent()
            .context("a manifest in no folder")?;
        let kind = if host.is_native() {
            "native"
        } else {
            "published"
        };
        let copy = self
            .tmp
            .join(format!("mini-redis-{}-{kind}", package.version));
        self.once.run(&copy.display().to_string(), || {
            if !copy.join("Cargo.toml").exists() {
                let partial = tempfile::tempdir_in(&self.tmp)?;
                copy_folder(source.as_std_path(), partial.path())?;
                if host.is_native() {
                    // As `cargo install` does: its lockfile is of 2021, and
                    // what it lists no longer compiles natively.
                    std::fs::remove_file(partial.path().join("Cargo.lock"))?;
                }
                std::fs::rename(partial.keep(), &copy)?;
            }
            Ok(())
        })?;
        Ok(copy)
    }

    /// The target folder of all builds: what programs have in common is built
    /// once.
    pub fn target(&self) -> PathBuf {
        self.tmp.join("target")
    }

    fn artifact(&self, name: &str, host: &Host) -> PathBuf {
        if host.is_native() {
            self.target().join("debug").join(name)
        } else {
            let file = format!("{name}.wasm");
            self.target().join("wasm32-wasip1/debug").join(file)
        }
    }
}

/// Copies a folder with all that is in it.
///
/// # Errors
/// When something cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
