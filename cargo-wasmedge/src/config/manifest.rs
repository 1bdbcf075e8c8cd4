//! Which manifests hold the settings of a package.

use std::path::{Path, PathBuf};

/// The manifests that hold settings for a package, the strongest first, each
/// with the table that its metadata is in.
pub fn manifests(package_dir: &Path) -> Vec<(PathBuf, &'static str)> {
    let own = package_dir.join("Cargo.toml");
    let Some(table) = read(&own) else {
        return Vec::new();
    };
    let mut found = vec![(own.clone(), "package")];
    if table.contains_key("workspace") {
        found.push((own, "workspace"));
    } else if let Some(root) = workspace_of(package_dir, &table) {
        found.push((root, "workspace"));
    }
    found
}

/// `package.workspace`, or the nearest folder above whose manifest has a `[workspace]`.
fn workspace_of(package_dir: &Path, manifest: &toml::Table) -> Option<PathBuf> {
    let named = manifest
        .get("package")
        .and_then(|package| package.get("workspace"));
    if let Some(named) = named.and_then(toml::Value::as_str) {
        return Some(package_dir.join(named).join("Cargo.toml"));
    }
    package_dir
        .ancestors()
        .skip(1)
        .map(|dir| dir.join("Cargo.toml"))
        .find(|file| read(file).is_some_and(|table| table.contains_key("workspace")))
}

fn read(manifest: &Path) -> Option<toml::Table> {
    std::fs::read_to_string(manifest).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_found_above_the_package() {
        let temp = tempfile::tempdir().unwrap();
        let member = temp.path().join("crates/member");
        std::fs::create_dir_all(&member).unwrap();
        std::fs::write(
            temp.path().join("Cargo.toml"),
            "[workspace]\nmembers = ['crates/*']\n",
        )
        .unwrap();
        std::fs::write(member.join("Cargo.toml"), "[package]\nname = 'member'\n").unwrap();
        assert_eq!(
            manifests(&member),
            [
                (member.join("Cargo.toml"), "package"),
                (temp.path().join("Cargo.toml"), "workspace"),
            ]
        );
    }
}
