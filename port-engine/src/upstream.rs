//! Upstream crates, as cargo unpacked them into its registry folder.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use cargo_metadata::Package;
use semver::Version;

use super::error::Result;
use super::tree::{Tree, read_tree, sha256};

/// An unpacked upstream crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Package name.
    pub name: String,
    /// Package version.
    pub version: Version,
    /// SHA-256 of the crate's archive, as in the lockfile. `None` for a crate
    /// that did not come from a registry.
    pub checksum: Option<String>,
    /// The folder with `Cargo.toml`. It is what cargo itself would compile, and
    /// it is only read.
    pub dir: PathBuf,
}

impl Upstream {
    /// The package as `cargo metadata` lists it, with the lockfile's checksum.
    pub fn from_package(package: &Package, checksum: Option<String>) -> Upstream {
        let manifest = package.manifest_path.as_std_path();
        Upstream {
            name: package.name.to_string(),
            version: package.version.clone(),
            checksum,
            dir: manifest.parent().unwrap_or(manifest).to_path_buf(),
        }
    }

    /// All files of the crate, without those that cargo adds on unpacking.
    pub(super) fn read(&self) -> anyhow::Result<Tree> {
        let tree = read_tree(&self.dir, is_cargos)?;
        ensure!(
            tree.contains_key("Cargo.toml"),
            "{} holds no Cargo.toml\n  help: run `cargo fetch`",
            self.dir.display()
        );
        Ok(tree)
    }

    /// Files of `tree` that differ from the crate's archive, which cargo keeps
    /// beside the unpacked copy. `None` without a trustworthy archive.
    pub(super) fn altered(&self, tree: &Tree) -> Option<Vec<String>> {
        let archive = std::fs::read(self.archive()?).ok()?;
        if self.checksum.as_ref()? != &sha256(&archive) {
            return None;
        }
        let packed = unpack(&archive).ok()?;
        let mut altered: Vec<String> = packed
            .iter()
            .filter(|(path, bytes)| !is_cargos(path) && tree.get(*path) != Some(*bytes))
            .map(|(path, _)| path.clone())
            .collect();
        altered.extend(
            tree.keys()
                .filter(|path| !packed.contains_key(*path))
                .cloned(),
        );
        altered.sort();
        Some(altered)
    }

    /// `registry/src/INDEX/NAME-VERSION` has its archive in
    /// `registry/cache/INDEX/NAME-VERSION.crate`.
    fn archive(&self) -> Option<PathBuf> {
        let index = self.dir.parent()?;
        let src = index.parent()?;
        let file = format!("{}.crate", self.dir.file_name()?.to_str()?);
        let path = src
            .parent()?
            .join("cache")
            .join(index.file_name()?)
            .join(file);
        path.is_file().then_some(path)
    }
}

/// What cargo puts beside a crate's own files, and git.
pub(super) fn is_cargos(path: &str) -> bool {
    matches!(
        path,
        ".cargo-ok" | ".cargo-checksum.json" | "target" | ".git"
    )
}

fn unpack(archive: &[u8]) -> anyhow::Result<Tree> {
    let mut tree = Tree::new();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for entry in tar.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.to_string_lossy().into_owned();
        // The archive holds one folder, NAME-VERSION.
        let Some((_, inner)) = path.split_once('/') else {
            continue;
        };
        let inner = inner.to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        tree.insert(inner, bytes);
    }
    Ok(tree)
}

/// The checksum that a `Cargo.lock` has for a package from a registry.
///
/// # Errors
/// The text is not a lockfile.
pub fn checksum_in_lock(lock: &str, name: &str, version: &Version) -> Result<Option<String>> {
    #[derive(serde::Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Locked>,
    }
    #[derive(serde::Deserialize)]
    struct Locked {
        name: String,
        version: Version,
        checksum: Option<String>,
    }
    let lock: Lock = toml::from_str(lock).context("not a Cargo.lock")?;
    let found = lock
        .package
        .into_iter()
        .find(|package| package.name == name && package.version == *version);
    Ok(found.and_then(|package| package.checksum))
}
