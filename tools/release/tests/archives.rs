//! Whoever fetches an archive finds it, and only takes the one that was released.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use tools_release::archive::{Entries, Entry, tar_gz};
use tools_release::checksums;
use tools_release::epoch::Epoch;
use tools_release::versions::PACKAGE;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The target that the script takes on this machine.
fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// A folder with releases: one, whose program is a script.
fn releases() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("v0.2.0");
    fs::create_dir(&folder).unwrap();
    let entries = Entries::from([
        ("README.md".to_owned(), Entry::file("# Read\n")),
        (
            PACKAGE.to_owned(),
            Entry::program("#!/bin/sh\necho from the archive\n"),
        ),
    ]);
    let name = format!("{PACKAGE}-0.2.0-{}", target());
    let archive = folder.join(format!("{name}.tar.gz"));
    fs::write(
        &archive,
        tar_gz(&name, &entries, Epoch(1_700_000_000)).unwrap(),
    )
    .unwrap();
    fs::write(folder.join(format!("{PACKAGE}-0.2.0.crate")), "other").unwrap();
    checksums::write(&folder).unwrap();
    (temp, archive)
}

/// `ci/get-release.sh VERSION FOLDER`, with releases in a folder of this machine.
fn get(releases: &Path, version: &str, folder: &Path) -> Output {
    let mut script = Command::new(root().join("ci/get-release.sh"));
    script.arg(version).arg(folder).env(
        "CARGO_WASMEDGE_RELEASES",
        format!("file://{}", releases.display()),
    );
    script.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_script_installs_what_was_released() {
    let (releases, _) = releases();
    let bin = releases.path().join("a new/bin");
    let output = get(releases.path(), "0.2.0", &bin);
    assert!(output.status.success(), "{}", said(&output));
    let output = Command::new(bin.join(PACKAGE)).output().unwrap();
    assert_eq!(output.stdout, b"from the archive\n");
    let installed: Vec<_> = fs::read_dir(&bin).unwrap().collect();
    assert_eq!(installed.len(), 1);
}

#[test]
fn the_script_refuses_an_archive_that_was_changed() {
    let (releases, archive) = releases();
    let bin = releases.path().join("bin");
    let mut bytes = fs::read(&archive).unwrap();
    // In the operating system's byte, so that it still unpacks.
    bytes[9] ^= 1;
    fs::write(&archive, bytes).unwrap();
    let output = get(releases.path(), "0.2.0", &bin);
    assert!(!output.status.success());
    assert!(said(&output).contains("checksum"), "{}", said(&output));
    assert!(!bin.exists());

    // A list without the archive says nothing of it.
    fs::write(releases.path().join("v0.2.0/SHA256SUMS"), "").unwrap();
    let output = get(releases.path(), "0.2.0", &bin);
    assert!(!output.status.success());
    assert!(
        said(&output).contains("has no line for"),
        "{}",
        said(&output)
    );
    assert!(!bin.exists());
}

#[test]
fn the_script_says_which_release_there_is_not() {
    let (releases, _) = releases();
    let output = get(releases.path(), "9.9.9", releases.path());
    assert!(!output.status.success());
    assert!(
        said(&output).contains("of release 9.9.9"),
        "{}",
        said(&output)
    );
}

/// What `cargo binstall` and the script make of the name is what `cargo xtask release` calls
/// the archive.
#[test]
fn the_address_for_binstall_is_the_archive_s() {
    let manifest = fs::read_to_string(root().join("cargo-wasmedge/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let filled = |key: &str| {
        let mut text = binstall[key].as_str().unwrap().to_owned();
        for (name, value) in [
            ("repo", env!("CARGO_PKG_REPOSITORY")),
            ("name", PACKAGE),
            ("version", "0.2.0"),
            ("target", &target()),
            ("bin", PACKAGE),
            ("binary-ext", ""),
        ] {
            text = text.replace(&format!("{{ {name} }}"), value);
        }
        text
    };
    let releases = format!("{}/releases/download", env!("CARGO_PKG_REPOSITORY"));
    let name = format!("{PACKAGE}-0.2.0-{}", target());
    assert_eq!(
        filled("pkg-url"),
        format!("{releases}/v0.2.0/{name}.tar.gz")
    );
    assert_eq!(filled("bin-dir"), format!("{name}/{PACKAGE}"));
    assert_eq!(binstall["pkg-fmt"].as_str(), Some("tgz"));
    let script = fs::read_to_string(root().join("ci/get-release.sh")).unwrap();
    assert!(script.contains(&releases), "{script}");
}
