//! Puts the app's lockfile back if the run that replaced it is killed with a signal
//! that nothing can catch.
//!
//! A process of its own, which holds one end of a pipe. The run tells it through the
//! pipe which child it has. When the pipe ends, the run has ended; if the app's
//! lockfile is not back then, it was killed. So was what it ran: that cargo would go
//! on with a lockfile that is no longer there.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::Context as _;

use super::journal::Journal;
use crate::error::Result;
use crate::shell::Shell;

/// The hidden subcommand that is the guard.
pub const SUBCOMMAND: &str = "wasmedge-lockfile-guard";

/// The run's side.
#[derive(Debug)]
pub(super) struct Guard {
    process: Child,
    pipe: Option<ChildStdin>,
}

impl Guard {
    /// Starts the guard of a journal.
    pub(super) fn start(folder: &Path) -> Result<Guard> {
        let program = std::env::current_exe().context("cannot tell the path of this program")?;
        let mut command = Command::new(program);
        command.arg(SUBCOMMAND).arg(folder);
        // It keeps nobody's pipe open and nobody's folder busy.
        command.current_dir(folder).stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own: what ends the run does not end it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command
            .spawn()
            .context("cannot start the guard of the app's lockfile")?;
        let pipe = process.stdin.take();
        Ok(Guard { process, pipe })
    }

    /// The run has a child; 0: it has none.
    pub(super) fn tell(&mut self, child: u32) {
        if let Some(pipe) = &mut self.pipe {
            // A guard that is gone leaves it to the next start.
            let _ = writeln!(pipe, "{child}");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.pipe = None;
        let _ = self.process.wait();
    }
}

/// The guard's side: waits for the end of the run.
///
/// # Errors
/// I/O.
pub fn guard(folder: &Path) -> Result<i32> {
    let mut child = 0;
    for line in std::io::stdin().lock().lines() {
        child = line?.trim().parse().unwrap_or(0);
    }
    let Some(journal) = Journal::read(folder)? else {
        return Ok(0);
    };
    end(child);
    let _lock = journal.wait(folder)?;
    // Another run may have been quicker.
    if let Some(journal) = Journal::read(folder)? {
        journal.recover(folder, &Shell::new(true, false))?;
    }
    Ok(0)
}

/// Ends the child of a run that was killed.
#[cfg(unix)]
fn end(child: i32) {
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};

    let Some(child) = Pid::from_raw(child) else {
        return;
    };
    let mut signal = Signal::TERM;
    for _ in 0..2 {
        let _ = kill_process(child, signal);
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(5) {
            if !is_alive(child) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        signal = Signal::KILL;
    }
}

/// Whether it runs. In a container nobody may care for those that have ended.
#[cfg(unix)]
fn is_alive(process: rustix::process::Pid) -> bool {
    let stat = format!("/proc/{}/stat", process.as_raw_nonzero());
    let has_ended = std::fs::read_to_string(stat).is_ok_and(|stat| stat.contains(") Z "));
    !has_ended && rustix::process::test_kill_process(process).is_ok()
}

#[cfg(not(unix))]
fn end(_child: i32) {}
