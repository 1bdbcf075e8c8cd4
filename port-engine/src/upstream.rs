//! Upstream crates, as cargo unpacked them into its registry folder.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use semver::{Version, VersionReq};

use super::error::Result;
use super::target::TARGET;
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

    /// Has cargo fetch the newest version that meets `requirement`.
    ///
    /// A throw-away package that depends on the crate is resolved with `cargo
    /// metadata` from the current folder, so that the user's cargo configuration
    /// (registries, proxies, offline) holds. `cargo_args` are added, for
    /// example `--offline`.
    ///
    /// # Errors
    /// cargo cannot be started, or finds no such version.
    pub fn fetch(
        cargo: &Path,
        name: &str,
        requirement: &VersionReq,
        cargo_args: &[&str],
    ) -> Result<Upstream> {
        let temp = tempfile::tempdir().context("cannot create a temporary folder")?;
        let manifest = temp.path().join("Cargo.toml");
        let mut dependency = toml::Table::new();
        dependency.insert("version".into(), requirement.to_string().into());
        dependency.insert("default-features".into(), false.into());
        let mut document: toml::Table = toml::from_str(
            "[package]\nname = \"wasmedge-port-fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
             [lib]\npath = \"lib.rs\"\n[workspace]\n[dependencies]\n",
        )
        .map_err(anyhow::Error::from)?;
        if let Some(toml::Value::Table(table)) = document.get_mut("dependencies") {
            table.insert(name.into(), dependency.into());
        }
        std::fs::write(&manifest, document.to_string())?;
        std::fs::write(temp.path().join("lib.rs"), "")?;

        let mut options: Vec<String> = cargo_args.iter().map(|arg| arg.to_string()).collect();
        // Only what this platform needs has to be downloaded.
        options.extend(["--filter-platform".into(), TARGET.into()]);
        let metadata: Metadata = MetadataCommand::new()
            .cargo_path(cargo)
            .manifest_path(&manifest)
            .other_options(options)
            .exec()
            .with_context(|| format!("cargo cannot fetch {name} {requirement}"))?;
        let package = metadata
            .packages
            .iter()
            .filter(|package| {
                // A package without a source is a folder that the user's configuration
                // puts in the place of the crate, such as an earlier ported copy.
                package.source.is_some()
                    && package.name.as_str() == name
                    && requirement.matches(&package.version)
            })
            .max_by_key(|package| &package.version)
            .ok_or_else(|| anyhow!("cargo found no {name} {requirement} in a registry"))?;
        let lock = std::fs::read_to_string(temp.path().join("Cargo.lock"))
            .context("cannot read the lockfile of the fetch")?;
        let checksum = checksum_in_lock(&lock, name, &package.version)?;
        Ok(Upstream::from_package(package, checksum))
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

/// What cargo puts beside a crate's own files.
pub(super) fn is_cargos(path: &str) -> bool {
    matches!(path, ".cargo-ok" | ".cargo-checksum.json" | "target")
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
