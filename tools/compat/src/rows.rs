//! `rows.toml`: which app is run, with what, and what it exercises.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// The apps' workspace, in the checkout.
pub(crate) const FOLDER: &str = "tests-integration/compat";

/// The folder of the apps that people start from.
const EXAMPLES: &str = "examples";

/// Reads the rows of a checkout.
///
/// # Errors
/// When there is no such file, or a key in it is unknown.
pub(crate) fn read(root: &Path) -> Result<Vec<Row>> {
    let path = root.join(FOLDER).join("rows.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let rows: Rows = toml::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(rows.row)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    row: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// The package `APP-app`, or the folder of an example.
    pub(crate) app: String,
    /// Whether it is a folder of `examples`, with a workspace of its own.
    #[serde(default)]
    pub(crate) example: bool,
    /// Its arguments; `{peer}`, `{peer-port}`, `{tls-port}` and `{port}` are filled in.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Variables, as `NAME=VALUE`, filled in like arguments.
    #[serde(default)]
    pub(crate) env: Vec<String>,
    /// The server that it talks to.
    pub(crate) peer: Option<String>,
    /// Commands of a shell that talk to the app, which is a server then. `{app}` is where
    /// it listens, `{native}` the folder of the native programs, and the rest as in
    /// arguments.
    #[serde(default)]
    pub(crate) asks: Vec<String>,
    /// What a server prints when it can be asked; an address behind it becomes `{app}`.
    #[serde(default = "listening")]
    pub(crate) ready: String,
    /// The crates that it shows to work.
    pub(crate) crates: Vec<String>,
    /// What of them it exercises.
    pub(crate) what: String,
    /// Whether it is compiled ahead of time.
    #[serde(default)]
    pub(crate) compiled: bool,
    /// Why it cannot work under WasmEdge.
    pub(crate) cannot: Option<String>,
}

fn listening() -> String {
    "listening on ".to_owned()
}

impl Row {
    /// The package of its program.
    pub(crate) fn package(&self) -> String {
        match self.example {
            true => self.app.clone(),
            false => format!("{}-app", self.app),
        }
    }

    /// The manifest of its workspace, in the checkout at `root`.
    pub(crate) fn manifest(&self, root: &Path) -> PathBuf {
        match self.example {
            true => root.join(EXAMPLES).join(&self.app).join("Cargo.toml"),
            false => root.join(FOLDER).join("Cargo.toml"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tests_integration::peers::Peer;

    use super::*;

    #[test]
    fn rows_are_well_formed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for row in read(&root).unwrap() {
            let folder = match row.example {
                true => root.join(EXAMPLES),
                false => root.join(FOLDER).join("apps"),
            };
            let app = folder.join(&row.app);
            assert!(app.join("src/main.rs").is_file(), "{}", row.app);
            for variable in &row.env {
                assert!(variable.contains('='), "{}: {variable}", row.app);
            }
            if let Some(peer) = &row.peer {
                Peer::named(peer).unwrap();
            }
        }
    }
    #[test]
    fn every_example_has_a_row() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let rows = read(&root).unwrap();
        for entry in root.join(EXAMPLES).read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let has_row = rows.iter().any(|row| row.example && row.app == name);
            assert!(has_row || path.is_file(), "{name}");
        }
    }
}
