//! `rows.toml`: which app is run, with what, and what it exercises.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// The apps' workspace, in the checkout.
pub(crate) const FOLDER: &str = "tests-integration/compat";

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
    /// The package `APP-app`.
    pub(crate) app: String,
    /// Its arguments; `{peer}`, `{peer-port}`, `{tls-port}` and `{port}` are filled in.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// The server that it talks to.
    pub(crate) peer: Option<String>,
    /// Commands of a shell that talk to the app, which is a server then.
    #[serde(default)]
    pub(crate) asks: Vec<String>,
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

#[cfg(test)]
mod tests {
    use tests_integration::peers::Peer;

    use super::*;

    #[test]
    fn rows_are_well_formed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for row in read(&root).unwrap() {
            let app = root.join(FOLDER).join("apps").join(&row.app);
            assert!(app.join("src/main.rs").is_file(), "{}", row.app);
            if let Some(peer) = &row.peer {
                Peer::named(peer).unwrap();
            }
        }
    }
}
