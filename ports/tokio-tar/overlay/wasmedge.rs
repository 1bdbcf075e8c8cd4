//! Files as a host of wasip1 has them: with times, without owners, permissions or
//! canonical paths.

use std::fs::Metadata;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::header::HeaderMode;
use crate::{EntryType, Header};

/// What a header says of a file beside its name and size.
pub(crate) fn fill(header: &mut Header, meta: &Metadata, mode: HeaderMode) {
    let kind = match meta.file_type() {
        kind if kind.is_dir() => EntryType::Directory,
        kind if kind.is_symlink() => EntryType::Symlink,
        _ => EntryType::Regular,
    };
    let modified = meta.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    header.set_mtime(match mode {
        HeaderMode::Complete => since.map_or(0, |since| since.as_secs()),
        // As on other systems.
        _ => 0,
    });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mode(if meta.is_dir() { 0o755 } else { 0o644 });
    header.set_entry_type(kind);
}

/// Whether `path` is inside of `root` whatever links there are: it is, if it begins with
/// it and none of its further parts is a link or leads up. Gives `root`.
pub(crate) async fn inside(root: &Path, path: &Path) -> Result<PathBuf> {
    let refused = || {
        let why = format!("{} may lead out of {}", path.display(), root.display());
        Error::new(ErrorKind::Other, why)
    };
    let mut at = root.to_path_buf();
    for part in path.strip_prefix(root).map_err(|_| refused())?.components() {
        if !matches!(part, std::path::Component::Normal(_)) {
            return Err(refused());
        }
        at.push(part);
        if tokio::fs::symlink_metadata(&at).await?.file_type().is_symlink() {
            return Err(refused());
        }
    }
    Ok(root.to_path_buf())
}
