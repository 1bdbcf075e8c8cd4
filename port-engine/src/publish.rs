//! Publishing a folder so that it is there whole or not at all.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::ported::RuleReport;
use super::tree::{Hash, Tree, read_tree};

/// The file that says a folder is complete, what it was made from, and what it holds.
pub(super) const STAMP: &str = ".wasmedge-port.json";

/// Prefix of unfinished and discarded folders beside the finished ones.
const UNFINISHED: &str = ".wasmedge-port-";

/// An unfinished folder that is older than this belongs to a run that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// The content of the stamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Hash of everything that the folder was made from.
    pub input: String,
    /// Hash of the folder's files, to notice later changes by hand.
    pub output: String,
    /// What the rules did.
    pub rules: Vec<RuleReport>,
}

impl Stamp {
    /// The stamp of a finished folder. `None`: not there, or not ours.
    pub fn of(dir: &Path) -> Option<Stamp> {
        serde_json::from_slice(&std::fs::read(dir.join(STAMP)).ok()?).ok()
    }
}

/// What a build inside a ported crate leaves behind does not count as a change by hand.
fn is_leftover(path: &str) -> bool {
    matches!(path, "target" | "Cargo.lock" | STAMP)
}

fn content_hash<'a>(files: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>) -> String {
    let mut hash = Hash::new();
    hash.tree(files.into_iter().filter(|(path, _)| !is_leftover(path)));
    hash.hex()
}

/// Writes `files` and a stamp as the folder `dir`, in one step.
///
/// When another process is first with the same input, its folder is taken. A
/// finished folder of ours with another input is replaced.
///
/// # Errors
/// I/O; and a `dir` that is not ours or was changed by hand, which is left alone.
pub(super) fn publish(
    dir: &Path,
    files: &Tree,
    input: &str,
    rules: Vec<RuleReport>,
) -> anyhow::Result<Stamp> {
    let parent = dir
        .parent()
        .context("a ported crate needs a parent folder")?;
    std::fs::create_dir_all(parent)
        .with_context(|| format!("cannot create {}", parent.display()))?;
    sweep(parent);
    let stamp = Stamp {
        input: input.to_string(),
        output: content_hash(files),
        rules,
    };
    let work = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(parent)
        .with_context(|| format!("cannot create a folder in {}", parent.display()))?;
    let made = work.path().join("made");
    for (path, bytes) in files {
        write(&made.join(path), bytes)?;
    }
    write(&made.join(STAMP), &serde_json::to_vec_pretty(&stamp)?)?;

    let _lock = lock(parent);
    if dir.exists() {
        match Stamp::of(dir) {
            Some(other) if other.input == stamp.input => return Ok(other),
            Some(other) => ensure_untouched(dir, &other)?,
            None => bail!(
                "{} is in the way and was not made by cargo-wasmedge\n  help: move it away or choose another folder",
                dir.display()
            ),
        }
        std::fs::rename(dir, work.path().join("old"))
            .with_context(|| format!("cannot replace {}", dir.display()))?;
    }
    match std::fs::rename(&made, dir) {
        Ok(()) => Ok(stamp),
        // Where folders cannot be locked, another process may have been faster.
        Err(error) => Stamp::of(dir)
            .filter(|other| other.input == stamp.input)
            .ok_or(error)
            .with_context(|| format!("cannot create {}", dir.display())),
    }
}

/// Keeps other processes from replacing folders in `parent` until it is dropped.
///
/// The folder itself is locked, so that no lock file is left in it. `None` where
/// that is not possible (some network file systems, Windows).
fn lock(parent: &Path) -> Option<File> {
    let folder = File::open(parent).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

/// Fails when a finished folder no longer holds what was written.
fn ensure_untouched(dir: &Path, stamp: &Stamp) -> anyhow::Result<()> {
    let files = read_tree(dir, is_leftover)?;
    if content_hash(&files) != stamp.output {
        bail!(
            "{} was changed after it was made and would be replaced\n  help: move it away or choose another folder",
            dir.display()
        );
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).with_context(failed)?;
    }
    std::fs::write(path, bytes).with_context(failed)
}

/// Removes what killed runs left behind. Failing to is no reason to stop.
fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    let old = |path: &PathBuf| {
        let modified = std::fs::metadata(path).and_then(|meta| meta.modified());
        let age = modified.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
        age.is_ok_and(|age| age > ABANDONED)
    };
    for entry in entries.flatten() {
        let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if unfinished && old(&entry.path()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
