//! Our own crates that ported crates depend on.
//!
//! A package is one when its `Cargo.toml` has the table
//! `[package.metadata.port-support]`, wherever it lies. All ported crates of a
//! build must name the same folder, or cargo would see several packages of one
//! name: so the support crates have one place per output folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use semver::Version;
use serde::Deserialize;

use super::error::Result;
use super::ported::{HASH_SHOWN, Layout, Ported};
use super::publish::{Stamp, publish};
use super::tree::{Hash, Tree, read_tree};
use super::{discover, manifest, standalone};

/// The table in a manifest that makes a package a support crate.
const TABLE: &str = "port-support";

/// The licence of the folder that holds the support crates; each gets a copy.
const LICENSE: &str = "LICENSE";

/// The support crates, ready to be written beside ported crates.
#[derive(Debug, Clone)]
pub struct Support {
    /// By package name.
    packages: BTreeMap<String, Package>,
    hash: String,
}

#[derive(Debug, Clone)]
struct Package {
    version: Version,
    declared: Declaration,
    /// The support crates that it depends on.
    needs: Vec<String>,
    /// The files; the manifest is already made to stand alone.
    tree: Tree,
}

/// What a package says of itself in [`TABLE`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Declaration {
    /// The name of the crate that it is a facade of: rules of kind `facade` ask for it.
    facade: Option<String>,
    /// Whether it has the name, the version and the API of a published crate, and
    /// takes its place where an app depends on that.
    #[serde(default)]
    stands_in: bool,
}

impl Support {
    /// The support crates among files in memory. Paths have `/`; a file `LICENSE`
    /// is the licence of all.
    ///
    /// # Errors
    /// A declaration or manifest that is malformed, two packages of one name or
    /// for one facade.
    pub fn from_files(
        files: impl IntoIterator<Item = (impl Into<String>, impl Into<Vec<u8>>)>,
    ) -> Result<Support> {
        let files: Tree = files
            .into_iter()
            .map(|(path, bytes)| (path.into(), bytes.into()))
            .collect();
        let of = |folder: String| {
            let files = files.iter().filter_map(|(path, bytes)| {
                let inner = discover::inside(path, &folder)?;
                Some((inner.to_string(), bytes.clone()))
            });
            (files.collect(), folder)
        };
        let folders = discover::folders_among(files.keys().map(String::as_str), manifest::FILE);
        let trees = folders
            .into_iter()
            .map(of)
            .map(|(tree, folder)| (folder, tree));
        Support::new(trees, files.get(LICENSE).map(Vec::as_slice))
    }

    /// The support crates below the folder `root`, whose `LICENSE` is that of all.
    ///
    /// # Errors
    /// As [`Support::from_files`], and a folder that cannot be read.
    pub fn from_dir(root: &Path) -> Result<Support> {
        let mut trees = Vec::new();
        for folder in discover::folders_with(root, manifest::FILE)? {
            let file = folder.join(manifest::FILE);
            let text =
                std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            // Most packages are none: only the files of those that are have to be read.
            let label = folder.display().to_string();
            if declaration(&label, &text)?.is_some() {
                trees.push((label, read_tree(&folder, |path| path == "target")?));
            }
        }
        let license = std::fs::read(root.join(LICENSE)).ok();
        Support::new(trees.into_iter(), license.as_deref())
    }

    fn new(trees: impl Iterator<Item = (String, Tree)>, license: Option<&[u8]>) -> Result<Support> {
        let mut packages: BTreeMap<String, Package> = BTreeMap::new();
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        for (label, mut tree) in trees {
            let text = tree
                .get(manifest::FILE)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let Some((name, version, declared)) = declaration(&label, text)? else {
                continue;
            };
            tree.retain(|path, _| is_shipped(path));
            if let Some(license) = license {
                tree.entry(LICENSE.into())
                    .or_insert_with(|| license.to_vec());
            }
            let facade = declared.facade.as_ref();
            if let Some((other, _)) = packages
                .iter()
                .find(|(_, other)| facade.is_some() && other.declared.facade.as_ref() == facade)
            {
                let facade = facade.map(String::as_str).unwrap_or_default();
                return Err(anyhow!("{other} and {name} are both the facade of `{facade}`").into());
            }
            let package = Package {
                version,
                declared,
                needs: Vec::new(),
                tree,
            };
            if packages.insert(name.clone(), package).is_some() {
                let other = labels.get(&name).cloned().unwrap_or_default();
                return Err(anyhow!("{other} and {label} are both the package `{name}`").into());
            }
            labels.insert(name, label);
        }
        let names: Vec<String> = packages.keys().cloned().collect();
        let mut hash = Hash::new();
        for (name, package) in &mut packages {
            let failed = || format!("{}/{}", labels[name], manifest::FILE);
            let text = package.tree.remove(manifest::FILE).unwrap_or_default();
            let text = std::str::from_utf8(&text).with_context(failed)?;
            let text =
                standalone::manifest(text, |package| names.iter().any(|name| name == package))
                    .with_context(failed)?;
            package.needs = needs(&text.parse().with_context(failed)?, &names);
            package
                .tree
                .insert(manifest::FILE.into(), text.into_bytes());
            hash.part("package", name.as_bytes());
            hash.tree(&package.tree);
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

    /// The names of the packages, sorted.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().map(String::as_str)
    }

    /// The packages that take the place of the published ones of their name, with
    /// the version whose API they have.
    pub fn stand_ins(&self) -> impl Iterator<Item = (&str, &Version)> {
        self.packages
            .iter()
            .filter(|(_, package)| package.declared.stands_in)
            .map(|(name, package)| (name.as_str(), &package.version))
    }

    /// Writes the support crates into `out`, and gives the one that stands in for
    /// the published crate `name`.
    ///
    /// # Errors
    /// As [`Support::unpack`]; and no support crate stands in for that one.
    pub fn stand_in(&self, name: &str, out: &Path, layout: Layout) -> Result<Ported> {
        let (name, version) = self
            .stand_ins()
            .find(|(each, _)| *each == name)
            .with_context(|| format!("no support crate stands in for `{name}`"))?;
        Ok(Ported {
            name: name.to_owned(),
            version: version.clone(),
            dir: self.unpack(out, layout)?.join(name),
            input: self.hash.clone(),
            fresh: false,
            rules: Vec::new(),
        })
    }

    /// Whether the support crate `from` is `to`, or depends on it on the guest.
    pub fn leads(&self, from: &str, to: &str) -> bool {
        let Some(package) = self.packages.get(from) else {
            return false;
        };
        // They depend on each other without circles.
        from == to || package.needs.iter().any(|next| self.leads(next, to))
    }

    /// Whether a dependency of this name, without a version, is one of ours.
    pub(super) fn contains(&self, package: &str) -> bool {
        self.packages.contains_key(package)
    }

    /// The package that is the facade of the crate `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn facade(&self, name: &str) -> anyhow::Result<&str> {
        let facades = || {
            self.packages.iter().filter_map(|(package, each)| {
                Some((package.as_str(), each.declared.facade.as_deref()?))
            })
        };
        let found = facades().find(|(_, facade)| *facade == name);
        let found = found.map(|(package, _)| package);
        found.with_context(|| {
            let known: Vec<&str> = facades().map(|(_, facade)| facade).collect();
            format!(
                "there is no facade of `{name}`, only of: {}",
                known.join(", ")
            )
        })
    }

    /// The folder, relative to the output folder, that holds the support crates.
    fn folder(&self, layout: Layout) -> String {
        match layout {
            Layout::Cache => format!("support-{}", &self.hash[..HASH_SHOWN]),
            Layout::Vendor => String::new(),
        }
    }

    /// The path of a support crate as seen from a ported crate beside it.
    pub(super) fn path_from_port(&self, layout: Layout, package: &str) -> String {
        match layout {
            Layout::Cache => format!("../{}/{package}", self.folder(layout)),
            Layout::Vendor => format!("../{package}"),
        }
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
                    for (name, package) in &self.packages {
                        for (path, bytes) in &package.tree {
                            all.insert(format!("{name}/{path}"), bytes.clone());
                        }
                    }
                    publish(&dir, &all, &self.hash, Vec::new())?;
                }
            }
            Layout::Vendor => {
                for (name, package) in &self.packages {
                    let dir = dir.join(name);
                    if !up_to_date(&dir) {
                        publish(&dir, &package.tree, &self.hash, Vec::new())?;
                    }
                }
            }
        }
        Ok(dir)
    }
}

/// Which of the packages `names` a manifest depends on, on any target.
fn needs(manifest: &toml::Table, names: &[String]) -> Vec<String> {
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(|targets| targets.values());
    let tables = targets.filter_map(|table| table.get("dependencies"));
    let tables = tables.chain(manifest.get("dependencies"));
    let keys = tables
        .filter_map(toml::Value::as_table)
        .flat_map(|table| table.keys());
    keys.filter(|key| names.contains(key)).cloned().collect()
}

/// Name, version and declaration of a package that is a support crate.
type Declared = (String, Version, Declaration);

/// What a manifest says; `None` for a package that is no support crate.
fn declaration(label: &str, manifest: &[u8]) -> anyhow::Result<Option<Declared>> {
    // A cheap look first: most packages declare nothing.
    let has_table = manifest
        .windows(TABLE.len())
        .any(|window| window == TABLE.as_bytes());
    match has_table {
        true => parsed(manifest).with_context(|| format!("{label}/{}", manifest::FILE)),
        false => Ok(None),
    }
}

fn parsed(manifest: &[u8]) -> anyhow::Result<Option<Declared>> {
    let document: toml::Table = std::str::from_utf8(manifest)?.parse()?;
    let package = document.get("package");
    let Some(table) = package.and_then(|package| package.get("metadata")?.get(TABLE)) else {
        return Ok(None);
    };
    let declared: Declaration = table
        .clone()
        .try_into()
        .with_context(|| format!("in [package.metadata.{TABLE}]"))?;
    let name = standalone::package_key(&document, "name")?;
    let version = standalone::package_key(&document, "version")?;
    Ok(Some((name, version.parse()?, declared)))
}

/// What is compiled. Tests and the like stay at home: their dev-dependencies are
/// not carried.
fn is_shipped(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or(path);
    matches!(first, "src" | "build.rs" | LICENSE | manifest::FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, declared: &str) -> (String, String) {
        let text = format!(
            "[package]\nname = '{name}'\nversion = '1.2.3'\n[package.metadata]\n{declared}\n"
        );
        (format!("{name}-folder/Cargo.toml"), text)
    }

    fn error(files: impl IntoIterator<Item = (String, String)>) -> String {
        match Support::from_files(files) {
            Err(super::super::error::Error::Other(error)) => format!("{error:#}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn packages_say_themselves_what_they_are() {
        let support = Support::from_files([
            package("plain", "port-support = {}"),
            package("ours", "port-support = { facade = 'std' }"),
            package("twin", "port-support = { stands-in = true }"),
            package("app", "other = {}"),
        ])
        .unwrap();
        assert_eq!(
            support.packages().collect::<Vec<_>>(),
            ["ours", "plain", "twin"]
        );
        assert_eq!(support.facade("std").unwrap(), "ours");
        let stand_ins: Vec<_> = support.stand_ins().collect();
        assert_eq!(stand_ins, [("twin", &Version::new(1, 2, 3))]);
        let missing = support.facade("libc").unwrap_err().to_string();
        assert!(
            missing.contains("`libc`") && missing.contains("only of: std"),
            "{missing}"
        );
        let out = tempfile::tempdir().unwrap();
        assert!(
            support
                .stand_in("plain", out.path(), Layout::Vendor)
                .is_err()
        );
        let stand_in = support
            .stand_in("twin", out.path(), Layout::Vendor)
            .unwrap();
        assert!(stand_in.dir.join("Cargo.toml").is_file());
    }

    #[test]
    fn it_is_known_who_leads_to_whom() {
        let with = |name: &str, dependencies: &str| {
            let (path, text) = package(name, "port-support = {}");
            (path, format!("{text}{dependencies}"))
        };
        let support = Support::from_files([
            with("low", ""),
            with(
                "mid",
                "[target.'cfg(unix)'.dependencies]\nlow = { path = '../low-folder' }\n",
            ),
            with("high", "[dependencies]\nmid = { path = '../mid-folder' }\n"),
        ])
        .unwrap();
        assert!(support.leads("high", "low") && support.leads("low", "low"));
        assert!(!support.leads("low", "high") && !support.leads("other", "other"));
    }

    #[test]
    fn contradictions_are_refused() {
        let facade = |name| package(name, "port-support = { facade = 'std' }");
        let text = error([facade("a"), facade("b")]);
        assert_eq!(text, "a and b are both the facade of `std`");
        let (_, text) = package("a", "port-support = {}");
        let twice = [("x/Cargo.toml", &text), ("y/Cargo.toml", &text)];
        let text = error(twice.map(|(path, text)| (path.to_string(), text.clone())));
        assert_eq!(text, "x and y are both the package `a`");
        let text = error([package("a", "port-support = { fasade = 'std' }")]);
        assert!(
            text.contains("a-folder/Cargo.toml") && text.contains("fasade"),
            "{text}"
        );
    }

    #[test]
    fn tests_and_declarations_stay_at_home() {
        let (path, text) = package("a", "port-support = {}");
        let support = Support::from_files([
            (path, text),
            ("a-folder/src/lib.rs".into(), String::new()),
            ("a-folder/tests/x.rs".into(), String::new()),
            ("LICENSE".into(), "The licence.".into()),
        ])
        .unwrap();
        let files: Vec<&String> = support.packages["a"].tree.keys().collect();
        assert_eq!(files, ["Cargo.toml", "LICENSE", "src/lib.rs"]);
        let manifest = String::from_utf8_lossy(&support.packages["a"].tree["Cargo.toml"]);
        assert!(!manifest.contains("port-support"), "{manifest}");
    }
}
