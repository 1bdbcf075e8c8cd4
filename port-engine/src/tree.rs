//! The files of a folder in memory, and their hash.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// File contents by relative path with `/`.
pub(super) type Tree = BTreeMap<String, Vec<u8>>;

/// All files below `dir` but those whose relative path `skip` names.
pub(super) fn read_tree(dir: &Path, skip: impl Fn(&str) -> bool) -> anyhow::Result<Tree> {
    let relative = |path: &Path| -> Option<String> {
        let parts = path.strip_prefix(dir).ok()?.components();
        let parts: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
        parts.map(|parts| parts.join("/"))
    };
    let mut tree = Tree::new();
    let entries = walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_entry(|entry| relative(entry.path()).is_none_or(|path| !skip(&path)));
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", dir.display()))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let path = relative(entry.path())
            .with_context(|| format!("a file name is not UTF-8: {}", entry.path().display()))?;
        let bytes = std::fs::read(entry.path())
            .with_context(|| format!("cannot read {}", entry.path().display()))?;
        tree.insert(path, bytes);
    }
    Ok(tree)
}

/// A running SHA-256 over named parts, each with its length, so that no two
/// different lists of parts hash alike.
pub(super) struct Hash(Sha256);

impl Hash {
    pub fn new() -> Hash {
        Hash(Sha256::new())
    }

    pub fn part(&mut self, name: &str, bytes: &[u8]) {
        for part in [name.as_bytes(), bytes] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    pub fn tree<'a>(&mut self, files: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>) {
        for (path, bytes) in files {
            self.part(path, bytes);
        }
    }

    pub fn hex(self) -> String {
        format!("{:x}", self.0.finalize())
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
