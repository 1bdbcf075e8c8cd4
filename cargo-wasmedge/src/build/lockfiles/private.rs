//! The private lockfiles and what they were made from.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::SystemTime;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::files::{exclusive, hash_of, mirror};
use super::swap::Swap;
use crate::error::Result;
use crate::fs::{open_lock_file, read_optional, write_atomically};
use crate::process;
use crate::run::keeper;
use crate::shell::Shell;
use crate::signals::Signals;

/// Which of the two lockfiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lockfile {
    /// Without ported crates.
    Upstream,
    /// With them.
    Ported,
}

/// What the private lockfiles were made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// What chose the versions: this program and its ports.
    program: String,
    /// Hash of the app's own lockfile; `None`: it has none.
    app: Option<String>,
    /// Versions that were replaced, as `(crate, asked, used)`.
    #[serde(default)]
    replaced: Vec<(String, String, String)>,
}

/// Lockfiles with ported crates that are kept, of those that were used last: builds
/// with other features have other ported crates.
const KEPT: usize = 8;

/// The file that says that cargo has adapted the lockfile beside it. Its time is that
/// of the last use.
const ADAPTED: &str = "adapted";

/// The private lockfiles of one workspace, held by this process.
#[derive(Debug)]
pub struct Lockfiles {
    folder: PathBuf,
    /// Where the lockfile with the ported crates is; one folder for each set of them.
    ported: PathBuf,
    state: State,
    swap: Option<Swap>,
    /// What is told once more if the build fails.
    on_failure: Option<String>,
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
    /// `decided_by` names what chooses versions: when it is another than the last
    /// time, the lockfiles are started over.
    ///
    /// # Errors
    /// I/O. A message names the file.
    pub fn open(
        root: &Path,
        folder: &Path,
        swap_in: Option<&Path>,
        decided_by: &str,
        shell: &Shell,
    ) -> Result<Lockfiles> {
        let lock = folder.join(".lock");
        let what = format!("the lockfiles in {}", folder.display());
        let lock = exclusive(open_lock_file(&lock)?, &lock, &what, shell)?;
        let swap = match swap_in {
            Some(cache) => Some(Swap::open(root, cache, shell)?),
            None => None,
        };
        let app = hash_of(&root.join("Cargo.lock"))?;
        let fresh = State {
            program: decided_by.to_owned(),
            app,
            ..State::default()
        };
        let old: Option<State> = read_optional(&folder.join("state.json"))?
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let state = match old {
            Some(old) if old.program == fresh.program && old.app == fresh.app => old,
            _ => {
                mirror(&root.join("Cargo.lock"), &folder.join(UPSTREAM))?;
                fresh
            }
        };
        let lockfiles = Lockfiles {
            folder: folder.to_owned(),
            ported: folder.join("ported"),
            state,
            swap,
            on_failure: None,
            lock,
        };
        lockfiles.save()?;
        Ok(lockfiles)
    }

    /// The path of a lockfile.
    pub fn path(&self, which: Lockfile) -> PathBuf {
        match which {
            Lockfile::Upstream => self.folder.join(UPSTREAM),
            Lockfile::Ported => self.ported.join("Cargo.lock"),
        }
    }

    /// The folder of the lockfile with the ported crates, and of what else belongs to
    /// this set of them. Builds with other sets have others, so that none changes
    /// under a cargo that runs. To be called behind [`Lockfiles::derive`].
    pub fn ported_folder(&self) -> PathBuf {
        self.ported.clone()
    }

    /// Whether the app has no lockfile, and nothing was resolved for it before.
    pub fn resolves_anew(&self) -> bool {
        self.state.app.is_none() && !self.path(Lockfile::Upstream).exists()
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

    /// Takes the lockfile for this upstream one and this set of ported folders.
    /// `true`: it is new, and cargo has yet to adapt it.
    ///
    /// # Errors
    /// I/O.
    pub fn derive(&mut self, ported: &[PathBuf]) -> Result<bool> {
        let upstream = self.path(Lockfile::Upstream);
        let mut hash = Sha256::new();
        hash.update(hash_of(&upstream)?.unwrap_or_default());
        for folder in ported {
            hash.update(folder.as_os_str().as_encoded_bytes());
            hash.update([0]);
        }
        let all = self.folder.join("ported");
        self.ported = all.join(&format!("{:x}", hash.finalize())[..12]);
        // Only `adapted` says that it is done: an interrupted run starts over.
        let adapted = File::options().write(true).open(self.ported.join(ADAPTED));
        if let Ok(adapted) = adapted
            && self.path(Lockfile::Ported).exists()
        {
            // Not being able to say so makes it only look older.
            let _ = adapted.set_modified(SystemTime::now());
            return Ok(false);
        }
        remove_least_recent(&all);
        mirror(&upstream, &self.path(Lockfile::Ported))?;
        Ok(true)
    }

    /// Says that cargo has adapted the ported lockfile.
    ///
    /// # Errors
    /// I/O.
    pub fn adapted(&mut self) -> Result<()> {
        Ok(write_atomically(&self.ported.join(ADAPTED), b"")?)
    }

    fn save(&self) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(&self.state).context("cannot write the state")?;
        Ok(write_atomically(&self.folder.join("state.json"), &bytes)?)
    }

    /// cargo's arguments that make it use this lockfile; none for an older cargo.
    pub fn args(&self, which: Lockfile) -> Vec<String> {
        if !self.by_path() {
            return Vec::new();
        }
        let path = toml::Value::from(self.path(which).to_string_lossy().into_owned());
        vec!["--config".into(), format!("resolver.lockfile-path={path}")]
    }

    /// Runs a cargo command on this lockfile and gives its stdout.
    ///
    /// # Errors
    /// As [`process::output`], and I/O.
    pub fn output(
        &mut self,
        which: Lockfile,
        command: &mut Command,
        shell: &Shell,
    ) -> Result<Vec<u8>> {
        let path = self.path(which);
        match &mut self.swap {
            None => process::output(command, shell),
            Some(swap) => swap.with(&path, |swap| {
                shell.command(command);
                command.stdout(Stdio::piped());
                let child = swap.spawn(command)?;
                let output = child.wait_with_output().context("cannot wait for cargo")?;
                swap.ended();
                if output.status.success() {
                    Ok(output.stdout)
                } else {
                    let code = process::exit_code(output.status);
                    Err(anyhow::Error::new(process::Failed(code)).into())
                }
            }),
        }
    }

    /// Runs a cargo command on this lockfile that may fail, and gives its stdout. `said`
    /// gets each line that it writes to stderr.
    ///
    /// # Errors
    /// [`process::Failed`] when a signal ends it; it cannot be started; I/O.
    pub fn attempt(
        &mut self,
        which: Lockfile,
        command: &mut Command,
        shell: &Shell,
        said: &(dyn Fn(&str) + Sync),
    ) -> Result<Vec<u8>> {
        shell.command(command);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let path = self.path(which);
        match &mut self.swap {
            None => {
                let program = command.get_program().to_string_lossy().into_owned();
                let child = command.spawn();
                process::attempt(
                    child.with_context(|| format!("cannot start {program}"))?,
                    said,
                )
            }
            Some(swap) => swap.with(&path, |swap| {
                let output = process::attempt(swap.spawn(command)?, said);
                swap.ended();
                output
            }),
        }
    }

    /// Has [`Lockfiles::run`] tell this where cargo fails to build: what was told before
    /// is a thousand lines above by then.
    pub fn tell_on_failure(&mut self, note: String) {
        self.on_failure = Some(note);
    }

    /// Runs the user's subcommand on the ported lockfile. With a path, and with nothing
    /// to tell behind it, this process becomes it and does not return unless it cannot be
    /// started.
    ///
    /// # Errors
    /// It cannot be started; I/O.
    pub fn run(self, command: Command, shell: &Shell) -> Result<i32> {
        let path = self.path(Lockfile::Ported);
        shell.command(&command);
        let status = match (self.swap, &self.on_failure) {
            (None, None) => return process::replace(command),
            (None, Some(_)) => {
                // What this process would have released by becoming cargo.
                drop(self.lock);
                attended(&command)?
            }
            (Some(swap), _) => swap.run(&path, command, self.lock)?,
        };
        let code = process::exit_code(status);
        if let Some(note) = self.on_failure.filter(|_| code == BUILD_FAILED) {
            shell.note(note);
        }
        Ok(code)
    }
}

/// What cargo and nextest exit with when something does not build.
const BUILD_FAILED: i32 = 101;

/// Starts a command that ends with this process, and waits for it.
fn attended(command: &Command) -> Result<ExitStatus> {
    let signals = Signals::watch()?;
    let program = command.get_program().to_string_lossy().into_owned();
    let child = keeper::kept(command)?.spawn();
    let mut child = child.with_context(|| format!("cannot start {program}"))?;
    signals.started(child.id());
    let status = child.wait().context("cannot wait for cargo")?;
    signals.ended();
    signals.check()?;
    Ok(status)
}

/// The app's lockfile with what cargo has to add or replace, in the folder.
const UPSTREAM: &str = "upstream/Cargo.lock";

/// Makes room for one more. What cannot be removed stays.
fn remove_least_recent(all: &Path) {
    let used = |folder: &PathBuf| {
        let adapted = std::fs::metadata(folder.join(ADAPTED));
        adapted.and_then(|file| file.modified()).ok()
    };
    let folders = all.read_dir().into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(used(folder)));
    for folder in folders.iter().skip(KEPT - 1) {
        let _ = std::fs::remove_dir_all(folder);
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
        let folder = root.join("target/wasmedge");
        Lockfiles::open(root, &folder, swap_in, "1.0.0", &quiet()).unwrap()
    }

    fn content(path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    #[test]
    fn the_private_one_starts_as_the_apps_and_over_when_that_changes() {
        let (_temp, root, _) = workspace(Some("one"));
        let lockfiles = open(&root, None);
        let upstream = lockfiles.path(Lockfile::Upstream);
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
        let (a, b) = ([PathBuf::from("/ported/a")], [PathBuf::from("/ported/b")]);
        assert!(lockfiles.derive(&a).unwrap());
        assert!(
            lockfiles.derive(&a).unwrap(),
            "cargo never said that it is adapted"
        );
        lockfiles.adapted().unwrap();
        assert!(!lockfiles.derive(&a).unwrap());
        let of_a = lockfiles.path(Lockfile::Ported);
        // Whoever uses the first goes on with it.
        assert!(lockfiles.derive(&b).unwrap());
        lockfiles.adapted().unwrap();
        assert_ne!(lockfiles.path(Lockfile::Ported), of_a);
        assert!(!lockfiles.derive(&a).unwrap());
        assert_eq!(lockfiles.path(Lockfile::Ported), of_a);
        std::fs::write(lockfiles.path(Lockfile::Upstream), "two").unwrap();
        assert!(lockfiles.derive(&a).unwrap());
    }

    #[test]
    fn of_many_the_least_recently_used_ones_go() {
        let (_temp, root, _) = workspace(Some("one"));
        let mut lockfiles = open(&root, None);
        let set = |at: usize| [PathBuf::from(format!("/ported/{at}"))];
        for at in 0..3 * KEPT {
            // The first is used all the time.
            for at in [at, 0] {
                if lockfiles.derive(&set(at)).unwrap() {
                    lockfiles.adapted().unwrap();
                }
            }
        }
        let kept = root.join("target/wasmedge/ported").read_dir().unwrap();
        assert_eq!(kept.count(), KEPT);
        assert!(!lockfiles.derive(&set(0)).unwrap());
        assert!(!lockfiles.derive(&set(3 * KEPT - 1)).unwrap());
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
                let result = lockfiles.output(Lockfile::Upstream, &mut command, &quiet());
                assert_eq!(result.is_ok(), ok);
                assert_eq!(content(&root.join("Cargo.lock")).as_deref(), own);
                let private = content(&lockfiles.path(Lockfile::Upstream));
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
            .output(Lockfile::Upstream, &mut command, &quiet())
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
            assert_eq!(content(&lockfiles.path(Lockfile::Upstream)).as_deref(), own);
            let swap = lockfiles.swap.as_ref().unwrap();
            let found = swap.journal_folder.join("Cargo.lock.found");
            assert_eq!(content(&found).as_deref(), Some("private"));
        }
    }
}
