//! A private lockfile in the place of the app's, for a cargo that knows no other
//! way, with a journal and a guard so that a killed run is made good.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::files::{exclusive, mirror, mirror_in_place};
use super::guard::Guard;
use super::journal::{Journal, swap_lock};
use crate::error::Result;
use crate::fs::{remove_if_there, write_atomically};
use crate::run::{keeper, started};
use crate::shell::Shell;
use crate::signals::Signals;

/// Puts a private lockfile in the place of the app's while cargo runs.
#[derive(Debug)]
pub(super) struct Swap {
    pub(super) journal_folder: PathBuf,
    root: PathBuf,
    app_lock: PathBuf,
    /// The app's own while a private one is in its place.
    pub(super) saved: Option<Journal>,
    signals: Signals,
    // Released before the guard is waited for, which may want it.
    lock: Option<File>,
    guard: Option<Guard>,
}

impl Swap {
    /// Restores what a killed run left, and prepares.
    pub(super) fn open(root: &Path, cache: &Path, shell: &Shell) -> Result<Swap> {
        let key = format!("{:x}", Sha256::digest(root.as_os_str().as_encoded_bytes()));
        let journal_folder = cache.join(&key[..16]);
        // Whoever made it a link wants it to stay one.
        let app_lock = std::fs::canonicalize(root.join("Cargo.lock"))
            .unwrap_or_else(|_| root.join("Cargo.lock"));
        let what = format!("its own lockfile in the place of {}", app_lock.display());
        let holder = journal_folder.join("holder");
        let lock = exclusive(swap_lock(root, &journal_folder)?, &holder, &what, shell)?;
        if let Some(journal) = Journal::read(&journal_folder)? {
            journal.recover(&journal_folder, shell)?;
        }
        let told = journal_folder.join("told");
        if !told.exists() {
            shell.note(format_args!(
                "this cargo knows no lockfile but Cargo.lock: while it runs, one of ours is in \
                 its place, and yours in {}\n  \
                 help: cargo 1.97 or newer is given another path, and Cargo.lock is not touched",
                journal_folder.display()
            ));
            write_atomically(&told, b"")?;
        }
        Ok(Swap {
            journal_folder,
            root: root.to_owned(),
            app_lock,
            saved: None,
            signals: Signals::watch()?,
            guard: None,
            lock: Some(lock),
        })
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
        let mut child = self.spawn(&mut keeper::kept(&command)?)?;
        let waiting = "cannot wait for cargo";
        let status = loop {
            if let Some(status) = child.try_wait().context(waiting)? {
                self.restore()?;
                break status;
            }
            if file.exists() {
                self.restore()?;
                drop((lock, self.lock.take(), self.guard.take()));
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
        let journal = Journal::write(&self.journal_folder, &self.root, &self.app_lock)?;
        self.saved = Some(journal);
        // This program is the guard. Not so in unit tests: tests/cli has those.
        if self.guard.is_none() && !cfg!(test) {
            self.guard = Some(Guard::start(&self.journal_folder)?);
        }
        Ok(())
    }

    /// Puts the app's lockfile back. Without one saved, does nothing.
    fn restore(&mut self) -> Result<()> {
        if let Some(journal) = &self.saved {
            journal.restore(&self.journal_folder)?;
            self.saved = None;
        }
        Ok(())
    }

    pub(super) fn spawn(&mut self, command: &mut Command) -> Result<Child> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        self.signals.started(child.id());
        if let Some(guard) = &mut self.guard {
            guard.tell(child.id());
        }
        Ok(child)
    }

    pub(super) fn ended(&mut self) {
        self.signals.ended();
        if let Some(guard) = &mut self.guard {
            guard.tell(0);
        }
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        // Reached with something saved only when a step before failed or
        // panicked; the journal stays if this fails too.
        let _ = self.restore();
    }
}
