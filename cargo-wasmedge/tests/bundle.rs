//! What the package carries: all of what the repository has, and nothing is left
//! out in silence.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_wasmedge::embedded;
use cargo_wasmedge::port::{Layout, Port, Ports, Support};

#[path = "../build/bundle.rs"]
mod bundle;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files that each port reads, by crate, or the name of what speaks for one, and path.
fn inputs(ports: &Ports) -> BTreeMap<(String, &str), &[u8]> {
    let name = |port: &'_ Port| port.evidence().map(|evidence| evidence.name.clone());
    ports
        .iter()
        .chain(ports.by_evidence())
        .flat_map(|port| {
            let name = name(port).unwrap_or_else(|| port.krate().to_owned());
            port.inputs()
                .map(move |(path, bytes)| ((name.clone(), path), bytes))
        })
        .collect()
}

#[test]
fn every_port_of_the_repository_is_in_the_bundle() {
    let (here, carried) = (
        Ports::from_dir(&repository()).unwrap(),
        embedded::ports().unwrap(),
    );
    let (here, carried) = (inputs(&here), inputs(&carried));
    for known in ["tokio", "browser-gates"] {
        assert!(here.contains_key(&(known.to_owned(), "port.toml")));
    }
    for name in here.keys() {
        assert!(
            carried.contains_key(name),
            "{name:?} has no link in cargo-wasmedge/bundle/ports"
        );
    }
    assert!(here == carried, "the bundle has more, or other content");
}

#[test]
fn every_support_crate_of_the_repository_is_in_the_bundle() {
    let (here, carried) = (
        Support::from_dir(&repository()).unwrap(),
        embedded::support().unwrap(),
    );
    for package in here.packages() {
        assert!(
            carried.packages().any(|name| name == package),
            "`{package}` has no links in cargo-wasmedge/bundle/support"
        );
    }
    assert_eq!(here.hash(), carried.hash(), "the bundle has other files");
}

#[test]
fn the_plugin_is_in_the_bundle_as_it_is_here() {
    let folder = repository().join("plugin");
    let carried = embedded::plugin().unwrap();
    let mut files = walkdir::WalkDir::new(folder.join("src"))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .collect::<Vec<_>>();
    files.sort();
    assert!(files.len() > 5, "{files:?}");
    for file in &files {
        let path = file.strip_prefix(&folder).unwrap().to_str().unwrap();
        let (_, content) = carried.iter().find(|(name, _)| *name == path).unwrap();
        assert_eq!(**content, fs::read(file).unwrap(), "{path}");
    }
    // And the manifest.
    assert_eq!(carried.len(), files.len() + 1);
}

/// It is stated twice, since the plugin is built outside of the workspace, too.
#[test]
fn the_plugin_needs_the_rust_that_the_workspace_needs() {
    let manifest = |path: &str| -> toml::Table {
        let text = fs::read_to_string(repository().join(path)).unwrap();
        text.parse().unwrap()
    };
    let (plugin, all) = (manifest("plugin/Cargo.toml"), manifest("Cargo.toml"));
    let needed = &all["workspace"]["package"]["rust-version"];
    assert_eq!(&plugin["package"]["rust-version"], needed);
}

#[test]
fn support_crates_resolve_as_packages() {
    let out = tempfile::tempdir().unwrap();
    let dir = embedded::unpack_support(out.path(), Layout::Vendor).unwrap();
    for package in embedded::support().unwrap().packages() {
        let out = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
            // What they depend on may have to be fetched.
            .args(["metadata", "--format-version=1", "--manifest-path"])
            .arg(dir.join(package).join("Cargo.toml"))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{package}: {errors}");
    }
}

/// A complete bundle of one port and one support crate.
fn small() -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    for file in [
        "LICENSE",
        "ports/a/port.toml",
        "ports/a/overlay/deep/x.rs",
        "support/b/manifest.toml",
        "support/b/src/lib.rs",
        "plugin/manifest.toml",
        "plugin/src/lib.rs",
        "image/init.rs",
    ] {
        let path = temp.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    temp
}

#[test]
fn a_manifest_gets_its_name_back() {
    let small = small();
    let files = bundle::read(small.path()).unwrap();
    let names: Vec<&String> = files.keys().collect();
    assert_eq!(
        names,
        [
            "LICENSE",
            "image/init.rs",
            "plugin/Cargo.toml",
            "plugin/src/lib.rs",
            "ports/a/overlay/deep/x.rs",
            "ports/a/port.toml",
            "support/b/Cargo.toml",
            "support/b/src/lib.rs"
        ]
    );
}

#[test]
fn whatever_is_missing_is_named() {
    for gone in [
        "LICENSE",
        "ports",
        "ports/a/port.toml",
        "support",
        "support/b/manifest.toml",
        "support/b/src/lib.rs",
        "plugin/manifest.toml",
        "plugin/src/lib.rs",
    ] {
        let small = small();
        let path = small.path().join(gone);
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        removed.unwrap();
        let error = bundle::read(small.path()).unwrap_err();
        assert!(error.contains(path.to_str().unwrap()), "{gone}: {error}");
    }
    let error = bundle::read(Path::new("no such bundle")).unwrap_err();
    assert!(error.contains("no such bundle"), "{error}");
}

#[test]
fn a_folder_without_files_is_named() {
    for empty in ["ports/a/overlay/none", "ports/none", "support/none"] {
        let small = small();
        fs::create_dir_all(small.path().join(empty)).unwrap();
        let error = bundle::read(small.path()).unwrap_err();
        assert!(error.contains(empty), "{error}");
    }
    let small = small();
    fs::write(small.path().join("ports/stray"), "").unwrap();
    let error = bundle::read(small.path()).unwrap_err();
    assert!(error.contains("ports/stray is no folder"), "{error}");
}

#[test]
#[cfg(unix)]
fn a_link_to_nothing_is_named_with_its_target() {
    let small = small();
    let link = small.path().join("ports/a/more.rs");
    std::os::unix::fs::symlink("../../gone.rs", link).unwrap();
    let error = bundle::read(small.path()).unwrap_err();
    assert!(error.contains("ports/a/more.rs"), "{error}");
    assert!(error.contains("a link to ../../gone.rs"), "{error}");
}

#[test]
fn a_link_that_git_wrote_as_text_is_told() {
    let small = small();
    let text = "../../../../tokio/port.toml";
    fs::write(small.path().join("ports/a/port.toml"), text).unwrap();
    let error = bundle::read(small.path()).unwrap_err();
    assert!(error.contains("core.symlinks"), "{error}");
}
