//! Lockfiles of our own, so that the app's stays as it is.
//!
//! Two are kept in the app's target folder: `upstream/Cargo.lock` is the app's
//! lockfile with what cargo has to add or replace, still without ported crates;
//! `Cargo.lock` is made from it and has the ported crates. Both are started
//! over when the app's own lockfile changes.
//!
//! A cargo since 1.97 is told to use them with `resolver.lockfile-path`. For an
//! older one they have to be put in the place of the app's lockfile while cargo
//! runs. The app's own is kept in the cache folder meanwhile and is
//! put back as soon as a built program starts or cargo ends, after SIGINT,
//! SIGTERM and SIGHUP, and at the next start if this process was killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::cargo::{self, write_atomically};
use crate::error::Result;
use crate::shell::Shell;

/// Hash of a file's content; `None` when there is no such file.
pub(crate) fn hash_of(path: &Path) -> Result<Option<String>> {
    Ok(read(path)?.map(|bytes| format!("{:x}", Sha256::digest(bytes))))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow::Error::new(error)
            .context(format!("cannot read {}", path.display()))
            .into()),
    }
}

/// Makes `to` what `from` is: the same content, or absent.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    match read(from)? {
        Some(bytes) => write_atomically(to, &bytes),
        None => remove(to),
    }
}

/// The same for the app's lockfile, which keeps its permissions and its identity.
fn mirror_in_place(from: &Path, to: &Path) -> Result<()> {
    match read(from)? {
        Some(bytes) => {
            Ok(std::fs::write(to, bytes)
                .with_context(|| format!("cannot write {}", to.display()))?)
        }
        None => remove(to),
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(anyhow::Error::new(error)
                .context(format!("cannot remove {}", path.display()))
                .into())
        }
        _ => Ok(()),
    }
}

/// Which of the two lockfiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Without ported crates.
    Upstream,
    /// With them.
    Ported,
}

/// What the private lockfiles were made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// This program's version: what is supported depends on it.
    program: String,
    /// Hash of the app's own lockfile; `None`: it has none.
    app: Option<String>,
    /// Versions that were replaced, as `(crate, asked, used)`.
    #[serde(default)]
    replaced: Vec<(String, String, String)>,
    /// Hash of the upstream lockfile, and the ported folders, that the ported one was made for.
    #[serde(default)]
    ported_from: Option<(Option<String>, Vec<PathBuf>)>,
}

/// The private lockfiles of one workspace, held by this process.
#[derive(Debug)]
pub struct Lockfiles {
    folder: PathBuf,
    state: State,
    swap: Option<Swap>,
    // Released when the process ends or becomes another program.
    lock: File,
}

impl Lockfiles {
    /// Takes the lockfiles in `folder` for the workspace in `root`; waits while
    /// another process has them.
    ///
    /// With `swap_in` (a folder in the cache) the app's lockfile is replaced
    /// while cargo runs; without, cargo is given a path.
    ///
    /// # Errors
    /// I/O. A message names the file.
    pub fn open(
        root: &Path,
        folder: &Path,
        swap_in: Option<&Path>,
        shell: &Shell,
    ) -> Result<Lockfiles> {
        let lock = exclusive(create_lock(&folder.join(".lock"))?, folder, shell)?;
        let swap = match swap_in {
            Some(cache) => Some(Swap::open(root, cache, shell)?),
            None => None,
        };
        let app = hash_of(&root.join("Cargo.lock"))?;
        let fresh = State {
            program: program(),
            app,
            ..State::default()
        };
        let old: Option<State> =
            read(&folder.join("state.json"))?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let state = match old {
            Some(old) if old.program == fresh.program && old.app == fresh.app => old,
            _ => {
                mirror(&root.join("Cargo.lock"), &path_in(folder, Which::Upstream))?;
                remove(&path_in(folder, Which::Ported))?;
                fresh
            }
        };
        let lockfiles = Lockfiles {
            folder: folder.to_owned(),
            state,
            swap,
            lock,
        };
        lockfiles.save()?;
        Ok(lockfiles)
    }

    /// The path of a lockfile.
    pub fn path(&self, which: Which) -> PathBuf {
        path_in(&self.folder, which)
    }

    /// Whether cargo is given a path, so that nothing of the app's is touched.
    pub fn by_path(&self) -> bool {
        self.swap.is_none()
    }

    /// The replaced versions so far.
    pub fn replaced(&self) -> &[(String, String, String)] {
        &self.state.replaced
    }

    /// Remembers that `used` stands in for `asked`.
    ///
    /// # Errors
    /// I/O.
    pub fn add_replaced(&mut self, krate: &str, asked: &str, used: &str) -> Result<()> {
        self.state
            .replaced
            .push((krate.into(), asked.into(), used.into()));
        self.save()
    }

    /// Starts the ported lockfile over from the upstream one when that, or the
    /// set of ported folders, has changed. `true`: cargo has yet to adapt it.
    ///
    /// # Errors
    /// I/O.
    pub fn derive(&mut self, ported: &[PathBuf]) -> Result<bool> {
        let upstream = self.path(Which::Upstream);
        let key = Some((hash_of(&upstream)?, ported.to_vec()));
        if self.state.ported_from == key && self.path(Which::Ported).exists() {
            return Ok(false);
        }
        mirror(&upstream, &self.path(Which::Ported))?;
        // Only `adapted` says that it is done: an interrupted run starts over.
        self.state.ported_from = None;
        self.save()?;
        Ok(true)
    }

    /// Says that cargo has adapted the ported lockfile to these folders.
    ///
    /// # Errors
    /// I/O.
    pub fn adapted(&mut self, ported: &[PathBuf]) -> Result<()> {
        self.state.ported_from = Some((hash_of(&self.path(Which::Upstream))?, ported.to_vec()));
        self.save()
    }

    fn save(&self) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(&self.state).context("cannot write the state")?;
        write_atomically(&self.folder.join("state.json"), &bytes)
    }

    /// cargo's arguments that make it use this lockfile; none for an older cargo.
    pub fn args(&self, which: Which) -> Vec<String> {
        if !self.by_path() {
            return Vec::new();
        }
        let path = toml::Value::from(self.path(which).to_string_lossy().into_owned());
        vec!["--config".into(), format!("resolver.lockfile-path={path}")]
    }

    /// Runs a cargo command on this lockfile and gives its stdout.
    ///
    /// # Errors
    /// As [`cargo::output`], and I/O.
    pub fn output(
        &mut self,
        which: Which,
        command: &mut Command,
        shell: &Shell,
    ) -> Result<Vec<u8>> {
        let path = self.path(which);
        match &mut self.swap {
            None => cargo::output(command, shell),
            Some(swap) => swap.with(&path, |swap| {
                shell.command(command);
                command.stdout(std::process::Stdio::piped());
                let child = swap.spawn(command)?;
                let output = child.wait_with_output().context("cannot wait for cargo")?;
                swap.ended();
                if output.status.success() {
                    Ok(output.stdout)
                } else {
                    let code = cargo::exit_code(output.status);
                    Err(anyhow::Error::new(cargo::Failed(code)).into())
                }
            }),
        }
    }

    /// Runs the user's subcommand on the ported lockfile. With a path, this
    /// process becomes it and does not return unless it cannot be started.
    ///
    /// # Errors
    /// It cannot be started; I/O.
    pub fn run(self, command: Command, shell: &Shell) -> Result<i32> {
        let path = self.path(Which::Ported);
        shell.command(&command);
        match self.swap {
            None => cargo::replace(command),
            Some(swap) => Ok(cargo::exit_code(swap.run(&path, command, self.lock)?)),
        }
    }
}

fn path_in(folder: &Path, which: Which) -> PathBuf {
    match which {
        Which::Upstream => folder.join("upstream").join("Cargo.lock"),
        Which::Ported => folder.join("Cargo.lock"),
    }
}

/// This program as far as its choice of versions goes.
fn program() -> String {
    format!(
        "{} {}",
        env!("CARGO_PKG_VERSION"),
        crate::overlay::fingerprint()
    )
}

fn create_lock(path: &Path) -> Result<File> {
    let failed = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    let mut options = File::options();
    let file = options.create(true).truncate(false).write(true).open(path);
    Ok(file.with_context(failed)?)
}

/// Locks a file, saying so when it has to wait.
fn exclusive(file: File, what: &Path, shell: &Shell) -> Result<File> {
    let failed = || format!("cannot lock {}", what.display());
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            shell.status(
                "Blocking",
                "waiting for another `cargo wasmedge` in this workspace",
            );
            file.lock().with_context(failed)?;
        }
        // Some network file systems have no locks; cargo goes on without, too.
        Err(std::fs::TryLockError::Error(error))
            if error.kind() == std::io::ErrorKind::Unsupported => {}
        Err(std::fs::TryLockError::Error(error)) => {
            return Err(anyhow::Error::new(error).context(failed()).into());
        }
    }
    Ok(file)
}

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
        create_lock(&journal_folder.join(".lock"))
    }
}

/// What is needed to put the app's lockfile back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Journal {
    /// The app's lockfile.
    path: PathBuf,
    /// Whether there was one; its content is then in `Cargo.lock.saved` beside the journal.
    existed: bool,
    /// Its time of last change.
    modified: Option<SystemTime>,
}

/// Puts a private lockfile in the place of the app's while cargo runs.
#[derive(Debug)]
struct Swap {
    journal_folder: PathBuf,
    app_lock: PathBuf,
    /// The app's own while a private one is in its place.
    saved: Option<Journal>,
    signals: Signals,
    lock: Option<File>,
}

/// Tells the runner of the file that it makes to say that a program starts.
const STARTED_VARIABLE: &str = "CARGO_WASMEDGE_STARTED";

/// Says, in the runner, that a built program starts.
pub(crate) fn program_starts() {
    if let Some(path) = std::env::var_os(STARTED_VARIABLE) {
        // If it cannot be made the app's lockfile is put back later.
        let _ = File::create(path);
    }
}

impl Swap {
    /// Restores what a killed run left, and prepares.
    fn open(root: &Path, cache: &Path, shell: &Shell) -> Result<Swap> {
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
        if let Some(bytes) = read(&swap.journal())? {
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
    fn with<T>(&mut self, private: &Path, run: impl FnOnce(&mut Swap) -> Result<T>) -> Result<T> {
        self.begin(private)?;
        let result = run(self);
        let ended = self.end(private);
        self.signals.check(self)?;
        let value = result?;
        ended?;
        Ok(value)
    }

    /// Runs the user's subcommand. Once a built program starts, cargo has no more
    /// use for the lockfile: it is put back, and others may have a turn.
    ///
    /// The private one stays as it is: cargo has adapted it before, and what has
    /// changed since was another cargo's doing, an editor's for one.
    fn run(mut self, private: &Path, mut command: Command, lock: File) -> Result<ExitStatus> {
        let started = format!("started-{}", std::process::id());
        let started = self.journal_folder.join(started);
        remove(&started)?;
        command.env(STARTED_VARIABLE, &started);
        self.begin(private)?;
        let mut child = self.spawn(&mut command)?;
        let waiting = "cannot wait for cargo";
        let status = loop {
            if let Some(status) = child.try_wait().context(waiting)? {
                self.restore()?;
                break status;
            }
            if started.exists() {
                self.restore()?;
                drop((lock, self.lock.take()));
                break child.wait().context(waiting)?;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        self.ended();
        remove(&started)?;
        self.signals.check(&self)?;
        Ok(status)
    }

    fn begin(&mut self, private: &Path) -> Result<()> {
        self.signals.check(self)?;
        self.save()?;
        mirror_in_place(private, &self.app_lock)
    }

    fn end(&mut self, private: &Path) -> Result<()> {
        let kept = mirror(&self.app_lock, private);
        self.restore()?;
        kept
    }

    fn save(&mut self) -> Result<()> {
        let modified = std::fs::metadata(&self.app_lock)
            .and_then(|meta| meta.modified())
            .ok();
        let content = read(&self.app_lock)?;
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
            remove(&journal.path)?;
        }
        remove(&self.journal())?;
        self.saved = None;
        Ok(())
    }

    fn spawn(&self, command: &mut Command) -> Result<Child> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        self.signals.child.store(child.id(), Ordering::SeqCst);
        Ok(child)
    }

    fn ended(&self) {
        self.signals.child.store(0, Ordering::SeqCst);
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        // Reached with something saved only when a step before failed or
        // panicked; the journal stays if this fails too.
        let _ = self.restore();
    }
}

/// Keeps SIGINT, SIGTERM and SIGHUP from ending this process before the app's
/// lockfile is back. The child gets them: those from the terminal by itself,
/// others from us.
#[derive(Debug)]
struct Signals {
    /// The running child's process id, or 0.
    child: Arc<AtomicU32>,
    /// The first signal that came, or 0.
    came: Arc<AtomicI32>,
}

#[cfg(unix)]
impl Signals {
    fn watch() -> Result<Signals> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

        let signals = Signals {
            child: Arc::default(),
            came: Arc::default(),
        };
        let (child, came) = (signals.child.clone(), signals.came.clone());
        let mut iterator = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
            .context("cannot watch for signals")?;
        std::thread::spawn(move || {
            for signal in &mut iterator {
                let _ = came.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
                if signal == SIGINT && is_in_foreground() {
                    continue;
                }
                hand_on(child.load(Ordering::SeqCst), signal);
            }
        });
        Ok(signals)
    }

    /// Ends the process as the signal that came would have done, with the
    /// lockfile back in place.
    fn check(&self, _restored: &Swap) -> Result<()> {
        match self.came.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
                Err(anyhow::Error::new(cargo::Failed(128 + signal)).into())
            }
        }
    }
}

/// Whether Ctrl-C reaches the child as well. A second one would tell nextest,
/// for one, to stop at once.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    File::open("/dev/tty").is_ok_and(|terminal| {
        rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
    })
}

#[cfg(unix)]
fn hand_on(child: u32, signal: i32) {
    let pid = i32::try_from(child)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let signal = rustix::process::Signal::from_named_raw(signal);
    if let (Some(pid), Some(signal)) = (pid, signal) {
        // It may have ended just now.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

#[cfg(not(unix))]
impl Signals {
    fn watch() -> Result<Signals> {
        Ok(Signals {
            child: Arc::default(),
            came: Arc::default(),
        })
    }

    fn check(&self, _restored: &Swap) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(lock: Option<&str>) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("app with a space");
        let cache = temp.path().join("cache");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(root.join("Cargo.toml"), "").unwrap();
        if let Some(lock) = lock {
            std::fs::write(root.join("Cargo.lock"), lock).unwrap();
        }
        (temp, root, cache)
    }

    fn quiet() -> Shell {
        Shell::new(true, false)
    }

    fn open(root: &Path, swap_in: Option<&Path>) -> Lockfiles {
        Lockfiles::open(root, &root.join("target/wasmedge"), swap_in, &quiet()).unwrap()
    }

    fn content(path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    #[test]
    fn the_private_one_starts_as_the_apps_and_over_when_that_changes() {
        let (_temp, root, _) = workspace(Some("one"));
        let lockfiles = open(&root, None);
        let upstream = lockfiles.path(Which::Upstream);
        assert_eq!(content(&upstream).as_deref(), Some("one"));
        std::fs::write(&upstream, "one, resolved").unwrap();
        drop(lockfiles);

        drop(open(&root, None));
        assert_eq!(content(&upstream).as_deref(), Some("one, resolved"));

        std::fs::write(root.join("Cargo.lock"), "two").unwrap();
        drop(open(&root, None));
        assert_eq!(content(&upstream).as_deref(), Some("two"));

        std::fs::remove_file(root.join("Cargo.lock")).unwrap();
        drop(open(&root, None));
        assert_eq!(content(&upstream), None);
    }

    #[test]
    fn the_ported_one_is_made_anew_for_other_folders_and_until_adapted() {
        let (_temp, root, _) = workspace(Some("one"));
        let mut lockfiles = open(&root, None);
        let a = [PathBuf::from("/ported/a")];
        assert!(lockfiles.derive(&a).unwrap());
        assert!(
            lockfiles.derive(&a).unwrap(),
            "cargo never said that it is adapted"
        );
        lockfiles.adapted(&a).unwrap();
        assert!(!lockfiles.derive(&a).unwrap());
        assert!(lockfiles.derive(&[PathBuf::from("/ported/b")]).unwrap());
    }

    #[test]
    fn a_swapped_lockfile_is_put_back_whatever_cargo_does() {
        for (script, ok) in [
            ("echo changed > Cargo.lock", true),
            ("rm -f Cargo.lock; exit 3", false),
        ] {
            for own in [Some("own"), None] {
                let (_temp, root, cache) = workspace(own);
                let mut lockfiles = open(&root, Some(&cache));
                let mut command = Command::new("sh");
                command.arg("-c").arg(script).current_dir(&root);
                let result = lockfiles.output(Which::Upstream, &mut command, &quiet());
                assert_eq!(result.is_ok(), ok);
                assert_eq!(content(&root.join("Cargo.lock")).as_deref(), own);
                let private = content(&lockfiles.path(Which::Upstream));
                assert_eq!(private.as_deref(), ok.then_some("changed\n"));
            }
        }
    }

    #[test]
    fn the_time_of_a_swapped_lockfile_is_put_back() {
        let (_temp, root, cache) = workspace(Some("own"));
        let path = root.join("Cargo.lock");
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(time)
            .unwrap();
        let mut lockfiles = open(&root, Some(&cache));
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo changed > Cargo.lock"])
            .current_dir(&root);
        lockfiles
            .output(Which::Upstream, &mut command, &quiet())
            .unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), time);
    }

    #[test]
    fn a_killed_runs_lockfile_is_put_back_at_the_next_start() {
        for own in [Some("own"), None] {
            let (_temp, root, cache) = workspace(own);
            let mut lockfiles = open(&root, Some(&cache));
            let swap = lockfiles.swap.as_mut().unwrap();
            swap.save().unwrap();
            std::fs::write(root.join("Cargo.lock"), "private").unwrap();
            // Killed: nothing is dropped, but the locks are gone.
            swap.saved = None;
            drop(lockfiles);
            assert_eq!(
                content(&root.join("Cargo.lock")).as_deref(),
                Some("private")
            );

            let lockfiles = open(&root, Some(&cache));
            assert_eq!(content(&root.join("Cargo.lock")).as_deref(), own);
            assert_eq!(content(&lockfiles.path(Which::Upstream)).as_deref(), own);
            let swap = lockfiles.swap.as_ref().unwrap();
            let found = swap.journal_folder.join("Cargo.lock.found");
            assert_eq!(content(&found).as_deref(), Some("private"));
        }
    }
}
