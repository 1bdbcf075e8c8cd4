//! Edits of an upstream crate's `Cargo.toml`.

use anyhow::{Context as _, bail};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::cfg;
use super::error::{Fault, Miss, places};
use super::rules::{DependencyRule, FeatureTarget};
use super::target::P1;
use super::tokens::{Kind, bytes, edited, lex};

/// The file that this module edits.
pub(super) const FILE: &str = "Cargo.toml";

/// Reads a manifest.
pub(super) fn parse(text: &[u8]) -> anyhow::Result<DocumentMut> {
    std::str::from_utf8(text)
        .context("not UTF-8")?
        .parse::<DocumentMut>()
        .context("not TOML")
}

/// What every crate that is a path dependency outside our workspace needs.
///
/// The empty `[workspace]` keeps cargo from looking for a workspace in the
/// folders above. Path dependencies lose cargo's `--cap-lints`, so the crate's
/// own lints would show up in the app's build: they are all allowed.
pub(super) fn normalise(document: &mut DocumentMut) {
    document.insert("workspace", Item::Table(Table::new()));
    let mut rust = Table::new();
    rust.insert("warnings", value("allow"));
    let mut lints = Table::new();
    lints.set_implicit(true);
    lints.insert("rust", Item::Table(rust));
    document.insert("lints", Item::Table(lints));
}

/// The path of the library's root module.
pub(super) fn lib_path(document: &DocumentMut) -> String {
    document
        .get("lib")
        .and_then(|lib| lib.get("path"))
        .and_then(Item::as_str)
        .unwrap_or("src/lib.rs")
        .trim_start_matches("./")
        .to_string()
}

/// Switches a predicate in the keys of `[target.'cfg(…)'.…]`; returns the number of places.
pub(super) fn switch_cfg(
    document: &mut DocumentMut,
    predicate: &[Kind],
    becomes: &str,
) -> anyhow::Result<usize> {
    let Some(targets) = document.get_mut("target").and_then(Item::as_table_mut) else {
        return Ok(0);
    };
    let mut renames = Vec::new();
    let mut count = 0;
    for (key, _) in targets.iter() {
        if !key.starts_with("cfg") {
            continue;
        }
        let tokens = lex(key).with_context(|| format!("the key [target.'{key}']"))?;
        let found = cfg::find(&tokens, 0..tokens.len(), predicate);
        if found.is_empty() {
            continue;
        }
        count += found.len();
        let edits = found
            .iter()
            .map(|at| super::tokens::Edit {
                range: bytes(&tokens, at),
                text: becomes.to_string(),
            })
            .collect();
        renames.push((key.to_string(), edited(key, edits)?));
    }
    for (old, new) in renames {
        if targets.contains_key(&new) {
            bail!("[target.'{old}'] would become [target.'{new}'], which is there already");
        }
        if let Some(item) = targets.remove(&old) {
            targets.insert(&new, item);
        }
    }
    Ok(count)
}

/// Adds a dependency for the guest target; `path` for crates of ours.
pub(super) fn add_dependency(
    document: &mut DocumentMut,
    rule: &DependencyRule,
    path: Option<&str>,
) -> anyhow::Result<()> {
    let mut fields = InlineTable::new();
    if let Some(path) = path {
        fields.insert("path", path.into());
    }
    if let Some(version) = &rule.version {
        fields.insert("version", version.as_str().into());
    }
    if let Some(on) = rule.default_features {
        fields.insert("default-features", on.into());
    }
    if !rule.features.is_empty() {
        fields.insert("features", Value::Array(rule.features.iter().collect()));
    }
    if rule.optional {
        fields.insert("optional", true.into());
    }
    let table = match rule.dev {
        true => "dev-dependencies",
        false => "dependencies",
    };
    let dependencies = guest_table(document, table)?;
    if let Some(other) = dependencies.get(&rule.krate) {
        let new = fields.to_string();
        if other.to_string().trim() != new.trim() {
            bail!(
                "`{}` is already a dependency of the guest target: {other}",
                rule.krate
            );
        }
        return Ok(());
    }
    dependencies.insert(&rule.krate, value(fields));
    Ok(())
}

fn guest_table<'a>(
    document: &'a mut DocumentMut,
    name: &str,
) -> anyhow::Result<&'a mut dyn TableLike> {
    let implicit = || {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    };
    document
        .entry("target")
        .or_insert_with(implicit)
        .as_table_like_mut()
        .context("[target] is not a table")?
        .entry(&format!("cfg({P1})"))
        .or_insert_with(implicit)
        .as_table_like_mut()
        .context("[target.'cfg(…)'] is not a table")?
        .entry(name)
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_like_mut()
        .with_context(|| format!("[{name}] is not a table"))
}

/// Adds to a feature or to the features of a dependency; returns the number of places.
pub(super) fn add_features(
    document: &mut DocumentMut,
    target: &FeatureTarget,
    adds: &[String],
) -> Result<usize, Fault> {
    match target {
        FeatureTarget::Feature(feature) => {
            let list = document
                .get_mut("features")
                .and_then(|features| entry(features, feature))
                .and_then(Item::as_array_mut)
                .ok_or_else(|| Miss {
                    file: FILE.into(),
                    item: Some(format!("features.{feature}")),
                    expected: places(1),
                    found: "no such feature".into(),
                })?;
            extend(list, adds);
            Ok(1)
        }
        FeatureTarget::Dependency(name) => {
            let mut count = 0;
            let mut tables: Vec<&mut Item> = Vec::new();
            for (key, item) in document.iter_mut() {
                match key.get() {
                    "dependencies" => tables.push(item),
                    "target" => {
                        let targets = item.as_table_like_mut().into_iter();
                        let targets = targets.flat_map(|table| table.iter_mut());
                        tables.extend(targets.filter_map(|(_, t)| entry(t, "dependencies")));
                    }
                    _ => {}
                }
            }
            for table in tables {
                let Some(item) = entry(table, name) else {
                    continue;
                };
                if let Some(version) = item.as_str().map(str::to_string) {
                    let mut fields = InlineTable::new();
                    fields.insert("version", version.into());
                    *item = value(fields);
                }
                let fields = item
                    .as_table_like_mut()
                    .with_context(|| format!("the dependency `{name}` is not a table"))?;
                let list = fields
                    .entry("features")
                    .or_insert_with(|| value(Array::new()))
                    .as_array_mut()
                    .with_context(|| format!("the features of `{name}` are not a list"))?;
                extend(list, adds);
                count += 1;
            }
            Ok(count)
        }
    }
}

/// An entry that is there; `Item::get_mut` would make an empty one.
fn entry<'a>(table: &'a mut Item, key: &str) -> Option<&'a mut Item> {
    table.as_table_like_mut()?.get_mut(key)
}

fn extend(list: &mut Array, adds: &[String]) {
    for add in adds {
        if !list.iter().any(|each| each.as_str() == Some(add)) {
            list.push(add.as_str());
        }
    }
}
