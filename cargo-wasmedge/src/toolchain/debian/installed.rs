//! The stamp on a finished installation: a folder without it was not finished.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::fs::write_atomically;

/// Its place in the folder.
const STAMP: &str = "installed.json";

/// What [`setup()`](crate::toolchain::setup()) installed into a folder of its own: the
/// content of `installed.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Installed {
    /// The version of rustc, clang or WasmEdge.
    pub version: Version,
    /// The suite of Debian that the packages are from.
    pub suite: String,
    /// The mirror that they are from, as in the machine's apt configuration.
    pub mirror: String,
    /// Seconds since 1970-01-01 00:00 UTC.
    pub installed_at: u64,
    /// The folder for which the wrapper scripts were written.
    pub folder: PathBuf,
    /// Package names and versions.
    pub packages: BTreeMap<String, String>,
}

impl Installed {
    /// Reads what is installed in `folder`.
    ///
    /// # Errors
    /// When the folder is not finished, not readable, or was moved after the
    /// wrapper scripts were written.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Installed> {
        let stamp = folder.join(STAMP);
        let text = fs::read_to_string(&stamp)
            .with_context(|| format!("{} is not a finished installation", folder.display()))?;
        let installed: Installed = serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be read", stamp.display()))?;
        // A cache folder that is reached through a link is where it was.
        let real = |path: &Path| path.canonicalize().ok();
        if installed.folder != folder && real(&installed.folder) != real(folder) {
            return Err(anyhow!(
                "{} was moved from {}",
                folder.display(),
                installed.folder.display()
            ));
        }
        Ok(installed)
    }

    pub(crate) fn write(&self, into: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        write_atomically(&into.join(STAMP), text.as_bytes())
    }
}

/// The finished installations in `parent`, newest version first.
pub(crate) fn installations(parent: &Path) -> Vec<(PathBuf, Installed)> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(PathBuf, Installed)> = entries
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            let installed = Installed::read(&folder).ok()?;
            Some((folder, installed))
        })
        .collect();
    found.sort_by(|a, b| (&b.1.version, &b.0).cmp(&(&a.1.version, &a.0)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(folder: &Path, version: &str) -> Installed {
        Installed {
            version: version.parse().unwrap(),
            suite: "testing".into(),
            mirror: "file:/mirror".into(),
            installed_at: 1,
            folder: folder.to_owned(),
            packages: BTreeMap::from([("tool".to_owned(), version.to_owned())]),
        }
    }

    #[test]
    fn installations_are_listed_newest_first_and_only_finished_ones() {
        let parent = tempfile::tempdir().unwrap();
        for version in ["0.9.0", "0.17.1", "0.14.1"] {
            let folder = parent.path().join(version);
            fs::create_dir(&folder).unwrap();
            installed(&folder, version).write(&folder).unwrap();
        }
        fs::create_dir_all(parent.path().join("0.18.0/bin")).unwrap();
        let moved = parent.path().join("moved");
        fs::create_dir(&moved).unwrap();
        installed(&parent.path().join("elsewhere"), "0.19.0")
            .write(&moved)
            .unwrap();
        assert!(
            Installed::read(&moved)
                .unwrap_err()
                .to_string()
                .contains("was moved")
        );
        let versions: Vec<String> = installations(parent.path())
            .into_iter()
            .map(|(_, installed)| installed.version.to_string())
            .collect();
        assert_eq!(versions, ["0.17.1", "0.14.1", "0.9.0"]);
    }
}
