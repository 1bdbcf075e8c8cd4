//! The ports, the support crates and the plugin's sources that the binary carries. With
//! them `cargo install` gives a command that needs nothing else of this repository.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::error::Result;
use crate::port::{Layout, Ports, Support};

/// Path in the package's folder `bundle` (with `/`) and content, sorted by path.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A path (with `/`) and the file's content.
pub type Source = (&'static str, Cow<'static, [u8]>);

/// All embedded files, sorted by path.
pub fn files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().copied()
}

/// The content of one embedded file.
pub fn file(path: &str) -> Option<&'static [u8]> {
    let at = FILES.binary_search_by_key(&path, |(path, _)| path).ok()?;
    Some(FILES[at].1)
}

/// The embedded ports.
///
/// # Errors
/// A malformed port; the tests exclude that for a release.
pub fn ports() -> Result<Ports> {
    Ok(Ports::from_files(
        files().map(|(path, bytes)| (path, Cow::Borrowed(bytes))),
    )?)
}

/// The embedded ports, with the std facade for the crates that the setting
/// `std-facade` lists. One with a `!` in front is kept off it.
///
/// # Errors
/// A name that no crate can have.
pub fn ports_with_std_facade(crates: &[String]) -> Result<Ports> {
    let setting = "std-facade";
    check_names(setting, crates)?;
    let on: Vec<String> = crates
        .iter()
        .filter(|name| !name.starts_with('!'))
        .cloned()
        .collect();
    Ok(ports()?.with_facade("std", &on, &format!("the setting `{setting}`"))?)
}

/// Checks the names in a setting that lists crates, each as `NAME` or `!NAME`.
///
/// # Errors
/// A name that no crate can have.
pub fn check_names(setting: &str, crates: &[String]) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    for name in crates {
        let krate = name.strip_prefix('!').unwrap_or(name);
        if krate.is_empty() || !krate.chars().all(plain) {
            let error = anyhow::anyhow!("the setting `{setting}` names no crate: `{krate}`");
            return Err(error.into());
        }
    }
    Ok(())
}

/// The embedded support crates.
///
/// # Errors
/// A manifest that cannot be rewritten; the tests exclude that for a release.
pub fn support() -> Result<Support> {
    Ok(Support::from_files(files())?)
}

/// Writes the embedded support crates into `out`, unless they are there already,
/// and returns the folder that holds them.
///
/// # Errors
/// I/O, and a folder of one of their names that is not ours.
pub fn unpack_support(out: &Path, layout: Layout) -> Result<PathBuf> {
    Ok(support()?.unpack(out, layout)?)
}

/// The sources of WasmEdge's plugin, by path (with `/`): a package that stands alone, and
/// needs libc only.
///
/// # Errors
/// A manifest that cannot be rewritten; the tests exclude that for a release.
pub fn plugin() -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for (path, bytes) in files() {
        let Some(path) = path.strip_prefix("plugin/") else {
            continue;
        };
        let content = match path {
            "Cargo.toml" => Cow::Owned(standing_alone(bytes)?.into_bytes()),
            _ => Cow::Borrowed(bytes),
        };
        sources.push((path, content));
    }
    Ok(sources)
}

/// The plugin's manifest without what only this repository has a use for.
fn standing_alone(manifest: &[u8]) -> anyhow::Result<String> {
    let text = std::str::from_utf8(manifest).context("plugin/Cargo.toml")?;
    let mut manifest: DocumentMut = text.parse().context("plugin/Cargo.toml")?;
    for table in ["dev-dependencies", "lints", "example"] {
        manifest.remove(table);
    }
    // Nor does it belong to a workspace around the cache folder.
    manifest.insert("workspace", Item::Table(Table::new()));
    manifest["profile"]["release"]["strip"] = value(true);
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::STAND_IN;

    #[test]
    fn files_are_sorted_and_found() {
        assert!(FILES.is_sorted_by_key(|(path, _)| *path));
        let license = file("LICENSE").expect("the licence is embedded");
        assert!(String::from_utf8_lossy(license).contains("MIT"));
        assert_eq!(file("no such file"), None);
    }

    #[test]
    fn only_what_apps_need_is_embedded() {
        let unwanted = |part: &str| {
            matches!(
                part,
                "target" | "Cargo.lock" | "suite.toml" | "expectations.toml" | "locks" | "tests"
            )
        };
        for (path, _) in files() {
            assert!(!path.split('/').any(unwanted), "{path}");
        }
    }

    #[test]
    fn embedded_ports_are_well_formed() {
        let ports = ports().expect("all ports parse");
        let count = ports.iter().count() + ports.by_evidence().count();
        let folders = files().filter(|(path, _)| path.ends_with("/port.toml"));
        assert_eq!(count, folders.count());
    }

    #[test]
    fn the_setting_std_facade_names_crates() {
        let names = ["postgres-thing".to_owned()];
        assert!(ports().unwrap().get("postgres-thing").is_none());
        let ports = ports_with_std_facade(&names).unwrap();
        assert!(ports.get("postgres-thing").is_some());
        for wrong in ["a b", "!a b", "!"] {
            let error = ports_with_std_facade(&[wrong.to_owned()]).unwrap_err();
            assert!(error.to_string().contains("`std-facade`"), "{error}");
        }
        let ports = ports_with_std_facade(&["!postgres-thing".to_owned()]).unwrap();
        assert!(ports.get("postgres-thing").is_none());
    }

    /// Two host layers in a program are a link error, and sockets of two kinds.
    #[test]
    fn who_brings_the_host_layer_brings_the_facade_of_std() {
        let support = support().unwrap();
        let (host, std) = ("wasmedge_host", support.facade("std").unwrap());
        for package in support.packages().filter(|package| *package != host) {
            let has_both = support.leads(package, host) == support.leads(package, std);
            assert!(has_both, "{package}");
        }
        for port in ports().unwrap().iter() {
            // Only which rules hold depends on the release.
            for requirement in port.requirements() {
                let first = requirement.comparators.first().unwrap();
                let part = |part: Option<u64>| part.unwrap_or_default();
                let version =
                    semver::Version::new(first.major, part(first.minor), part(first.patch));
                let host = port.brings(host, &version, &support);
                let std = port.brings(std, &version, &support);
                assert_eq!(host, std, "{} {version}", port.krate());
            }
        }
    }

    /// cargo would look for a workspace around the cache folder, and for crates that the
    /// user has not.
    #[test]
    fn the_plugin_stands_alone_and_needs_libc_only() {
        let sources = plugin().unwrap();
        let find = |path: &str| &sources.iter().find(|(found, _)| *found == path).unwrap().1;
        let manifest = std::str::from_utf8(find("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        assert!(
            !manifest["workspace"]
                .as_table()
                .unwrap()
                .contains_key("members")
        );
        let inherits = |table: &toml::Value| {
            let mut values = table.as_table().into_iter().flat_map(toml::Table::values);
            values.any(|value| value.get("workspace").is_some())
        };
        let inheriting = manifest.iter().filter(|(_, table)| inherits(table));
        assert_eq!(inheriting.map(|(key, _)| key).collect::<Vec<_>>(), [""; 0]);
        let needs = |key: &str| -> Vec<&String> {
            let table = manifest.get(key).and_then(toml::Value::as_table);
            table.into_iter().flat_map(toml::Table::keys).collect()
        };
        assert_eq!(needs("dependencies"), ["libc"]);
        for key in ["dev-dependencies", "build-dependencies", "target"] {
            assert_eq!(needs(key), [""; 0], "{key}");
        }
        assert!(!find("src/lib.rs").is_empty());
    }

    #[test]
    fn support_crates_are_complete() {
        let out = tempfile::tempdir().unwrap();
        let dir = unpack_support(out.path(), Layout::Vendor).unwrap();
        let support = support().unwrap();
        assert!(support.packages().count() >= 4);
        for package in support.packages() {
            assert!(dir.join(package).join("Cargo.toml").is_file(), "{package}");
            assert!(dir.join(package).join("src/lib.rs").is_file(), "{package}");
            assert!(dir.join(package).join("LICENSE").is_file(), "{package}");
        }
        let stand_ins: Vec<&str> = support.stand_ins().map(|(name, _)| name).collect();
        assert_eq!(stand_ins, [STAND_IN]);
    }
}
