//! Adding the target to a rustup toolchain.
//!
//! Where there is no network rustup retries for minutes without a word, so it
//! is ended when nothing moves, and not tried again for a day.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::apt::{Deadline, size_of};
use super::process::{self, Limits};
use super::rust::{Rustc, TARGET};
use super::setup::Progress;
use super::{Dirs, Env};

/// Set (to anything but `0`), rustup is not tried.
const SKIP_VARIABLE: &str = "CARGO_WASMEDGE_NO_RUSTUP";
/// How long a failure is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the whole may take: the standard library is about 25 MB.
const TOTAL: Duration = Duration::from_secs(300);
/// How long rustup may go without output and without a byte on disk.
pub(crate) const QUIET: Duration = Duration::from_secs(20);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Failure {
    sysroot: std::path::PathBuf,
    /// Seconds since 1970-01-01 00:00 UTC.
    at: u64,
    reason: String,
}

/// Runs `rustup target add` for the toolchain of `rustc`.
///
/// # Errors
/// Why it was not tried, or did not work.
pub(crate) fn add_target(
    dirs: &Dirs,
    env: &Env,
    rustc: &Rustc,
    deadline: Deadline,
    quiet: Duration,
    progress: &Progress,
) -> Result<(), String> {
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

    progress.status("Adding", &format!("{TARGET} to {toolchain} with rustup"));
    let bar = progress.spinner("rustup target add");
    let limits = Limits {
        total: deadline.within(TOTAL),
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
            let _ = fs::remove_file(&stamp);
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
        let _ = fs::create_dir_all(dirs.home()).and_then(|()| fs::write(&stamp, text + "\n"));
    }
    Err(reason)
}

fn toolchain_name(rustup_home: &std::path::Path, rustc: &Rustc) -> Option<String> {
    let toolchains = rustup_home.join("toolchains").canonicalize().ok()?;
    let sysroot = rustc.sysroot.canonicalize().ok()?;
    let name = sysroot.strip_prefix(toolchains).ok()?;
    name.to_str()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

fn remembered(stamp: &std::path::Path) -> Option<Failure> {
    serde_json::from_str(&fs::read_to_string(stamp).ok()?).ok()
}

/// Seconds since 1970-01-01 00:00 UTC.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}
