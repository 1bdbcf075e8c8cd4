//! A private lockfile in the place of the app's, for a cargo that knows no other
//! way, with a journal so that a killed run can be made good.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::files::{exclusive, mirror, mirror_in_place};
use crate::error::Result;
use crate::fs::{open_lock_file, read_optional, remove_if_there, write_atomically};
use crate::run::started;
use crate::shell::Shell;
use crate::signals::Signals;

/// The file that is locked while the app's lockfile is not the user's own.
///
/// On Unix the manifest, whose lock nobody else heeds: two runs with different
/// cache or target folders have no other file in common. Elsewhere a lock keeps
/// cargo from reading it.
fn swap_lock(root: &Path, journal_folder: &Path) -> Result<File> {
    if cfg!(unix) {
        let manifest = root.join("Cargo.toml");
        let file = File::open(&manifest);
        Ok(file.with_context(|| format!("cannot open {}", manifest.display()))?)
    } else {
        Ok(open_lock_file(&journal_folder.join(".lock"))?)
    }
}

/// What is needed to put the app's lockfile back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    /// The app's lockfile.
    path: PathBuf,
    /// Whether there was one; its content is then in `Cargo.lock.saved` beside the journal.
    existed: bool,
    /// Its time of last change.
    modified: Option<SystemTime>,
}

/// Puts a private lockfile in the place of the app's while cargo runs.
#[derive(Debug)]
pub(super) struct Swap {
    pub(super) journal_folder: PathBuf,
    app_lock: PathBuf,
    /// The app's own while a private one is in its place.
    pub(super) saved: Option<Journal>,
    signals: Signals,
    lock: Option<File>,
}

impl Swap {
    /// Restores what a killed run left, and prepares.
    pub(super) fn open(root: &Path, cache: &Path, shell: &Shell) -> Result<Swap> {
        let key = format!("{:x}", Sha256::digest(root.as_os_str().as_encoded_bytes()));
        let journal_folder = cache.join(&key[..16]);
        let lock = exclusive(swap_lock(root, &journal_folder)?, root, shell)?;
        let mut swap = Swap {
            journal_folder,
            // Whoever made it a link wants it to stay one.
            app_lock: std::fs::canonicalize(root.join("Cargo.lock"))
                .unwrap_or_else(|_| root.join("Cargo.lock")),
            saved: None,
            signals: Signals::watch()?,
            lock: Some(lock),
        };
        if let Some(bytes) = read_optional(&swap.journal())? {
            let journal: Journal = serde_json::from_slice(&bytes)
                .with_context(|| format!("cannot read {}", swap.journal().display()))?;
            // Somebody may have changed it by hand since: nothing is thrown away.
            let found = swap.journal_folder.join("Cargo.lock.found");
            mirror(&swap.app_lock, &found)?;
            swap.saved = Some(journal);
            swap.restore()?;
            shell.note(format_args!(
                "an earlier run was killed: restored {} (what was there is in {})",
                swap.app_lock.display(),
                found.display()
            ));
        }
        Ok(swap)
    }

    fn journal(&self) -> PathBuf {
        self.journal_folder.join("journal.json")
    }

    fn saved_lock(&self) -> PathBuf {
        self.journal_folder.join("Cargo.lock.saved")
    }

    /// `run` with `private` in the place of the app's lockfile; what cargo makes
    /// of it goes back to `private`.
    pub(super) fn with<T>(
        &mut self,
        private: &Path,
        run: impl FnOnce(&mut Swap) -> Result<T>,
    ) -> Result<T> {
        self.begin(private)?;
        let result = run(self);
        let ended = self.end(private);
        self.signals.check()?;
        let value = result?;
        ended?;
        Ok(value)
    }

    /// Runs the user's subcommand. Once a built program starts, cargo no longer
    /// needs the lockfile: it is put back, and others may take the lock.
    ///
    /// The private one stays as it is: cargo has adapted it before, and what has
    /// changed since was another cargo's doing, an editor's for one.
    pub(super) fn run(
        mut self,
        private: &Path,
        mut command: Command,
        lock: File,
    ) -> Result<ExitStatus> {
        let file = format!("started-{}", std::process::id());
        let file = self.journal_folder.join(file);
        remove_if_there(&file)?;
        command.env(started::VARIABLE, &file);
        self.begin(private)?;
        let mut child = self.spawn(&mut command)?;
        let waiting = "cannot wait for cargo";
        let status = loop {
            if let Some(status) = child.try_wait().context(waiting)? {
                self.restore()?;
                break status;
            }
            if file.exists() {
                self.restore()?;
                drop((lock, self.lock.take()));
                break child.wait().context(waiting)?;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        self.ended();
        remove_if_there(&file)?;
        self.signals.check()?;
        Ok(status)
    }

    fn begin(&mut self, private: &Path) -> Result<()> {
        self.signals.check()?;
        self.save()?;
        mirror_in_place(private, &self.app_lock)
    }

    fn end(&mut self, private: &Path) -> Result<()> {
        let kept = mirror(&self.app_lock, private);
        self.restore()?;
        kept
    }

    pub(super) fn save(&mut self) -> Result<()> {
        let modified = std::fs::metadata(&self.app_lock)
            .and_then(|meta| meta.modified())
            .ok();
        let content = read_optional(&self.app_lock)?;
        let journal = Journal {
            path: self.app_lock.clone(),
            existed: content.is_some(),
            modified,
        };
        if let Some(content) = content {
            write_atomically(&self.saved_lock(), &content)?;
        }
        let bytes = serde_json::to_vec_pretty(&journal).context("cannot write the journal")?;
        write_atomically(&self.journal(), &bytes)?;
        self.saved = Some(journal);
        Ok(())
    }

    /// Puts the app's lockfile back. Without one saved, does nothing.
    fn restore(&mut self) -> Result<()> {
        let Some(journal) = &self.saved else {
            return Ok(());
        };
        if journal.existed {
            // A kill during this write leaves the journal, and the next start
            // writes again.
            mirror_in_place(&self.saved_lock(), &journal.path)?;
            if let (Some(modified), Ok(file)) = (
                journal.modified,
                File::options().write(true).open(&journal.path),
            ) {
                // Only spares tools that watch the time from looking again.
                let _ = file.set_modified(modified);
            }
        } else {
            remove_if_there(&journal.path)?;
        }
        remove_if_there(&self.journal())?;
        self.saved = None;
        Ok(())
    }

    pub(super) fn spawn(&self, command: &mut Command) -> Result<Child> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        self.signals.started(child.id());
        Ok(child)
    }

    pub(super) fn ended(&self) {
        self.signals.ended();
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        // Reached with something saved only when a step before failed or
        // panicked; the journal stays if this fails too.
        let _ = self.restore();
    }
}
