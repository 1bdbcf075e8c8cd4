//! What was found in the sources of crates, remembered: reading all sources of a graph
//! takes seconds, and a release never changes.
//!
//! In the cache, so that apps share it. Several processes may write it at once: what one
//! of them loses is looked for again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cargo_metadata::Package;
use serde::{Deserialize, Serialize};

use super::std_calls::{self, Call, Remedy, Scope};
use crate::error::Result;
use crate::fs::{read_optional, write_atomically};
use crate::toolchain::Dirs;

/// Releases that are remembered at most. With more, all are forgotten: the file is read
/// as a whole.
const MOST: usize = 8192;

/// The remembered releases. Nothing is read before it is needed.
#[derive(Debug)]
pub(super) struct Scans {
    path: PathBuf,
    file: Option<File>,
    is_changed: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    /// How the sources were looked at.
    how: String,
    /// By [`release`].
    packages: BTreeMap<String, Vec<Found>>,
}

/// Path, file, line.
type Found = (String, String, usize);

impl Scans {
    /// Those in the cache.
    pub(super) fn new(dirs: &Dirs) -> Scans {
        Scans {
            path: dirs.facade().join("std-calls.json"),
            file: None,
            is_changed: false,
        }
    }

    /// A file that cannot be read counts as none.
    fn packages(&mut self) -> &mut BTreeMap<String, Vec<Found>> {
        let file = self.file.get_or_insert_with(|| {
            let how = std_calls::how();
            let bytes = read_optional(&self.path).ok().flatten();
            let file = bytes.and_then(|bytes| serde_json::from_slice::<File>(&bytes).ok());
            let file = file.filter(|file| file.how == how && file.packages.len() < MOST);
            file.unwrap_or_else(|| File {
                how,
                ..File::default()
            })
        });
        &mut file.packages
    }

    /// The first call of each kind in what dependents compile of a package. One that is
    /// no release may change: it is always looked at.
    ///
    /// # Errors
    /// A source that cannot be read.
    pub(super) fn library(&mut self, package: &Package) -> Result<Vec<Call>> {
        let Some(release) = release(package) else {
            return first_of_each(package);
        };
        if let Some(found) = self.packages().get(&release) {
            let calls = found.iter();
            return Ok(calls
                .filter_map(|(what, file, line)| Call::of(what, file.clone(), *line))
                .collect());
        }
        let calls = first_of_each(package)?;
        let found = calls.iter();
        let found = found.map(|call| (call.what.to_owned(), call.file.clone(), call.line));
        let found = found.collect();
        self.packages().insert(release, found);
        self.is_changed = true;
        Ok(calls)
    }

    /// The first call with one of these remedies.
    ///
    /// # Errors
    /// As [`Scans::library`].
    pub(super) fn first(&mut self, package: &Package, remedies: &[Remedy]) -> Result<Option<Call>> {
        if package.source.is_none() {
            return std_calls::first(package, Scope::Library, remedies);
        }
        let mut calls = self.library(package)?.into_iter();
        Ok(calls.find(|call| remedies.contains(&call.remedy)))
    }

    /// Writes what is new. Not being able to costs only time.
    pub(super) fn save(&self) {
        if self.is_changed
            && let Ok(bytes) = serde_json::to_vec(&self.file)
        {
            let _ = write_atomically(&self.path, &bytes);
        }
    }
}

/// What names a release: where it comes from, for git to the commit, and its version.
/// What a registry has under these never changes, and cargo checks that. `None`: a folder.
pub(super) fn release(package: &Package) -> Option<String> {
    let source = package.source.as_ref()?;
    let (name, version) = (&package.name, &package.version);
    Some(format!("{} {name} {version}", source.repr))
}

fn first_of_each(package: &Package) -> Result<Vec<Call>> {
    let mut calls: Vec<Call> = Vec::new();
    for call in std_calls::package(package, Scope::Library)? {
        if !calls.iter().any(|other| other.what == call.what) {
            calls.push(call);
        }
    }
    Ok(calls)
}
