//! Finding the folders that hold a file of a given name: ports and support crates
//! are wherever their file is, and no list names them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The folders below `root` that hold a regular file `name`, sorted.
///
/// Hidden folders and what builds leave behind (`target`) are not looked into.
/// Links are not followed: what they point to is found where it is.
pub(super) fn folders_with(root: &Path, name: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = BTreeSet::new();
    let entries = walkdir::WalkDir::new(root)
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || !(name.starts_with('.') || name == "target")
        });
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", root.display()))?;
        if entry.file_type().is_file()
            && entry.file_name() == name
            && let Some(folder) = entry.path().parent()
        {
            folders.insert(folder.to_path_buf());
        }
    }
    Ok(folders.into_iter().collect())
}

/// The same among files in memory, by their paths with `/`.
pub(super) fn folders_among<'a>(
    paths: impl IntoIterator<Item = &'a str>,
    name: &str,
) -> BTreeSet<String> {
    paths
        .into_iter()
        .filter_map(|path| path.rsplit_once('/'))
        .filter(|(_, file)| *file == name)
        .map(|(folder, _)| folder.to_string())
        .collect()
}

/// The path of a file inside `folder`.
pub(super) fn inside<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    path.strip_prefix(folder)?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_found_wherever_they_are() {
        let temp = tempfile::tempdir().unwrap();
        for path in [
            "a/port.toml",
            "b/c/port.toml",
            "b/port.toml.bak",
            "target/d/port.toml",
            "b/target/port.toml",
            ".git/port.toml",
        ] {
            let file = temp.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        #[cfg(unix)]
        {
            let bundle = temp.path().join("bundle");
            std::fs::create_dir(&bundle).unwrap();
            std::os::unix::fs::symlink("../a/port.toml", bundle.join("port.toml")).unwrap();
            std::os::unix::fs::symlink("../b", bundle.join("b")).unwrap();
        }
        let found = folders_with(temp.path(), "port.toml").unwrap();
        let wanted = ["a", "b/c"].map(|path| temp.path().join(path));
        assert_eq!(found, wanted);
        assert!(folders_with(&temp.path().join("none"), "port.toml").is_err());
    }

    #[test]
    fn folders_of_files_in_memory() {
        let paths = [
            "x/port.toml",
            "x/overlay/a.rs",
            "y/z/port.toml",
            "port.toml",
            "w/a",
        ];
        let found = folders_among(paths, "port.toml");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["x", "y/z"]);
        assert_eq!(inside("x/overlay/a.rs", "x"), Some("overlay/a.rs"));
        assert_eq!(inside("xy/a.rs", "x"), None);
    }
}
