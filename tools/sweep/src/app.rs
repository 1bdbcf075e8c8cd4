//! Rows as apps: each built alone, in a workspace of its own, as its author would. Only the
//! target folder is shared, so that what apps have in common is compiled once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use cargo_wasmedge::error::EXIT_UNSUPPORTED_VERSION;
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use serde::Deserialize;
use tools_common::repo::quiet_environment;
use tools_common::sources::copy_sources;
use tools_common::{Repo, Tools};

use crate::cause::{Cause, first_error};
use crate::results::{Class, Outcome};
use crate::rows::Row;

/// Builds rows, and gives what starts them.
pub(crate) struct Apps<'a> {
    tools: &'a Tools,
    folder: PathBuf,
}

/// What an app depends on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Locked {
    /// Releases of its own dependencies.
    pub(crate) releases: BTreeMap<String, String>,
    /// How many crates there are in all.
    pub(crate) graph: usize,
}

impl<'a> Apps<'a> {
    pub(crate) fn new(repo: &Repo, tools: &'a Tools) -> Apps<'a> {
        Apps {
            tools,
            folder: repo.target.join("sweep"),
        }
    }

    fn app(&self, row: &Row) -> PathBuf {
        self.folder.join("apps").join(&row.name)
    }

    /// Copies a row and lets cargo choose the newest releases. Gives what it chose, or what
    /// it says.
    ///
    /// # Errors
    /// When the copy cannot be written, or cargo not be started.
    pub(crate) fn lock(&self, row: &Row) -> Result<Result<Locked, Outcome>> {
        let app = self.app(row);
        copy_sources(&row.folder, &app)?;
        let lockfile = app.join("Cargo.lock");
        let _ = fs::remove_file(&lockfile);
        let mut cargo = self.cargo();
        cargo.args(["generate-lockfile", "--color=never"]);
        let output = cargo.current_dir(&app).output();
        let output = output.context("cannot start cargo")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Ok(Err(Outcome::new(Class::DoesNotResolve, first_error(&said))));
        }
        Ok(Ok(locked(&fs::read_to_string(&lockfile)?, row)?))
    }

    /// Builds an app, or checks it, as cargo's word says: natively without a WasmEdge.
    ///
    /// # Errors
    /// When cargo cannot be started, or its words not be kept.
    pub(crate) fn build(
        &self,
        row: &Row,
        edge: Option<&WasmEdge>,
        word: &str,
    ) -> Result<Result<(), Outcome>> {
        if edge.is_some() {
            // What is kept there is of the app before.
            let _ = fs::remove_dir_all(self.folder.join("target/wasmedge"));
        }
        let mut command = self.start(row, edge, word);
        command.arg("--color=never");
        // As where it is run, not in the app's folder: see `start`.
        let output = command.current_dir(&self.folder).output();
        let output = output.context("cannot start cargo")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let logs = self.folder.join("logs");
        fs::create_dir_all(&logs)?;
        let place = if edge.is_some() { "wasm" } else { "native" };
        fs::write(logs.join(format!("{}.{place}", row.name)), said.as_bytes())?;
        if output.status.success() {
            return Ok(Ok(()));
        }
        let refused = output.status.code() == Some(EXIT_UNSUPPORTED_VERSION);
        let class = match () {
            () if refused => Class::DoesNotResolve,
            () if said.contains("error: linking with ") => Class::DoesNotLink,
            () => Class::DoesNotBuild,
        };
        let cause = match refused {
            true => Cause::Release,
            false => Cause::guess(&said),
        };
        Ok(Err(Outcome {
            cause: Some(cause),
            ..Outcome::new(class, first_error(&said))
        }))
    }

    /// What runs an app that was built, in the folder that the caller chooses.
    pub(crate) fn run(&self, row: &Row, edge: Option<&WasmEdge>) -> Command {
        let mut command = self.start(row, edge, "run");
        command.args(["--quiet", "--"]);
        command
    }

    /// cargo, or `cargo wasmedge`, with a word and the app.
    fn start(&self, row: &Row, edge: Option<&WasmEdge>, word: &str) -> Command {
        let mut command = match edge {
            Some(edge) => self.tools.cargo_wasmedge(edge),
            None => self.cargo(),
        };
        let app = self.app(row);
        command
            .args([word, "--manifest-path"])
            .arg(app.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            // Half of the time, and most of the disk; nobody debugs these.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0");
        // Which cargo looks for from the working directory on.
        let config = app.join(".cargo/config.toml");
        if config.is_file() {
            command.arg("--config").arg(config);
        }
        command
    }

    /// The toolchain's own cargo: macros and build scripts are then the same natively and
    /// for the target, and compiled once.
    fn cargo(&self) -> Command {
        let rust = &self.tools.rust;
        let mut command = Command::new(&rust.cargo);
        quiet_environment(&mut command);
        command.envs(rust.env()).env("CARGO", &rust.cargo);
        command
    }
}

#[derive(Debug, Deserialize)]
struct Lockfile {
    package: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// Reads a lockfile. It names the version of a dependency only where there are several.
fn locked(text: &str, row: &Row) -> Result<Locked> {
    let lockfile: Lockfile = toml::from_str(text).context("cargo's lockfile")?;
    let name = format!("{}-app", row.name);
    let app = lockfile.package.iter().find(|package| package.name == name);
    let app = app.with_context(|| format!("the package of {} is not called {name}", row.name))?;
    let mut releases = BTreeMap::new();
    for dependency in &app.dependencies {
        let mut words = dependency.split(' ');
        let name = words.next().unwrap_or_default();
        let only = lockfile.package.iter().find(|package| package.name == name);
        let version = words
            .next()
            .or(only.map(|package| package.version.as_str()));
        if row.crates.iter().any(|krate| krate == name) {
            releases.insert(name.to_owned(), version.unwrap_or_default().to_owned());
        }
    }
    Ok(Locked {
        releases,
        graph: lockfile.package.len() - 1,
    })
}

/// The folder of a program of a row, filled with what it may read.
pub(crate) fn fill(folder: &Path, keys: &Path) -> Result<()> {
    for entry in keys.read_dir()? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    fs::create_dir(folder.join("www"))?;
    fs::write(folder.join("www/page.html"), "<p>a page</p>\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_from_the_lockfile() {
        let text = r#"
            version = 4
            [[package]]
            name = "pond-app"
            version = "0.1.0"
            dependencies = ["duck 2.0.1", "pond", "tokio"]
            [[package]]
            name = "duck"
            version = "1.0.0"
            [[package]]
            name = "duck"
            version = "2.0.1"
            [[package]]
            name = "pond"
            version = "1.2.3"
            [[package]]
            name = "tokio"
            version = "1.54.1"
        "#;
        let row = Row {
            name: "pond".to_owned(),
            crates: vec!["duck".to_owned(), "pond".to_owned()],
            ..Row::default()
        };
        let expected = [("duck", "2.0.1"), ("pond", "1.2.3")];
        let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(
            locked(text, &row).unwrap(),
            Locked {
                releases: expected.into(),
                graph: 4
            }
        );
    }
}
