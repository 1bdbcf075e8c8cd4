//! What is published: the archive of `cargo package`, and what is in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use semver::Version;
use tools_common::Repo;

use crate::versions::PACKAGE;

/// A package as cargo packs it.
#[derive(Debug)]
pub struct Packed {
    /// The archive, `NAME-VERSION.crate`.
    pub file: PathBuf,
    /// Its content, unpacked: a package by itself, without the repository around it.
    pub sources: PathBuf,
}

/// Packs the command, and unpacks it again in `work`. It is built from there: so nothing
/// is in the program that an install of the package would not have.
///
/// # Errors
/// cargo cannot pack it: a link that leads nowhere, or, unless `dirty`, a file that is not
/// committed.
pub fn pack(repo: &Repo, version: &Version, work: &Path, dirty: bool) -> Result<Packed> {
    let mut cargo = repo.cargo(["package", "--locked", "--no-verify", "--package", PACKAGE]);
    cargo.arg("--target-dir").arg(work);
    if dirty {
        cargo.arg("--allow-dirty");
    }
    repo.must(&mut cargo)?;
    let name = format!("{PACKAGE}-{version}");
    let file = work.join("package").join(format!("{name}.crate"));
    let folder = work.join("sources");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("in {}", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    let packed = fs::File::open(&file).with_context(|| format!("no {}", file.display()))?;
    tar::Archive::new(flate2::read::GzDecoder::new(packed))
        .unpack(&folder)
        .with_context(|| format!("cannot unpack {}", file.display()))?;
    Ok(Packed {
        file,
        sources: folder.join(name),
    })
}
