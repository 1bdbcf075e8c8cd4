//! Copies of packages.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Copies a package's folder without what was built in it and without its
/// lockfile. Files that are the same already keep their time, so that cargo
/// builds nothing anew; files that are gone are deleted.
///
/// # Errors
/// When something cannot be read or written.
pub fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let left_alone = |name: &OsStr| name == "target" || name == "Cargo.lock";
    for entry in to.read_dir()?.flatten() {
        let gone = !from.join(entry.file_name()).exists();
        if gone && !left_alone(&entry.file_name()) {
            match entry.file_type()?.is_dir() {
                true => std::fs::remove_dir_all(entry.path())?,
                false => std::fs::remove_file(entry.path())?,
            }
        }
    }
    for entry in from.read_dir()? {
        let entry = entry?;
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        if left_alone(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_sources(&source, &copy)?;
            continue;
        }
        let bytes = std::fs::read(&source)?;
        if !std::fs::read(&copy).is_ok_and(|old| old == bytes) {
            std::fs::write(&copy, bytes)
                .with_context(|| format!("cannot write {}", copy.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_copy_follows_its_source() {
        let temp = tempfile::tempdir().unwrap();
        let (from, to) = (temp.path().join("from"), temp.path().join("to"));
        fs::create_dir_all(from.join("src")).unwrap();
        fs::create_dir_all(from.join("target")).unwrap();
        for name in ["src/a.rs", "src/b.rs", "Cargo.lock", "target/x"] {
            fs::write(from.join(name), name).unwrap();
        }
        copy_sources(&from, &to).unwrap();
        assert!(!to.join("Cargo.lock").exists() && !to.join("target").exists());
        fs::write(to.join("Cargo.lock"), "its own").unwrap();
        let written = |name: &str| fs::metadata(to.join(name)).unwrap().modified().unwrap();
        let before = written("src/a.rs");

        fs::remove_file(from.join("src/b.rs")).unwrap();
        fs::write(from.join("src/c.rs"), "new").unwrap();
        copy_sources(&from, &to).unwrap();
        assert_eq!(written("src/a.rs"), before);
        assert!(!to.join("src/b.rs").exists());
        assert_eq!(fs::read_to_string(to.join("src/c.rs")).unwrap(), "new");
        assert_eq!(
            fs::read_to_string(to.join("Cargo.lock")).unwrap(),
            "its own"
        );
    }
}
