//! What tests and the demo need beside the host's cargo: `cargo wasmedge`
//! itself, a toolchain for the target, WasmEdge.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::Result;
use cargo_wasmedge::toolchain::rust::{self, RustToolchain};
use cargo_wasmedge::toolchain::wasmedge::{self, WasmEdge};
use cargo_wasmedge::toolchain::{self, Dirs, What};
use semver::VersionReq;
use tests_integration::host::VERSIONS;
use tests_integration::{Mode, mode};

use crate::repo::{Repo, quiet_environment};

/// The versions of WasmEdge that are named, or else those that a full run covers.
///
/// # Panics
/// Never: those are well-formed.
pub fn versions(named: &[VersionReq]) -> Vec<VersionReq> {
    let full = VERSIONS.map(|version| format!("~{version}").parse().expect("it is a version"));
    match named {
        [] => full.to_vec(),
        named => named.to_vec(),
    }
}

/// What is there after the set-up.
#[derive(Debug)]
pub struct Tools {
    /// The `cargo-wasmedge` of this checkout.
    pub cargo_wasmedge: PathBuf,
    /// The toolchain that builds for the target.
    pub rust: RustToolchain,
    /// One for each version that was asked for and could be had, in that order.
    pub wasmedge: Vec<WasmEdge>,
    /// What could not be had, and why.
    pub missing: Vec<String>,
    /// The plugin's library, once it was asked for.
    plugin: OnceLock<PathBuf>,
}

impl Tools {
    /// Builds `cargo wasmedge` and sets up what is missing.
    ///
    /// A version of WasmEdge that cannot be had is no error as long as there is
    /// any: with none of those that are asked for, the one that is installed
    /// will do.
    ///
    /// # Errors
    /// When `cargo wasmedge` cannot be built, or there is no toolchain for the target
    /// or no WasmEdge at all.
    pub fn set_up(repo: &Repo, wanted: &[VersionReq]) -> Result<Tools> {
        let cargo_wasmedge = build_cargo_wasmedge(repo)?;
        let dirs = Dirs::new()?;
        let mut what = What {
            rust: true,
            c: false,
            unwinding: false,
            wasmedge: wanted.to_vec(),
        };
        if let Ok(all) = toolchain::setup(&dirs, &what, &repo.shell) {
            return Ok(Tools {
                cargo_wasmedge,
                rust: all.rust.expect("it was asked for"),
                wasmedge: all.wasmedge,
                missing: Vec::new(),
                plugin: OnceLock::new(),
            });
        }
        // Something cannot be had: one by one, to know what.
        what.wasmedge.clear();
        let rust = toolchain::setup(&dirs, &what, &repo.shell)?.rust;
        let mut found: Vec<WasmEdge> = Vec::new();
        let mut missing = Vec::new();
        let mut last = None;
        for wanted in wanted {
            let what = What {
                rust: false,
                c: false,
                unwinding: false,
                wasmedge: vec![wanted.clone()],
            };
            match toolchain::setup(&dirs, &what, &repo.shell) {
                Ok(set_up) => found.extend(set_up.wasmedge),
                Err(error) => {
                    missing.push(error.to_string());
                    last = Some(error);
                }
            }
        }
        if found.is_empty() {
            match (wasmedge::find(&dirs, None), last) {
                (Ok(any), _) => found.push(any),
                (Err(error), None) | (Err(_), Some(error)) => return Err(error.into()),
            }
        }
        Ok(Tools {
            cargo_wasmedge,
            rust: rust.expect("it was asked for"),
            wasmedge: found,
            missing,
            plugin: OnceLock::new(),
        })
    }

    /// Builds the standard library whose panics unwind, unless it is there. The command does it:
    /// what it starts as rustc while it builds is itself.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn set_up_unwinding(&self, repo: &Repo) -> Result<()> {
        let mut command = Command::new(&self.cargo_wasmedge);
        quiet_environment(&mut command);
        command.args(["wasmedge", "setup", "--unwind"]);
        repo.must(command.current_dir(&repo.root))
    }

    /// The newest WasmEdge.
    ///
    /// # Panics
    /// Never: without any WasmEdge the set-up fails.
    pub fn newest(&self) -> &WasmEdge {
        let newest = self.wasmedge.iter().max_by_key(|found| &found.version);
        newest.expect("set-up fails without any")
    }

    /// Has what `command` runs in WasmEdge run in this mode.
    ///
    /// # Errors
    /// When the plugin cannot be built.
    pub fn select(&self, mode: Mode, repo: &Repo, command: &mut Command) -> Result<()> {
        mode.select(command, || self.plugin(repo))
    }

    /// The plugin's library, built once.
    fn plugin(&self, repo: &Repo) -> Result<PathBuf> {
        if self.plugin.get().is_none() {
            repo.must(&mut repo.cargo(["build", "--package", mode::PACKAGE]))?;
        }
        let library = self.plugin.get_or_init(|| mode::built(&repo.target));
        Ok(library.clone())
    }

    /// `cargo wasmedge`, to be run with this WasmEdge, and without the plugin until
    /// [`Tools::select`] says more.
    pub fn cargo_wasmedge(&self, wasmedge: &WasmEdge) -> Command {
        let mut command = Command::new(&self.cargo_wasmedge);
        quiet_environment(&mut command);
        command
            .arg("wasmedge")
            .arg("--wasmedge")
            .arg(&wasmedge.program)
            .env(mode::SETTING, "never");
        command
    }

    /// The toolchain's own cargo, without ported crates. It builds for the target,
    /// and programs run under this WasmEdge, interpreted, and without the plugin until
    /// [`Tools::select`] says more.
    pub fn plain_cargo(&self, wasmedge: &WasmEdge) -> Command {
        let mut command = Command::new(&self.rust.cargo);
        quiet_environment(&mut command);
        let mut runner = self.cargo_wasmedge.clone().into_os_string();
        runner.push(" ");
        runner.push(cargo_wasmedge::run::SUBCOMMAND);
        command
            .envs(self.rust.env())
            .env("CARGO", &self.rust.cargo)
            .env("CARGO_BUILD_TARGET", rust::TARGET)
            .env("CARGO_TARGET_WASM32_WASIP1_RUNNER", runner)
            .env(wasmedge::PROGRAM_VARIABLE, &wasmedge.program)
            .env("CARGO_WASMEDGE_AOT", "never")
            .env(mode::SETTING, "never");
        command
    }
}

fn build_cargo_wasmedge(repo: &Repo) -> Result<PathBuf> {
    // Together with xtask, which is built already: on its own it would have fewer
    // features of shared crates, and build those anew.
    let mut build = repo.cargo(["build", "--package", "cargo-wasmedge", "--package", "xtask"]);
    repo.must(&mut build)?;
    let name = format!("cargo-wasmedge{}", std::env::consts::EXE_SUFFIX);
    Ok(repo.target.join("debug").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_run_covers_all_versions_unless_some_are_named() {
        let full = versions(&[]);
        assert_eq!(full.len(), VERSIONS.len());
        for (covered, version) in full.iter().zip(VERSIONS) {
            assert!(covered.matches(&version.parse().unwrap()));
        }
        let named = [VersionReq::STAR];
        assert_eq!(versions(&named), named);
    }
}
