//! What has the release's number in it agrees: packages that are part of it, and what is
//! written for people.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::{MetadataCommand, Package};
use semver::Version;

/// The package that is published.
pub const PACKAGE: &str = "cargo-wasmedge";

/// Packages that are no part of a release have this number.
const NEVER_RELEASED: Version = Version::new(0, 0, 0);

/// The number of the release that the checkout is, once everything agrees on it.
///
/// # Errors
/// Each thing that has another number.
pub fn agreed(root: &Path, documents: &[String]) -> Result<Version> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo cannot read the workspace")?;
    let package = metadata.packages.iter().find(|each| each.name == PACKAGE);
    let version = &package
        .with_context(|| format!("no package {PACKAGE}"))?
        .version;
    let mut other = Vec::new();
    for package in metadata.packages.iter().filter(|each| is_part(each)) {
        if package.version != *version {
            other.push(format!("{} is {}", package.manifest_path, package.version));
        }
    }
    for document in documents {
        let path = root.join(document);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {document}"))?;
        for (line, found) in named(&text) {
            if found != version.to_string() {
                other.push(format!("{document}:{line} names {found}"));
            }
        }
    }
    ensure!(
        other.is_empty(),
        "{PACKAGE} is {version}, and these differ:\n  {}",
        other.join("\n  ")
    );
    Ok(version.clone())
}

/// Whether a package is released with the command. One that stands in for a published
/// crate has that one's number.
fn is_part(package: &Package) -> bool {
    let support = &package.metadata["port-support"];
    package.version != NEVER_RELEASED && support["stands-in"] != true
}

/// Numbers of releases that a text names: `cargo-wasmedge-0.1.0`, `cargo-wasmedge@0.1.0`,
/// each with its line.
pub fn named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for rest in line.split(PACKAGE).skip(1) {
            let Some(rest) = rest.strip_prefix(['-', '@']) else {
                continue;
            };
            let number: String = rest
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            let number = number.trim_end_matches('.');
            if number.parse::<Version>().is_ok() {
                found.push((at + 1, number.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_behind_the_name_are_seen() {
        let text = "get cargo-wasmedge-0.1.0-x86_64.tar.gz\n\
                    cargo-wasmedge-VERSION and cargo-wasmedge in 2026\n\
                    cargo install cargo-wasmedge@1.20.3.\n";
        let expected = [(1, "0.1.0".to_owned()), (3, "1.20.3".to_owned())];
        assert_eq!(named(text), expected);
    }

    /// A workspace of two packages, and one that is never released.
    fn workspace(plugin: &str, stand_in: bool) -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = temp.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "Cargo.toml",
            "[workspace]\nresolver = '3'\nmembers = ['cargo-wasmedge', 'plugin', 'chores']\n",
        );
        let metadata = match stand_in {
            true => "[package.metadata.port-support]\nstands-in = true\n",
            false => "",
        };
        for (name, version) in [(PACKAGE, "0.2.0"), ("plugin", plugin), ("chores", "0.0.0")] {
            let text = format!("[package]\nname = '{name}'\nversion = '{version}'\n{metadata}");
            write(&format!("{name}/Cargo.toml"), &text);
            write(&format!("{name}/src/lib.rs"), "");
        }
        temp
    }

    #[test]
    fn a_package_of_another_number_is_named() {
        let same = workspace("0.2.0", false);
        assert_eq!(agreed(same.path(), &[]).unwrap(), Version::new(0, 2, 0));
        let other = workspace("0.1.0", false);
        let error = agreed(other.path(), &[]).unwrap_err().to_string();
        assert!(error.contains("plugin/Cargo.toml is 0.1.0"), "{error}");
        assert!(!error.contains("chores"), "{error}");
        // The number of a stand-in is the published crate's.
        assert!(agreed(workspace("0.5.5", true).path(), &[]).is_ok());
    }

    #[test]
    fn a_document_of_another_number_is_named() {
        let temp = workspace("0.2.0", false);
        fs::write(temp.path().join("a.md"), "\ncargo-wasmedge-0.1.0\n").unwrap();
        let error = agreed(temp.path(), &["a.md".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("a.md:2 names 0.1.0"), "{error}");
    }
}
