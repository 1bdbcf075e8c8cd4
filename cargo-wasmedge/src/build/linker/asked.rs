//! Which crate asks for a C library that is nowhere, and which feature of it compiles the
//! library: as its build script left it in cargo's target folder.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::explain::without_hash;
use crate::toolchain::rust::TARGET;

/// What such features are called, the most telling first.
const FEATURES: [&str; 3] = ["bundled", "vendored", "static"];

/// A crate that asks for a library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asker {
    pub krate: String,
    /// Its version, and a feature of it that compiles the library.
    pub feature: Option<(String, &'static str)>,
}

/// The crates whose build scripts ask for `library`, where the linker was started with
/// `args` to write into cargo's target folder.
pub(super) fn askers(args: &[OsString], library: &str) -> BTreeSet<Asker> {
    let Some(profile) = profile(args) else {
        return BTreeSet::new();
    };
    let crates = outputs(&profile).filter_map(|(krate, output)| {
        let mut lines = output.lines();
        lines.any(|line| asks(line, library)).then_some(krate)
    });
    let crates: BTreeSet<String> = crates.collect();
    crates
        .into_iter()
        .map(|krate| Asker {
            feature: feature(&profile, &krate),
            krate,
        })
        .collect()
}

/// The program that is to be written.
pub(super) fn written(args: &[OsString]) -> Option<PathBuf> {
    // Many arguments are in a file, a line each.
    let in_files = args.iter().filter_map(|arg| {
        let file = arg.to_str()?.strip_prefix('@')?;
        fs::read_to_string(file).ok()
    });
    let in_files: Vec<String> = in_files.collect();
    let in_files = in_files.iter().flat_map(|text| text.lines());
    let given = args.iter().filter_map(|arg| arg.to_str());
    let mut words = in_files.chain(given).skip_while(|arg| *arg != "-o");
    words.nth(1).map(PathBuf::from)
}

/// `TARGET_DIR/wasm32-wasip1/PROFILE`, from the program that is to be written.
fn profile(args: &[OsString]) -> Option<PathBuf> {
    let written = written(args)?;
    let mut folders = written.ancestors().skip(1);
    let profile = folders.find(|folder| folder.join("build").is_dir())?;
    Some(profile.to_owned())
}

/// Each build script's crate, and what it said.
fn outputs(profile: &Path) -> impl Iterator<Item = (String, String)> {
    let entries = profile.join("build").read_dir();
    entries.into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name();
        let krate = without_hash(name.to_str()?)?.to_owned();
        Some((krate, fs::read_to_string(entry.path().join("output")).ok()?))
    })
}

/// Whether the line asks for it: `cargo:rustc-link-lib=static:+whole-archive=NAME`.
fn asks(line: &str, library: &str) -> bool {
    let line = line.strip_prefix("cargo:").unwrap_or(line);
    let line = line.strip_prefix(':').unwrap_or(line);
    let Some(what) = line.strip_prefix("rustc-link-lib=") else {
        return false;
    };
    let name = what.rsplit_once('=').map_or(what, |(_, name)| name);
    // A library may have another name in Rust's words.
    name.split(':').any(|name| name == library)
}

/// The crate's version and feature, from its manifest: what cargo wrote of the build
/// script's sources says where that is.
fn feature(profile: &Path, krate: &str) -> Option<(String, &'static str)> {
    let target_dir = profile.ancestors().find_map(|folder| {
        (folder.file_name()? == TARGET)
            .then(|| folder.parent())
            .flatten()
    })?;
    let host = target_dir.join(profile.file_name()?).join("build");
    let entries = host.read_dir().ok()?.flatten();
    let folders = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_str().and_then(without_hash) == Some(krate)
    });
    let mut manifests = folders.filter_map(|folder| manifest(&folder.path()));
    manifests.find_map(|manifest| {
        let version = manifest.get("package")?.get("version")?.as_str()?;
        let features = manifest.get("features")?.as_table()?;
        let has = |name: &&&str| features.contains_key(**name);
        let feature = FEATURES.iter().find(has)?;
        Some((version.to_owned(), *feature))
    })
}

/// The manifest above the sources that a `.d` file in `folder` names.
fn manifest(folder: &Path) -> Option<toml::Table> {
    let mut files = folder.read_dir().ok()?.flatten();
    let listed = files.find(|file| file.path().extension().is_some_and(|end| end == "d"))?;
    let text = fs::read_to_string(listed.path()).ok()?;
    let (_, sources) = text.lines().next()?.split_once(": ")?;
    // Spaces in paths are `\ `.
    let first = sources.replace("\\ ", "\0");
    let first = first.split(' ').next()?.replace('\0', " ");
    let manifest = Path::new(&first)
        .ancestors()
        .skip(1)
        .find_map(|folder| fs::read_to_string(folder.join("Cargo.toml")).ok())?;
    manifest.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_asking_are_read() {
        for line in [
            "cargo:rustc-link-lib=pond",
            "cargo::rustc-link-lib=pond",
            "cargo:rustc-link-lib=static=pond",
            "cargo:rustc-link-lib=static:+whole-archive,-bundle=pond",
            "cargo:rustc-link-lib=dylib=pond:lake",
        ] {
            assert!(asks(line, "pond"), "{line}");
            assert!(!asks(line, "pon"), "{line}");
        }
        assert!(!asks("cargo:rustc-link-search=pond", "pond"));
        assert!(!asks("rerun-if-changed=pond", "pond"));
    }

    #[test]
    fn the_crate_and_its_feature_are_found_in_the_target_folder() {
        let temp = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = temp.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let target = "the target/wasm32-wasip1/debug";
        for (krate, said) in [("pond-sys", "static=pond"), ("other", "lake")] {
            write(
                &format!("{target}/build/{krate}-0123456789abcdef/output"),
                &format!("cargo:rustc-link-lib={said}\n"),
            );
        }
        let manifest = "[package]\nname = 'pond-sys'\nversion = '0.3.1'\n[features]\nvendored = []";
        write("the src/pond-sys-0.3.1/Cargo.toml", manifest);
        let build = temp.path().join("the src/pond-sys-0.3.1/build/main.rs");
        let build = build.to_str().unwrap().replace(' ', "\\ ");
        write(
            "the target/debug/build/pond-sys-fedcba9876543210/build_script_main.d",
            &format!("/x/build_script_main: {build} {build}2\n\n{build}:\n"),
        );
        let program = temp.path().join(target).join("deps/app.wasm");
        let args: Vec<OsString> = vec!["-flavor".into(), "-o".into(), program.into()];
        let pond = Asker {
            krate: "pond-sys".into(),
            feature: Some(("0.3.1".into(), "vendored")),
        };
        assert_eq!(askers(&args, "pond"), [pond].into());
        let lake = Asker {
            krate: "other".into(),
            feature: None,
        };
        assert_eq!(askers(&args, "lake"), [lake].into());
        assert_eq!(askers(&args[..1], "pond"), [].into());
        let file = temp.path().join("args");
        fs::write(&file, format!("-flavor\n-o\n{}\n", args[2].display())).unwrap();
        let in_file = [OsString::from(format!("@{}", file.display()))];
        assert_eq!(askers(&in_file, "pond").len(), 1);
    }
}
