//! Our own crates that ported crates depend on: the host layer, the facades and
//! the generator of random numbers.
//!
//! All ported crates of a build must name the same folder, or cargo would see
//! several packages of one name: so the support crates have one place per
//! output folder.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use semver::Version;
use toml_edit::{DocumentMut, Item, value};

use super::write::{Hash, Stamp, Tree, publish, read_tree};
use super::{Layout, Ported, manifest};
use crate::error::Result;

/// The packages, in the order of [`FOLDERS`].
pub(crate) const PACKAGES: [&str; 5] = [
    "wasmedge_host",
    "wasmedge_wasi_socket",
    "wasmedge_std",
    "wasmedge_libc",
    "wasmedge_random",
];

/// The one of them that is published too. Ours has the name, the version and the
/// API of the published one, and stands in for it where an app depends on it.
pub(crate) const STAND_IN: &str = "wasmedge_wasi_socket";

/// Their folders in the repository.
const FOLDERS: [&str; 5] = [
    "wasmedge_host",
    "wasmedge_wasi_socket",
    "shims/std",
    "shims/libc",
    "shims/random",
];

/// The host layer and the facades, ready to be written beside ported crates.
#[derive(Debug, Clone)]
pub struct Support {
    /// Files by package name; the manifests are already rewritten.
    packages: BTreeMap<&'static str, Tree>,
    hash: String,
}

impl Support {
    /// The crates that the binary carries.
    ///
    /// # Errors
    /// A manifest that cannot be rewritten; the tests exclude that for a release.
    pub fn embedded() -> Result<Support> {
        let all: Vec<(&str, Cow<[u8]>)> = crate::embedded::files()
            .map(|(path, bytes)| (path, Cow::Borrowed(bytes)))
            .collect();
        let of = |folder: &str| -> Tree {
            all.iter()
                .filter_map(|(path, bytes)| {
                    let inner = path.strip_prefix(folder)?.strip_prefix('/')?;
                    Some((inner.to_string(), bytes.to_vec()))
                })
                .collect()
        };
        Support::new(FOLDERS.map(of), crate::embedded::file("LICENSE"))
    }

    /// The crates of a checkout of this repository.
    ///
    /// # Errors
    /// A folder that cannot be read, a manifest that cannot be rewritten.
    pub fn from_dir(repo_root: &Path) -> Result<Support> {
        let read = |folder: &str| read_tree(&repo_root.join(folder), |path| path == "target");
        let [host, socket, std, libc, random] = FOLDERS.map(read);
        let license = std::fs::read(repo_root.join("LICENSE")).ok();
        Support::new([host?, socket?, std?, libc?, random?], license.as_deref())
    }

    fn new(trees: [Tree; 5], license: Option<&[u8]>) -> Result<Support> {
        let mut packages = BTreeMap::new();
        let mut hash = Hash::new();
        for ((package, folder), mut tree) in PACKAGES.into_iter().zip(FOLDERS).zip(trees) {
            tree.retain(|path, _| is_shipped(path));
            let failed = || format!("{folder}/Cargo.toml");
            let text = tree.remove("Cargo.toml").with_context(failed)?;
            let text = standalone(folder, &text).with_context(failed)?;
            tree.insert("Cargo.toml".into(), text.into_bytes());
            if let Some(license) = license {
                tree.entry("LICENSE".into())
                    .or_insert_with(|| license.to_vec());
            }
            hash.part("package", package.as_bytes());
            hash.tree(&tree);
            packages.insert(package, tree);
        }
        Ok(Support {
            packages,
            hash: hash.hex(),
        })
    }

    /// Hash of all files.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The folder, relative to the output folder, that holds the support crates.
    pub(crate) fn folder(&self, layout: Layout) -> String {
        match layout {
            Layout::Cache => format!("support-{}", &self.hash[..super::HASH_SHOWN]),
            Layout::Vendor => String::new(),
        }
    }

    /// The path of a support crate as seen from a ported crate beside it.
    pub(crate) fn path_from_port(&self, layout: Layout, package: &str) -> String {
        match layout {
            Layout::Cache => format!("../{}/{package}", self.folder(layout)),
            Layout::Vendor => format!("../{package}"),
        }
    }

    /// The version of [`STAND_IN`].
    ///
    /// # Errors
    /// Its manifest states none.
    pub(crate) fn stand_in_version(&self) -> Result<Version> {
        let manifest = self.packages.get(STAND_IN);
        let manifest = manifest.and_then(|tree| tree.get("Cargo.toml"));
        let manifest = manifest.context("no manifest of the stand-in")?;
        let document: DocumentMut = std::str::from_utf8(manifest)
            .context("the stand-in's manifest")?
            .parse()
            .context("the stand-in's manifest")?;
        let version = document["package"]["version"].as_str();
        let version = version.context("the stand-in has no version")?;
        Ok(version.parse().context("the stand-in's version")?)
    }

    /// Writes the support crates into `out`, and gives the one that stands in for
    /// its published namesake.
    ///
    /// # Errors
    /// As [`Support::unpack`].
    pub(crate) fn stand_in(&self, out: &Path, layout: Layout) -> Result<Ported> {
        Ok(Ported {
            name: STAND_IN.to_owned(),
            version: self.stand_in_version()?,
            dir: self.unpack(out, layout)?.join(STAND_IN),
            input: self.hash.clone(),
            fresh: false,
            rules: Vec::new(),
        })
    }

    /// Writes the support crates into `out`, unless they are there already, and
    /// returns the folder that holds them.
    ///
    /// # Errors
    /// I/O, and a folder of that name that is not ours (it is left alone).
    pub fn unpack(&self, out: &Path, layout: Layout) -> Result<PathBuf> {
        let dir = match layout {
            Layout::Cache => out.join(self.folder(layout)),
            Layout::Vendor => out.to_path_buf(),
        };
        let up_to_date = |dir: &Path| Stamp::of(dir).is_some_and(|stamp| stamp.input == self.hash);
        match layout {
            Layout::Cache => {
                if !up_to_date(&dir) {
                    let mut all = Tree::new();
                    for (package, tree) in &self.packages {
                        for (path, bytes) in tree {
                            all.insert(format!("{package}/{path}"), bytes.clone());
                        }
                    }
                    publish(&dir, &all, &self.hash, Vec::new())?;
                }
            }
            Layout::Vendor => {
                for (package, tree) in &self.packages {
                    let dir = dir.join(package);
                    if !up_to_date(&dir) {
                        publish(&dir, tree, &self.hash, Vec::new())?;
                    }
                }
            }
        }
        Ok(dir)
    }
}

/// Tests and the like stay at home: their dev-dependencies are not carried.
fn is_shipped(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or(path);
    !matches!(
        first,
        "tests" | "benches" | "examples" | "target" | "Cargo.lock"
    )
}

/// A manifest of this workspace as one that stands alone beside its siblings.
fn standalone(folder: &str, text: &[u8]) -> anyhow::Result<String> {
    let mut document: DocumentMut = std::str::from_utf8(text)?.parse()?;
    for key in ["dev-dependencies", "test", "bench", "example", "lints"] {
        document.remove(key);
    }
    if let Some(package) = document.get_mut("package").and_then(Item::as_table_mut) {
        let inherited: Vec<String> = package
            .iter()
            .filter(|(_, item)| is_inherited(item))
            .map(|(key, _)| key.to_string())
            .collect();
        for key in inherited {
            ensure!(
                !matches!(key.as_str(), "version" | "edition"),
                "`{key}` has to be stated, not inherited: the crate is also used outside its workspace"
            );
            package.remove(&key);
        }
        // Paths out of the folder do not exist outside the repository.
        for key in ["readme", "license-file"] {
            package.remove(key);
        }
        package.insert("publish", value(false));
    }
    let mut tables = vec![document.as_table_mut()];
    while let Some(table) = tables.pop() {
        for (key, item) in table.iter_mut() {
            match key.get() {
                "dependencies" | "build-dependencies" => dependencies(folder, item)?,
                "dev-dependencies" => *item = Item::None,
                _ => {}
            }
        }
        if let Some(targets) = table.get_mut("target").and_then(Item::as_table_mut) {
            tables.extend(
                targets
                    .iter_mut()
                    .filter_map(|(_, item)| item.as_table_mut()),
            );
        }
    }
    manifest::normalise(&mut document);
    Ok(document.to_string())
}

fn is_inherited(item: &Item) -> bool {
    item.as_table_like()
        .is_some_and(|table| table.contains_key("workspace"))
}

fn dependencies(folder: &str, item: &mut Item) -> anyhow::Result<()> {
    let Some(table) = item.as_table_like_mut() else {
        return Ok(());
    };
    for (key, dependency) in table.iter_mut() {
        ensure!(
            !is_inherited(dependency),
            "the dependency `{}` has to be stated, not inherited",
            key.get()
        );
        let Some(path) = dependency.get("path").and_then(Item::as_str) else {
            continue;
        };
        let target = joined(folder, path);
        let sibling = FOLDERS.iter().position(|folder| *folder == target);
        let sibling = sibling.with_context(|| {
            format!(
                "the dependency `{}` has a path to none of {FOLDERS:?}",
                key.get()
            )
        })?;
        if let Some(fields) = dependency.as_table_like_mut() {
            fields.insert("path", value(format!("../{}", PACKAGES[sibling])));
        }
    }
    Ok(())
}

/// `shims/std` and `../../x` give `x`.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}
