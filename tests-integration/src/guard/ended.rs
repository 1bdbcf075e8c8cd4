//! How a program ended.

use std::fmt;
use std::process::ExitStatus;

use anyhow::{Result, ensure};

/// How a program ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl Ended {
    /// The exit code; `None` when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Itself, when the program ended with code 0.
    ///
    /// # Errors
    /// When it did not; the message has what it printed.
    pub fn successful(self) -> Result<Ended> {
        ensure!(self.status.success(), "{self}");
        Ok(self)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ended with {}\n--- stdout\n{}\n--- stderr\n{}",
            self.status, self.stdout, self.stderr
        )
    }
}
