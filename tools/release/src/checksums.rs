//! The file `SHA256SUMS`, which `sha256sum --check` reads.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// The file's name.
pub const FILE: &str = "SHA256SUMS";

/// Writes the checksums of all files that are directly in `folder`, sorted by name.
///
/// # Errors
/// A file cannot be read, or the list cannot be written.
pub fn write(folder: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && name != FILE {
            names.push(name);
        }
    }
    names.sort();
    let mut text = String::new();
    for name in names {
        let path = folder.join(&name);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        text += &format!("{:x}  {name}\n", Sha256::digest(&bytes));
    }
    let path = folder.join(FILE);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn sha256sum_agrees_and_sees_a_change() {
        let temp = tempfile::tempdir().unwrap();
        for name in ["b.tar.gz", "a.crate"] {
            fs::write(temp.path().join(name), name).unwrap();
        }
        fs::create_dir(temp.path().join("folder")).unwrap();
        write(temp.path()).unwrap();
        // Again: its own line is not in it.
        write(temp.path()).unwrap();
        let check = || {
            let mut sha256sum = Command::new("sha256sum");
            sha256sum.args(["--check", "--strict", FILE]);
            sha256sum.current_dir(temp.path()).output().unwrap()
        };
        let output = check();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        assert_eq!(said, "a.crate: OK\nb.tar.gz: OK\n");
        fs::write(temp.path().join("a.crate"), "other").unwrap();
        assert!(!check().status.success());
    }
}
