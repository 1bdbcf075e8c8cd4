//! What is needed to put the app's lockfile back, on disk before anything is in its
//! place: so that a run that was killed can be made good, by whoever comes next.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::files::{mirror, mirror_in_place};
use crate::error::Result;
use crate::fs::{open_lock_file, read_optional, remove_if_there, write_atomically};
use crate::shell::Shell;

/// The app's own lockfile while another one is in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    /// The folder of the workspace.
    root: PathBuf,
    /// The app's lockfile.
    path: PathBuf,
    /// Whether there was one; its content is then in `Cargo.lock.saved` beside the journal.
    existed: bool,
    /// Its time of last change.
    modified: Option<SystemTime>,
}

impl Journal {
    /// Saves the lockfile `path` of the workspace in `root`.
    pub(super) fn write(folder: &Path, root: &Path, path: &Path) -> Result<Journal> {
        let modified = std::fs::metadata(path).and_then(|meta| meta.modified());
        let content = read_optional(path)?;
        let journal = Journal {
            root: root.to_owned(),
            path: path.to_owned(),
            existed: content.is_some(),
            modified: modified.ok(),
        };
        if let Some(content) = content {
            write_atomically(&saved(folder), &content)?;
        }
        let bytes = serde_json::to_vec_pretty(&journal).context("cannot write the journal")?;
        write_atomically(&file(folder), &bytes)?;
        Ok(journal)
    }

    /// The journal of a run that was killed, or that has the swap lock.
    pub(super) fn read(folder: &Path) -> Result<Option<Journal>> {
        let Some(bytes) = read_optional(&file(folder))? else {
            return Ok(None);
        };
        let journal = serde_json::from_slice(&bytes);
        Ok(journal.with_context(|| format!("cannot read {}", file(folder).display()))?)
    }

    /// Puts the app's lockfile back.
    pub(super) fn restore(&self, folder: &Path) -> Result<()> {
        if self.existed {
            // A kill during this write leaves the journal, and the next start
            // writes again.
            mirror_in_place(&saved(folder), &self.path)?;
            if let (Some(modified), Ok(file)) =
                (self.modified, File::options().write(true).open(&self.path))
            {
                // Only spares tools that watch the time from looking again.
                let _ = file.set_modified(modified);
            }
        } else {
            remove_if_there(&self.path)?;
        }
        Ok(remove_if_there(&file(folder))?)
    }

    /// The same for a run that was killed, and says so. Somebody may have changed the
    /// lockfile by hand since: nothing is thrown away.
    pub(super) fn recover(&self, folder: &Path, shell: &Shell) -> Result<()> {
        let found = folder.join("Cargo.lock.found");
        mirror(&self.path, &found)?;
        self.restore(folder)?;
        shell.note(format_args!(
            "an earlier run was killed: restored {} (what was there is in {})",
            self.path.display(),
            found.display()
        ));
        Ok(())
    }

    /// Waits until no run has the app's lockfile.
    pub(super) fn wait(&self, folder: &Path) -> Result<File> {
        let lock = swap_lock(&self.root, folder)?;
        lock.lock()
            .with_context(|| format!("cannot lock {}", self.root.display()))?;
        Ok(lock)
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("journal.json")
}

fn saved(folder: &Path) -> PathBuf {
    folder.join("Cargo.lock.saved")
}

/// The file that is locked while the app's lockfile is not the user's own.
///
/// On Unix the manifest, whose lock nobody else heeds: two runs with different
/// cache or target folders have no other file in common. Elsewhere a lock keeps
/// cargo from reading it.
pub(super) fn swap_lock(root: &Path, folder: &Path) -> Result<File> {
    if cfg!(unix) {
        let manifest = root.join("Cargo.toml");
        let file = File::open(&manifest);
        Ok(file.with_context(|| format!("cannot open {}", manifest.display()))?)
    } else {
        Ok(open_lock_file(&folder.join(".lock"))?)
    }
}

/// Puts back what runs that were killed have left in any workspace: `journals` has a
/// folder for each. What cannot be put back now is told, and tried again by the next.
pub fn recover(journals: &Path, shell: &Shell) {
    for entry in journals.read_dir().into_iter().flatten().flatten() {
        let folder = entry.path();
        if !file(&folder).exists() {
            continue;
        }
        if let Err(error) = recover_one(&folder, shell) {
            shell.warn(format_args!("cannot restore a lockfile: {error:#}"));
        }
    }
}

fn recover_one(folder: &Path, shell: &Shell) -> Result<()> {
    let Some(journal) = Journal::read(folder)? else {
        return Ok(());
    };
    if !journal.root.is_dir() {
        // The app is gone, and with it what would be restored.
        return Ok(remove_if_there(&file(folder))?);
    }
    let lock = swap_lock(&journal.root, folder)?;
    // A run that goes on has it, and puts its own things right.
    if lock.try_lock().is_err() {
        return Ok(());
    }
    match Journal::read(folder)? {
        Some(journal) => journal.recover(folder, shell),
        None => Ok(()),
    }
}
