//! Copies of lockfiles, and locks.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::fs::{read_optional, remove_if_there, write_atomically};
use crate::shell::Shell;

/// Hash of a file's content; `None` when there is no such file.
pub(super) fn hash_of(path: &Path) -> Result<Option<String>> {
    Ok(read_optional(path)?.map(|bytes| format!("{:x}", Sha256::digest(bytes))))
}

/// Makes `to` what `from` is: the same content, or absent.
pub(super) fn mirror(from: &Path, to: &Path) -> Result<()> {
    match read_optional(from)? {
        Some(bytes) => write_atomically(to, &bytes)?,
        None => remove_if_there(to)?,
    }
    Ok(())
}

/// The same for the app's lockfile, which keeps its permissions and its identity.
pub(super) fn mirror_in_place(from: &Path, to: &Path) -> Result<()> {
    match read_optional(from)? {
        Some(bytes) => {
            std::fs::write(to, bytes).with_context(|| format!("cannot write {}", to.display()))?
        }
        None => remove_if_there(to)?,
    }
    Ok(())
}

/// Locks a file, saying so when it has to wait.
pub(super) fn exclusive(file: File, what: &Path, shell: &Shell) -> Result<File> {
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
