//! Starting other programs, and what becomes of their exit codes.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::Context as _;

use crate::error::Result;
use crate::shell::Shell;

/// A program that we started failed and has already told the user why: its exit
/// code is ours.
#[derive(Debug, thiserror::Error)]
#[error("exited with code {0}")]
pub struct Failed(pub i32);

impl Failed {
    /// Whether this is why something failed.
    pub fn is_cause_of(error: &crate::error::Error) -> bool {
        Failed::code_in(error).is_some()
    }

    /// The exit code, where this is why something failed.
    pub fn code_in(error: &crate::error::Error) -> Option<i32> {
        match error {
            crate::error::Error::Other(error) => error.downcast_ref().map(|Failed(code)| *code),
            _ => None,
        }
    }
}

/// The exit code that stands for a status: 128+n for signal n, as in a shell.
pub fn exit_code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(1)
}

/// The standard output of a command that must succeed. What it writes to stderr
/// goes to the user.
///
/// # Errors
/// [`Failed`] when it does not succeed; otherwise when it cannot be started.
pub fn output(command: &mut Command, shell: &Shell) -> Result<Vec<u8>> {
    shell.command(command);
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(anyhow::Error::new(Failed(exit_code(output.status))).into())
    }
}

/// The standard output of a program that may fail, whose output is piped. `said` gets each
/// line that it writes to stderr.
///
/// # Errors
/// [`Failed`] when a signal ends it.
pub fn attempt(mut child: Child, said: &(dyn Fn(&str) + Sync)) -> Result<Vec<u8>> {
    let stderr = child.stderr.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            let lines = stderr
                .into_iter()
                .flat_map(|pipe| BufReader::new(pipe).lines());
            lines
                .map_while(std::io::Result::ok)
                .for_each(|line| said(&line));
        });
        child.wait_with_output()
    });
    let output = output.context("cannot wait for a program")?;
    match output.status.code() {
        Some(_) => Ok(output.stdout),
        None => Err(anyhow::Error::new(Failed(exit_code(output.status))).into()),
    }
}

/// Replaces this process by the command where that is possible, so that signals
/// reach it directly; elsewhere waits for it and gives its exit code.
///
/// # Errors
/// It cannot be started.
pub fn replace(mut command: Command) -> Result<i32> {
    let program = PathBuf::from(command.get_program());
    let failed = || format!("cannot start {}", program.display());
    #[cfg(unix)]
    {
        let error = std::os::unix::process::CommandExt::exec(&mut command);
        Err(anyhow::Error::new(error).context(failed()).into())
    }
    #[cfg(not(unix))]
    {
        let status = command.status().with_context(failed)?;
        Ok(exit_code(status))
    }
}
