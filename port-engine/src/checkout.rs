//! The manifest of a crate that was not published, as cargo would publish it: what it
//! inherits from its workspace is stated, and its paths lead where they led.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value, value};

use super::manifest;

/// What only the package's own folder has, and a copy does not need.
const LEFT_OUT: [&str; 2] = ["readme", "license-file"];

/// Makes the manifest of the package in `folder` stand alone.
///
/// # Errors
/// Something is inherited that no workspace above the folder has.
pub(super) fn stand_alone(document: &mut DocumentMut, folder: &Path) -> anyhow::Result<()> {
    let workspace = Workspace::new(folder);
    if let Some(package) = document
        .get_mut("package")
        .and_then(Item::as_table_like_mut)
    {
        let inherited: Vec<String> = package
            .iter()
            .filter(|(_, item)| is_inherited(item))
            .map(|(key, _)| key.to_string())
            .collect();
        for key in inherited {
            match LEFT_OUT.contains(&key.as_str()) {
                true => package.remove(&key),
                false => package.insert(&key, workspace.package(&key)?),
            };
        }
        // A workspace elsewhere would look for the copy among its members.
        package.remove("workspace");
    }
    let mut tables: Vec<&mut dyn TableLike> = vec![document.as_table_mut()];
    while let Some(table) = tables.pop() {
        for (key, item) in table.iter_mut() {
            match (key.get(), item.as_table_like_mut()) {
                ("dependencies" | "dev-dependencies" | "build-dependencies", Some(all)) => {
                    dependencies(all, &workspace, folder)?;
                }
                ("target", Some(targets)) => {
                    let targets = targets.iter_mut();
                    tables.extend(targets.filter_map(|(_, item)| item.as_table_like_mut()));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn dependencies(
    all: &mut dyn TableLike,
    workspace: &Workspace<'_>,
    folder: &Path,
) -> anyhow::Result<()> {
    for (key, item) in all.iter_mut() {
        if is_inherited(item) {
            let whole = workspace.dependency(key.get(), item)?;
            *item = value(whole);
        } else if let Some(fields) = item.as_table_like_mut() {
            lead_from(folder, fields);
        }
    }
    Ok(())
}

fn is_inherited(item: &Item) -> bool {
    let fields = item.as_table_like();
    fields.is_some_and(|fields| fields.get("workspace").and_then(Item::as_bool) == Some(true))
}

/// Makes a path absolute that begins in `folder`.
fn lead_from(folder: &Path, fields: &mut dyn TableLike) {
    if let Some(path) = fields.get("path").and_then(Item::as_str) {
        let path = folder.join(path).to_string_lossy().into_owned();
        fields.insert("path", value(path));
    }
}

/// The workspace that the package in a folder may inherit from.
struct Workspace<'a> {
    folder: &'a Path,
    /// Looked for when it is needed.
    found: OnceCell<Option<(PathBuf, DocumentMut)>>,
}

impl Workspace<'_> {
    fn new(folder: &Path) -> Workspace<'_> {
        Workspace {
            folder,
            found: OnceCell::new(),
        }
    }

    /// The nearest folder upwards whose manifest has one.
    fn find(&self) -> Option<(PathBuf, DocumentMut)> {
        self.folder.ancestors().find_map(|folder| {
            let text = std::fs::read(folder.join(manifest::FILE)).ok()?;
            let document = manifest::parse(&text).ok()?;
            let is_one = document.contains_key("workspace");
            is_one.then(|| (folder.to_path_buf(), document))
        })
    }

    fn entry(&self, table: &str, key: &str) -> anyhow::Result<(&Path, &Item)> {
        let Some((folder, document)) = self.found.get_or_init(|| self.find()) else {
            bail!("`{key}` is inherited, and no folder above has a workspace");
        };
        let entry = document["workspace"]
            .get(table)
            .and_then(|all| all.get(key));
        let entry = entry.with_context(|| {
            let root = folder.display();
            format!("`{key}` is inherited, and [workspace.{table}] of {root} has none")
        })?;
        Ok((folder, entry))
    }

    fn package(&self, key: &str) -> anyhow::Result<Item> {
        Ok(self.entry("package", key)?.1.clone())
    }

    /// What the workspace says of a dependency, with what the package adds to it.
    fn dependency(&self, key: &str, own: &Item) -> anyhow::Result<InlineTable> {
        let (folder, entry) = self.entry("dependencies", key)?;
        let mut whole = InlineTable::new();
        match (entry.as_str(), entry.as_table_like()) {
            (Some(version), _) => {
                whole.insert("version", version.into());
            }
            (_, Some(fields)) => {
                for (key, field) in fields.iter() {
                    let field = field
                        .as_value()
                        .with_context(|| format!("the key `{key}`"))?;
                    whole.insert(key, field.clone());
                }
            }
            _ => bail!("the dependency `{key}` is neither a version nor a table"),
        }
        lead_from(folder, &mut whole);
        for (key, field) in own.as_table_like().into_iter().flat_map(TableLike::iter) {
            match (key, field.as_value()) {
                ("workspace", _) | (_, None) => {}
                ("features", Some(Value::Array(more))) => {
                    let all = whole.get_or_insert("features", Array::new());
                    let all = all.as_array_mut().context("`features` is no list")?;
                    all.extend(more.iter().cloned());
                }
                (_, Some(field)) => {
                    whole.insert(key, field.clone());
                }
            }
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const ROOT: &str = r#"
        [workspace]
        members = ["pond"]
        [workspace.package]
        edition = "2021"
        rust-version = "1.70"
        readme = "README.md"
        [workspace.dependencies]
        log = "0.4"
        reed = { version = "1", path = "reed", features = ["a"], default-features = false }
    "#;

    /// The manifest of `pond`, below the workspace, standing alone.
    fn alone(pond: &str) -> anyhow::Result<(tempfile::TempDir, toml::Table)> {
        let temp = tempfile::tempdir()?;
        fs::write(temp.path().join("Cargo.toml"), ROOT)?;
        let folder = temp.path().join("pond");
        fs::create_dir(&folder)?;
        fs::write(folder.join("Cargo.toml"), pond)?;
        let mut document = manifest::parse(pond.as_bytes())?;
        stand_alone(&mut document, &folder)?;
        Ok((temp, document.to_string().parse()?))
    }

    #[test]
    fn what_is_inherited_is_stated() {
        let (temp, pond) = alone(
            "package = { name = 'pond', version = '1.0.0', edition.workspace = true, \
             rust-version.workspace = true, readme.workspace = true, workspace = '..' }\n\
             [dependencies]\nlog.workspace = true\n\
             [target.'cfg(unix)'.dev-dependencies]\n\
             reed = { workspace = true, features = ['b'], optional = true }",
        )
        .unwrap();
        let expected: toml::Table = toml::from_str(&format!(
            "package = {{ name = 'pond', version = '1.0.0', edition = '2021', rust-version = '1.70' }}\n\
             [dependencies]\nlog = {{ version = '0.4' }}\n\
             [target.'cfg(unix)'.dev-dependencies]\n\
             reed = {{ version = '1', path = '{}', features = ['a', 'b'], \
             default-features = false, optional = true }}",
            temp.path().join("reed").display()
        ))
        .unwrap();
        assert_eq!(pond, expected);
    }

    #[test]
    fn paths_lead_where_they_led() {
        let (temp, pond) = alone(
            "[package]\nname = 'pond'\n[dependencies]\nlog = '0.4'\nreed = { path = '../reed' }\n\
             [dependencies.duck]\npath = 'duck'\nversion = '1'",
        )
        .unwrap();
        let folder = temp.path().join("pond");
        let path = |name: &str| pond["dependencies"][name]["path"].as_str().unwrap();
        assert_eq!(Path::new(path("reed")), folder.join("../reed"));
        assert_eq!(Path::new(path("duck")), folder.join("duck"));
        assert_eq!(pond["dependencies"]["log"].as_str(), Some("0.4"));
    }

    #[test]
    fn what_no_workspace_has_is_named() {
        let error = alone("[dependencies]\nmoss.workspace = true").unwrap_err();
        assert!(error.to_string().contains("`moss` is inherited"), "{error}");
    }
}
