//! Copies of lockfiles, and locks.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::fs::{read_optional, remove_if_there, write_atomically};
use crate::shell::{Shell, quoted};

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

/// Locks a file. While another process has it, says which one is waited for, and for
/// `what`; `holder` is the file in which each leaves its name.
pub(super) fn exclusive(file: File, holder: &Path, what: &str, shell: &Shell) -> Result<File> {
    let failed = || format!("cannot lock {what}");
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let by = std::fs::read_to_string(holder).unwrap_or_default();
            let by = match by.trim() {
                "" => "another `cargo wasmedge`",
                by => by,
            };
            shell.status(
                "Blocking",
                format_args!("waiting for {by}, which has {what}"),
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
    // In place: the locked file may be this one. Without it, others only know less.
    let _ = std::fs::create_dir_all(holder.parent().unwrap_or(holder));
    let _ = std::fs::write(holder, own_name());
    Ok(file)
}

/// This process, for others: `process 17 (cargo wasmedge build)`.
fn own_name() -> String {
    let args = std::env::args_os().skip(1);
    let args: Vec<String> = args.map(|arg| quoted(&arg.to_string_lossy())).collect();
    let first = match args.first().map(String::as_str) {
        Some("wasmedge") => "cargo",
        _ => "cargo wasmedge",
    };
    format!(
        "process {} ({first} {})\n",
        std::process::id(),
        args.join(" ")
    )
}
