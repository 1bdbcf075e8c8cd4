//! A program ends with the `cargo wasmedge` that runs it.
//!
//! Ctrl-C reaches every process of a terminal. A signal to one process does not: after
//! `kill -9` of `cargo wasmedge`, or of the cargo or nextest below it, a server would
//! run on with nobody to end it. So the kernel is asked to end the program with its
//! parent. A program that plain cargo starts lives as long as it would natively.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::error::Result;
use crate::process;

/// The hidden subcommand that starts another program to end with its parent.
pub(crate) const SUBCOMMAND: &str = "wasmedge-kept";

/// Tells the runner the process id of the `cargo wasmedge` above it.
const VARIABLE: &str = "CARGO_WASMEDGE_KEEPER";

/// The variable that tells runners of this process.
pub(crate) fn variable() -> (String, OsString) {
    (VARIABLE.to_owned(), std::process::id().to_string().into())
}

/// The same command, to end with this process. Only the child itself can ask for that,
/// so it is first another one of ours.
///
/// # Errors
/// The path of this program is unknown.
pub(crate) fn kept(command: &Command) -> Result<Command> {
    // On Linux even a program that was replaced since is reached.
    let exe = match cfg!(target_os = "linux") {
        true => PathBuf::from("/proc/self/exe"),
        false => std::env::current_exe().context("cannot tell the path of this program")?,
    };
    let mut kept = Command::new(exe);
    kept.arg(SUBCOMMAND).arg(command.get_program());
    kept.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => kept.env(name, value),
            None => kept.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        kept.current_dir(folder);
    }
    let (name, value) = variable();
    kept.env(name, value);
    Ok(kept)
}

/// Becomes the program in `args`, with its arguments, to end with the parent.
///
/// # Errors
/// It cannot be started.
pub(crate) fn start(args: &[OsString]) -> Result<i32> {
    let (program, args) = args.split_first().context("no program")?;
    ends_with_us()?;
    let mut command = Command::new(program);
    command.args(args);
    process::replace(command)
}

/// Has this process, the runner or cargo, end with its parent where `cargo wasmedge` is
/// above it.
///
/// # Errors
/// That has ended already: then nothing should be started.
pub(super) fn ends_with_us() -> Result<()> {
    if end_with_parent() {
        return Ok(());
    }
    Err(anyhow::anyhow!("the `cargo wasmedge` above has ended").into())
}

/// Gives `false` where the parent has ended already.
///
/// The kernel looks at the parent's *thread*. cargo starts programs from its main
/// thread, nextest from threads that live as long as it does.
#[cfg(target_os = "linux")]
fn end_with_parent() -> bool {
    use rustix::process::{
        Pid, Signal, getpid, getppid, set_parent_process_death_signal, test_kill_process,
    };

    let keeper = std::env::var(VARIABLE).ok();
    let keeper = keeper.and_then(|id| Pid::from_raw(id.parse().ok()?));
    let Some(keeper) = keeper else { return true };
    // `cargo wasmedge run` becomes cargo, and that becomes the runner: the user's own
    // shell is the parent.
    if keeper == getpid() {
        return true;
    }
    let parent = getppid();
    // An error means that the kernel knows no such thing: no reason not to run.
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
    // One that ended before is noticed by this.
    getppid() == parent && test_kill_process(keeper).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent() -> bool {
    true
}
