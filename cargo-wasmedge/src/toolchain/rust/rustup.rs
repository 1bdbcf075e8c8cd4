//! Adding the target to a rustup toolchain.
//!
//! Where there is no network rustup retries for minutes without a word, so it
//! is ended when nothing moves, and not tried again for a day.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rustc::{Rustc, TARGET};
use crate::fs::{remove_if_there, write_atomically};
use crate::toolchain::clock::now;
use crate::toolchain::dirs::size_of;
use crate::toolchain::job::Job;
use crate::toolchain::process::{self, Limits};

/// Set (to anything but `0`), rustup is not tried.
const SKIP_VARIABLE: &str = "CARGO_WASMEDGE_NO_RUSTUP";

/// How long a failure is remembered. A machine without a network mostly stays so
/// for longer than one build; whoever gets one can delete the file.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the whole may take: the standard library is about 25 MB.
const TOTAL: Duration = Duration::from_secs(300);

/// How long rustup may go without output and without a byte on disk. A download
/// that is under way never does; a build that waits for nothing is not to wait long.
pub(super) const QUIET: Duration = Duration::from_secs(20);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Failure {
    sysroot: PathBuf,
    /// Seconds since 1970-01-01 00:00 UTC.
    at: u64,
    reason: String,
}

/// Runs `rustup target add` for the toolchain of `rustc`.
///
/// # Errors
/// Why it was not tried, or did not work.
pub(super) fn add_target(job: &Job, rustc: &Rustc, quiet: Duration) -> Result<(), String> {
    let Job { dirs, env, .. } = job;
    if env.var(SKIP_VARIABLE).is_some_and(|value| value != "0") {
        return Err(format!("not tried: {SKIP_VARIABLE} is set"));
    }
    let rustup = env.which("rustup").ok_or("no rustup on PATH")?;
    let home = match env.var("RUSTUP_HOME") {
        Some(home) => env.cwd().join(home),
        None => env.home().ok_or("no home folder")?.join(".rustup"),
    };
    let toolchain = toolchain_name(&home, rustc)
        .ok_or_else(|| format!("the rustc in {} is not rustup's", rustc.sysroot.display()))?;

    let stamp = dirs.rustup_failed();
    if let Some(failure) = remembered(&stamp)
        && failure.sysroot == rustc.sysroot
        && now().saturating_sub(failure.at) < REMEMBERED.as_secs()
    {
        return Err(format!(
            "{} (not tried again for a day, or until {} is deleted)",
            failure.reason,
            stamp.display()
        ));
    }

    let progress = &job.progress;
    progress.status("Adding", &format!("{TARGET} to {toolchain} with rustup"));
    let bar = progress.spinner("rustup target add");
    let limits = Limits {
        total: job.deadline.within(TOTAL),
        quiet: Some(quiet),
    };
    let grows = [
        home.join("downloads"),
        home.join("tmp"),
        rustc.sysroot.join("lib/rustlib").join(TARGET),
    ];
    let mut command = env.command(&rustup);
    command.args(["target", "add", TARGET, "--toolchain", &toolchain]);
    let done = process::run(&mut command, limits, || {
        bar.tick();
        grows.iter().map(|folder| size_of(folder)).sum()
    });
    bar.finish_and_clear();
    let reason = match done {
        Ok(done) if done.success() && rustc.has_std() => {
            let _ = remove_if_there(&stamp);
            return Ok(());
        }
        Ok(done) if done.success() => "rustup added no standard library".to_owned(),
        Ok(done) => format!("rustup target add {}", done.why()),
        Err(error) => format!("rustup cannot be started: {error}"),
    };
    let failure = Failure {
        sysroot: rustc.sysroot.clone(),
        at: now(),
        reason: reason.clone(),
    };
    // Not being able to remember it costs the next set-up only time.
    if let Ok(text) = serde_json::to_string_pretty(&failure) {
        let _ = write_atomically(&stamp, (text + "\n").as_bytes());
    }
    Err(reason)
}

fn toolchain_name(rustup_home: &Path, rustc: &Rustc) -> Option<String> {
    let toolchains = rustup_home.join("toolchains").canonicalize().ok()?;
    let sysroot = rustc.sysroot.canonicalize().ok()?;
    let name = sysroot.strip_prefix(toolchains).ok()?;
    name.to_str()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

fn remembered(stamp: &Path) -> Option<Failure> {
    serde_json::from_str(&fs::read_to_string(stamp).ok()?).ok()
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::toolchain::clock::Deadline;
    use crate::toolchain::debian::prefix::write_script;
    use crate::toolchain::dirs::Dirs;
    use crate::toolchain::env::Env;
    use crate::toolchain::progress::Progress;

    struct Fixture {
        folder: tempfile::TempDir,
        rustc: Rustc,
    }

    impl Fixture {
        /// A rustup home with one toolchain, and a `rustup` that runs `script`
        /// after it has written its arguments to the file `calls`.
        fn new(script: &str) -> Fixture {
            let folder = tempfile::tempdir().unwrap();
            let sysroot = folder.path().join("rustup/toolchains/stable");
            fs::create_dir_all(&sysroot).unwrap();
            let bin = folder.path().join("bin");
            fs::create_dir(&bin).unwrap();
            let calls = folder.path().join("calls");
            let script = format!(
                "#!/bin/sh\necho \"$@\" >> '{}'\n{script}\n",
                calls.display()
            );
            write_script(&bin.join("rustup"), &script).unwrap();
            let rustc = Rustc {
                said: String::new(),
                program: PathBuf::from("rustc"),
                version: semver::Version::new(1, 95, 0),
                host: "x86_64-unknown-linux-gnu".into(),
                sysroot,
            };
            Fixture { folder, rustc }
        }

        fn env(&self) -> Env {
            let mut path = self.folder.path().join("bin").into_os_string();
            path.push(":/usr/bin:/bin");
            Env::empty(self.folder.path())
                .with("PATH", path)
                .with("RUSTUP_HOME", self.folder.path().join("rustup"))
        }

        fn dirs(&self) -> Dirs {
            Dirs::at(self.folder.path().join("cache"))
        }

        fn add_target(&self, env: &Env) -> Result<(), String> {
            let job = Job {
                dirs: &self.dirs(),
                env,
                deadline: Deadline::after(Duration::from_secs(60)),
                progress: Progress(&|_: &str, _: &str| {}),
            };
            add_target(&job, &self.rustc, Duration::from_millis(500))
        }

        fn calls(&self) -> usize {
            fs::read_to_string(self.folder.path().join("calls")).map_or(0, |text| {
                for line in text.lines() {
                    assert_eq!(line, "target add wasm32-wasip1 --toolchain stable");
                }
                text.lines().count()
            })
        }
    }

    fn std_below(sysroot: &Path) -> PathBuf {
        sysroot.join("lib/rustlib/wasm32-wasip1/lib/libstd-0.rlib")
    }

    #[test]
    fn a_rustup_that_hangs_is_ended_and_not_tried_again() {
        let fixture = Fixture::new("echo 'info: downloading component rust-std'; exec sleep 60");
        let started = Instant::now();
        let reason = fixture.add_target(&fixture.env()).unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(20));
        assert!(reason.contains("made no progress"), "{reason}");
        assert_eq!(fixture.calls(), 1);

        let reason = fixture.add_target(&fixture.env()).unwrap_err();
        assert!(reason.contains("made no progress"), "{reason}");
        assert!(reason.contains("rustup-failed.json"), "{reason}");
        assert_eq!(fixture.calls(), 1);

        // A failure more than a day ago does not count.
        let stamp = fixture.dirs().rustup_failed();
        let mut failure = remembered(&stamp).unwrap();
        failure.at -= REMEMBERED.as_secs() + 1;
        fs::write(&stamp, serde_json::to_string(&failure).unwrap()).unwrap();
        fixture.add_target(&fixture.env()).unwrap_err();
        assert_eq!(fixture.calls(), 2);
    }

    #[test]
    fn a_download_that_grows_on_disk_is_not_ended() {
        let fixture = Fixture::new(
            "mkdir -p \"$RUSTUP_HOME/downloads\"
             for i in 1 2 3 4 5; do sleep 0.2; echo part >> \"$RUSTUP_HOME/downloads/std\"; done
             lib=\"$RUSTUP_HOME/toolchains/stable/lib/rustlib/wasm32-wasip1/lib\"
             mkdir -p \"$lib\" && echo > \"$lib/libstd-0.rlib\"",
        );
        fixture.add_target(&fixture.env()).unwrap();
        assert!(std_below(&fixture.rustc.sysroot).is_file());
        assert!(!fixture.dirs().rustup_failed().exists());
    }

    #[test]
    fn success_without_the_library_is_a_failure() {
        let fixture = Fixture::new("exit 0");
        let reason = fixture.add_target(&fixture.env()).unwrap_err();
        assert_eq!(reason, "rustup added no standard library");
    }

    #[test]
    fn it_is_not_started_where_it_cannot_help() {
        let mut fixture = Fixture::new("exit 0");
        let env = fixture.env().with(SKIP_VARIABLE, "1");
        let reason = fixture.add_target(&env).unwrap_err();
        assert!(reason.contains(SKIP_VARIABLE), "{reason}");
        let env = fixture.env().with("PATH", fixture.folder.path());
        assert_eq!(fixture.add_target(&env).unwrap_err(), "no rustup on PATH");
        fixture.rustc.sysroot = fixture.folder.path().to_owned();
        let reason = fixture.add_target(&fixture.env()).unwrap_err();
        assert!(reason.contains("is not rustup's"), "{reason}");
        assert_eq!(fixture.calls(), 0);
    }
}
