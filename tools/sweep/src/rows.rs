//! The rows: a folder each, with a small app and what is known of it.
//!
//! `Cargo.toml` is as `cargo add` writes it, `src/main.rs` has a few lines, and `row.toml`,
//! which may be missing, says what the app needs and why it cannot work.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::cause::Cause;
use crate::results::Class;

/// The rows' folders, in the checkout.
pub(crate) const FOLDER: &str = "tests-integration/sweep";

/// What is known of a row.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// The folder's name; the package is `NAME-app`.
    #[serde(skip)]
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) folder: PathBuf,
    /// What the app depends on, without tokio.
    #[serde(skip)]
    pub(crate) crates: Vec<String>,
    /// Servers that are started first.
    #[serde(default)]
    pub(crate) peers: Vec<String>,
    /// The app's arguments; `{PEER}`, `{PEER-tls}` and `{port}` are filled in.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Commands of a shell that talk to the app, which is a server on `{port}` then.
    #[serde(default)]
    pub(crate) asks: Vec<String>,
    /// Whether continuous integration runs it.
    #[serde(default)]
    pub(crate) quick: bool,
    /// Why it cannot work under WasmEdge, or does not yet.
    pub(crate) cannot: Option<Cannot>,
}

/// Why a row cannot work.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cannot {
    /// What is seen instead.
    pub(crate) instead: Class,
    pub(crate) cause: Cause,
    /// The line, the host's function or the fact.
    pub(crate) why: String,
}

impl Row {
    fn read(folder: &Path) -> Result<Row> {
        let path = folder.join("row.toml");
        let mut row: Row = match path.is_file() {
            true => toml::from_str(&fs::read_to_string(&path)?)
                .with_context(|| path.display().to_string())?,
            false => Row::default(),
        };
        let name = folder.file_name().context("a row without a name")?;
        row.name = name.to_string_lossy().into_owned();
        row.folder = folder.to_owned();
        let path = folder.join("Cargo.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: Manifest =
            toml::from_str(&text).with_context(|| path.display().to_string())?;
        let added = manifest.dependencies.into_keys();
        row.crates = added.filter(|name| name != "tokio").collect();
        Ok(row)
    }
}

#[derive(Debug, Deserialize)]
struct Manifest {
    dependencies: BTreeMap<String, toml::Value>,
}

/// The rows of a checkout, by name.
///
/// # Errors
/// A folder without a manifest, or with a `row.toml` that has an unknown key.
pub(crate) fn read(root: &Path) -> Result<Vec<Row>> {
    let folder = root.join(FOLDER);
    let entries = folder
        .read_dir()
        .with_context(|| format!("cannot read {}", folder.display()))?;
    let mut rows = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            rows.push(Row::read(&path)?);
        }
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

/// Those of these names, in their order; without names all, or the quick ones.
///
/// # Errors
/// When there is no row of a name.
pub(crate) fn chosen<'a>(rows: &'a [Row], names: &[String], quick: bool) -> Result<Vec<&'a Row>> {
    if names.is_empty() {
        return Ok(rows.iter().filter(|row| row.quick || !quick).collect());
    }
    let row = |name: &String| match rows.iter().find(|row| row.name == *name) {
        Some(row) => Ok(row),
        None => bail!("no row is called {name}; the rows are the folders of {FOLDER}"),
    };
    names.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use tests_integration::peers::Peer;

    use super::*;

    fn all() -> Vec<Row> {
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
    }

    #[test]
    fn rows_are_well_formed() {
        let rows = all();
        for row in &rows {
            assert!(row.folder.join("src/main.rs").is_file(), "{}", row.name);
            assert!(!row.folder.join("Cargo.lock").exists(), "{}", row.name);
            let manifest = fs::read_to_string(row.folder.join("Cargo.toml")).unwrap();
            let package = format!("name = \"{}-app\"\n", row.name);
            assert!(manifest.contains(&package), "{}", row.name);
            for peer in &row.peers {
                Peer::named(peer).unwrap();
            }
        }
        let quick = rows.iter().filter(|row| row.quick).count();
        assert!((4..=6).contains(&quick), "{quick} rows are quick");
    }

    #[test]
    fn what_needs_a_server_to_run_is_not_for_continuous_integration() {
        for row in all().iter().filter(|row| row.quick) {
            assert!(row.peers.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn rows_are_chosen_by_name() {
        let row = |name: &str, quick| Row {
            name: name.to_owned(),
            quick,
            ..Row::default()
        };
        let rows = [row("a", false), row("b", true)];
        let names = |words: &[&str], quick| -> Vec<String> {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let chosen = chosen(&rows, &words, quick).unwrap();
            chosen.iter().map(|row| row.name.clone()).collect()
        };
        assert_eq!(names(&[], false), ["a", "b"]);
        assert_eq!(names(&[], true), ["b"]);
        assert_eq!(names(&["b", "a"], false), ["b", "a"]);
        assert!(chosen(&rows, &["c".to_owned()], false).is_err());
    }
}
