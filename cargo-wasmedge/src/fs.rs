//! What the rest needs of the file system beside `std::fs`. Every error names
//! the file and what was to be done with it.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};

/// Writes a file so that others see the old or the new content, never a part.
/// Missing folders are made. A file that has the content already is left alone,
/// so that its time of last change tells when the content changed.
///
/// # Errors
/// I/O.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let failed = || format!("cannot write {}", path.display());
    let folder = folder_of(path);
    std::fs::create_dir_all(folder).with_context(failed)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As with any new file, the umask takes away what it takes away. tempfile's
        // 0600 would keep other users of a shared cache out.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.persist(path)
        .map_err(|error| error.error)
        .with_context(failed)?;
    Ok(())
}

/// Writes a script that can be started, as [`write_atomically`] does.
///
/// # Errors
/// I/O.
pub fn write_script(path: &Path, text: &str) -> Result<()> {
    write_atomically(path, text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path, mode)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The content of a file; `None` when there is no such file.
///
/// # Errors
/// I/O.
pub fn read_optional(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(anyhow::Error::new(error).context(format!("cannot read {}", path.display())))
        }
    }
}

/// Removes a file, if there is one.
///
/// # Errors
/// I/O.
pub fn remove_if_there(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(anyhow::Error::new(error).context(format!("cannot remove {}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Opens a file that is there only to be locked. Missing folders are made; a file
/// that another process has locked is not changed.
///
/// # Errors
/// I/O.
pub fn open_lock_file(path: &Path) -> Result<File> {
    let failed = || format!("cannot write {}", path.display());
    std::fs::create_dir_all(folder_of(path)).with_context(failed)?;
    let mut options = File::options();
    let file = options.create(true).truncate(false).write(true).open(path);
    file.with_context(failed)
}

/// The folder that a file is in: `.` for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_is_not_written_again() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("new/folder/file");
        write_atomically(&path, b"one").unwrap();
        let time = std::time::SystemTime::UNIX_EPOCH;
        let set = File::options().write(true).open(&path).unwrap();
        set.set_modified(time).unwrap();
        write_atomically(&path, b"one").unwrap();
        let modified = || std::fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(modified(), time);
        write_atomically(&path, b"two").unwrap();
        assert_ne!(modified(), time);
        assert_eq!(read_optional(&path).unwrap().as_deref(), Some(&b"two"[..]));
        let files = path.parent().unwrap().read_dir().unwrap();
        assert_eq!(files.count(), 1, "nothing else is left");
    }

    #[test]
    #[cfg(unix)]
    fn others_may_do_with_a_file_what_they_may_do_with_any() {
        use std::os::unix::fs::PermissionsExt as _;
        let temp = tempfile::tempdir().unwrap();
        let (ours, any) = (temp.path().join("ours"), temp.path().join("any"));
        write_atomically(&ours, b"").unwrap();
        std::fs::write(&any, b"").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&any));
    }

    #[test]
    fn an_absent_file_is_no_error_and_a_folder_is_one() {
        let temp = tempfile::tempdir().unwrap();
        let absent = temp.path().join("absent");
        assert_eq!(read_optional(&absent).unwrap(), None);
        remove_if_there(&absent).unwrap();
        for error in [
            read_optional(temp.path()).unwrap_err(),
            remove_if_there(temp.path()).unwrap_err(),
        ] {
            let name = temp.path().display().to_string();
            assert!(error.to_string().contains(&name), "{error}");
        }
    }

    #[test]
    fn a_lock_file_keeps_its_content() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("folder/.lock");
        write_atomically(&path, b"held by").unwrap();
        let first = open_lock_file(&path).unwrap();
        first.lock().unwrap();
        let second = open_lock_file(&path).unwrap();
        assert!(second.try_lock().is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"held by");
    }
}
