//! What is left in an app of the older forks for WasmEdge: crates, `[patch]` sections,
//! flags and keys that nothing needs any more. `doctor` lists it.
//!
//! It is looked for in manifests and configuration files, without resolving anything: a
//! `[patch]` on a branch that is gone makes cargo fail at that.
//!
//! * `forks`: the table of the forks;
//! * `cargo_config`: `.cargo/config.toml`, and the variables that do the same.

mod cargo_config;
mod forks;

use std::path::Path;

use cargo_metadata::Package;

use super::app::{App, shown};
use super::stand_in::{STAND_IN, StandIn};
use crate::error::Result;

pub use forks::{Fork, table};

/// One thing that is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its name: a crate, a key, a variable.
    pub what: String,
    /// Where it is, and what it does.
    pub why: String,
    /// What to do about it.
    pub help: String,
}

/// Everything that is left in an app, and in the configuration that holds in `folder`.
///
/// # Errors
/// As [`crates()`].
pub fn all(
    app: &App,
    folder: &Path,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Leftover>> {
    let mut found = crates(app)?;
    for file in cargo_config::files(folder) {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let place = shown(&file);
        found.extend(in_patches(&text, &place));
        found.extend(cargo_config::in_file(&text, &place));
    }
    found.extend(cargo_config::in_variables(variable));
    Ok(found)
}

/// What is left in the manifests of an app.
///
/// # Errors
/// As `StandIn::embedded`.
pub fn crates(app: &App) -> Result<Vec<Leftover>> {
    let stand_in = StandIn::embedded()?;
    let manifest = app.root.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).unwrap_or_default();
    let mut found = in_patches(&text, &shown(&manifest));
    for member in &app.members {
        found.extend(in_dependencies(member, &stand_in));
    }
    Ok(found)
}

/// Forks among the dependencies that a member declares, and a pinned stand-in.
fn in_dependencies(member: &Package, stand_in: &StandIn) -> Vec<Leftover> {
    let manifest = shown(member.manifest_path.as_std_path());
    let of = |dependency: &cargo_metadata::Dependency| {
        let name = &dependency.name;
        let source = dependency
            .source
            .as_ref()
            .map(|source| source.repr.as_str());
        if let Some((fork, repository)) = source.and_then(Fork::at) {
            return Some(Leftover {
                what: name.clone(),
                why: format!("{manifest}: a fork of {} ({repository})", fork.of),
                help: format!("`{}` in its place", fork.instead),
            });
        }
        if let Some(fork) = Fork::on_registry(name) {
            return Some(Leftover {
                what: name.clone(),
                why: format!(
                    "{manifest}: a fork of {}, which is used without a port",
                    fork.of
                ),
                help: format!("`{}` in its place", fork.instead),
            });
        }
        let ours = stand_in.version();
        if name == STAND_IN && source.is_some() && !dependency.req.matches(ours) {
            return Some(Leftover {
                what: name.clone(),
                why: format!("{manifest}: `{}` is used as published", dependency.req),
                help: format!(
                    "`{STAND_IN} = \"{ours}\"`, or std's and tokio's sockets in its place"
                ),
            });
        }
        None
    };
    member.dependencies.iter().filter_map(of).collect()
}

/// Sections `[patch]` that put forks in the place of upstream's crates: in a manifest, or
/// in cargo's configuration.
fn in_patches(text: &str, place: &str) -> Vec<Leftover> {
    let table: toml::Table = text.parse().unwrap_or_default();
    let sources = table.get("patch").and_then(toml::Value::as_table);
    let mut found = Vec::new();
    for (source, patches) in sources.into_iter().flatten() {
        for (name, patch) in patches.as_table().into_iter().flatten() {
            let url = patch.get("git").and_then(toml::Value::as_str);
            if let Some((_, repository)) = url.and_then(Fork::at) {
                found.push(Leftover {
                    what: format!("patch.{source}.{name}"),
                    why: format!("{place}: an older fork for WasmEdge ({repository})"),
                    help: "delete the line: upstream's releases work".to_owned(),
                });
            }
        }
    }
    found
}
