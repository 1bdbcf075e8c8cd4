//! The hash of the engine's sources: a ported crate that another engine made is
//! not up to date.
//!
//! Not a module of the engine. The build scripts of the packages that compile the
//! engine include this file.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// Tells cargo the hash of the files in `sources`, as the variable
/// `PORT_ENGINE_HASH`. It only has to differ when the engine does; it has no
/// meaning beyond this build.
pub fn emit(sources: &Path) {
    // cargo compares the times of the files behind a link, not of the link.
    let sources = fs::canonicalize(sources)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", sources.display()));
    println!("cargo::rerun-if-changed={}", sources.display());
    let mut files: Vec<PathBuf> = fs::read_dir(&sources)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", sources.display()));
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.file_name().hash(&mut hasher);
        fs::read(&file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()))
            .hash(&mut hasher);
    }
    println!("cargo::rustc-env=PORT_ENGINE_HASH={:016x}", hasher.finish());
}
