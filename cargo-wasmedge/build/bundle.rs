//! What the package takes from the repository: the folder `bundle`.
//!
//! In a checkout it holds links, in the package's archive what they point to. So
//! the build reads nothing outside of the package, and whatever is missing is an
//! error here, not a port that an app finds missing later.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How a manifest is called in the bundle: cargo leaves a folder with a
/// `Cargo.toml` out of an archive, for a package of its own.
const MANIFEST: &str = "manifest.toml";

/// The folders of the bundle, with the files that each folder inside must have.
const SECTIONS: [(&str, &[&str]); 2] = [
    ("ports", &["port.toml"]),
    ("support", &[MANIFEST, "src/lib.rs"]),
];

/// A section that is one package, with the files that it must have.
const PLUGIN: (&str, &[&str]) = ("plugin", &[MANIFEST, "src/lib.rs"]);

/// What goes into container images.
const IMAGE: (&str, &[&str]) = ("image", &["init.rs"]);

/// The files of the bundle by the path that they are embedded with.
///
/// # Errors
/// What is missing or does not belong there, by its path.
pub fn read(bundle: &Path) -> Result<BTreeMap<String, PathBuf>, String> {
    let mut files = BTreeMap::new();
    let license = bundle.join("LICENSE");
    check_file(&license)?;
    files.insert("LICENSE".to_owned(), license);
    for (section, needed) in SECTIONS {
        for (name, folder) in entries(&bundle.join(section))? {
            if !folder.is_dir() {
                return Err(format!("{} is no folder", folder.display()));
            }
            package(&folder, &format!("{section}/{name}"), needed, &mut files)?;
        }
    }
    for (section, needed) in [PLUGIN, IMAGE] {
        package(&bundle.join(section), section, needed, &mut files)?;
    }
    Ok(files)
}

/// The files of a folder that must have those that are `needed`.
fn package(
    folder: &Path,
    prefix: &str,
    needed: &[&str],
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), String> {
    for file in needed {
        check_file(&folder.join(file))?;
    }
    collect(folder, prefix, files)
}

/// The files below `folder`, through links.
fn collect(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), String> {
    for (name, path) in entries(folder)? {
        let kind = fs::metadata(&path).map_err(|error| missing(&path, &error))?;
        if kind.is_dir() {
            collect(&path, &format!("{prefix}/{name}"), files)?;
            continue;
        }
        check_file(&path)?;
        let name = match name.as_str() {
            MANIFEST => "Cargo.toml",
            name => name,
        };
        files.insert(format!("{prefix}/{name}"), path);
    }
    Ok(())
}

/// The visible entries of a folder; there must be some.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let listed = fs::read_dir(folder).map_err(|error| missing(folder, &error))?;
    let mut found = Vec::new();
    for entry in listed {
        let path = entry.map_err(|error| missing(folder, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| format!("{} is not UTF-8", path.display()))?;
        if !name.starts_with('.') {
            found.push((name.to_owned(), path));
        }
    }
    if found.is_empty() {
        return Err(format!("{} is empty", folder.display()));
    }
    found.sort();
    Ok(found)
}

/// Fails on a file that is not there, and on a link that git wrote as text.
fn check_file(path: &Path) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|error| missing(path, &error))?;
    if bytes.starts_with(b"../") && !bytes.contains(&b'\n') {
        return Err(format!(
            "{} was checked out as text and is a link\n  \
             help: `git config core.symlinks true`, then check out again",
            path.display()
        ));
    }
    Ok(())
}

fn missing(path: &Path, error: &std::io::Error) -> String {
    let target = fs::read_link(path).map(|to| format!(" (a link to {})", to.display()));
    format!("{}{}: {error}", path.display(), target.unwrap_or_default())
}
