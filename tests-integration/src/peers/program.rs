//! The programs of servers, and those that prepare them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::guard::Guard;
use crate::limits::LIMIT;

/// A program on `PATH`, or where Debian puts servers.
pub(super) fn find(program: &str) -> Result<PathBuf> {
    if let Ok(found) = which::which(program) {
        return Ok(found);
    }
    let mut folders: Vec<PathBuf> = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from).into();
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let mut found = folders.into_iter().map(|folder| folder.join(program));
    found
        .find(|path| path.is_file())
        .with_context(|| format!("{program} is not installed"))
}

/// Runs a program that prepares something, which must succeed.
pub(super) fn run(command: Command) -> Result<()> {
    Guard::run(command, 3 * LIMIT)?.successful()?;
    Ok(())
}
