//! The program of a release. It is the same wherever it is built: no folder of the machine
//! is in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use semver::Version;
use tools_common::Repo;

use crate::epoch::{self, Epoch};
use crate::versions::PACKAGE;

/// What is put between rustc's arguments in one variable.
const SEPARATOR: &str = "\x1f";

/// The target that this machine's rustc builds for without being asked.
///
/// # Errors
/// rustc cannot be started.
pub fn host_target() -> Result<String> {
    let mut rustc = Command::new("rustc");
    let output = rustc.arg("-vV").output().context("cannot start rustc")?;
    let said = String::from_utf8(output.stdout)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host
        .context("rustc does not say for what it builds")?
        .to_owned())
}

/// Builds the program for `target` from the package in `sources`, into `work`.
///
/// # Errors
/// It does not build, says that it is another version, or has a folder of this machine in
/// it.
pub fn build(
    repo: &Repo,
    sources: &Path,
    version: &Version,
    target: &str,
    work: &Path,
    epoch: Epoch,
) -> Result<Vec<u8>> {
    let home = home::cargo_home()?;
    let folders = folders(&home, sources, work)?;
    let flags: Vec<String> = folders
        .iter()
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()))
        .collect();
    let mut cargo = repo.cargo(["build", "--release", "--locked", "--target", target]);
    cargo
        .arg("--target-dir")
        .arg(work)
        .current_dir(sources)
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join(SEPARATOR))
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
        .env(epoch::VARIABLE, epoch.0.to_string());
    repo.must(&mut cargo)?;
    let program = work.join(target).join("release").join(PACKAGE);
    let bytes = fs::read(&program).with_context(|| format!("no {}", program.display()))?;
    for (folder, _) in &folders {
        ensure!(
            !contains(&bytes, folder.as_os_str().as_encoded_bytes()),
            "{} has the folder {} in it, so it is another one on each machine",
            program.display(),
            folder.display()
        );
    }
    if target == host_target()? {
        says_its_version(&program, version)?;
    }
    Ok(bytes)
}

/// The folders of this machine that rustc sees, with what it is to call them. What stands
/// last counts where two hold.
fn folders(home: &Path, sources: &Path, work: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut folders = vec![
        (home.to_owned(), "/cargo".to_owned()),
        (work.to_owned(), "/target".to_owned()),
        (sources.to_owned(), format!("/{PACKAGE}")),
    ];
    // The name of this folder is the registry's, which a mirror changes.
    let registries = home.join("registry/src");
    if registries.is_dir() {
        for entry in fs::read_dir(&registries)? {
            folders.push((entry?.path(), "/registry".to_owned()));
        }
    }
    Ok(folders)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

fn says_its_version(program: &Path, version: &Version) -> Result<()> {
    let mut command = Command::new(program);
    let output = command
        .args(["wasmedge", "--version"])
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = format!("{PACKAGE} {version}");
    ensure!(
        said.trim() == expected,
        "{} says `{}`, not `{expected}`",
        program.display(),
        said.trim()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_a_program_is_found() {
        assert!(contains(b"\0/home/me/app\0", b"/home/me"));
        assert!(contains(b"/home/me", b"/home/me"));
        assert!(!contains(b"/home//home/m", b"/home/me"));
    }

    #[test]
    fn registries_are_called_alike_whatever_their_names_are() {
        let home = tempfile::tempdir().unwrap();
        for name in ["index-1", "mirror-2"] {
            fs::create_dir_all(home.path().join("registry/src").join(name)).unwrap();
        }
        let found = folders(home.path(), Path::new("/sources"), Path::new("/work")).unwrap();
        // rustc takes the last that holds.
        let registry = home.path().join("registry/src/mirror-2");
        let last = found
            .iter()
            .rposition(|(folder, _)| registry.starts_with(folder));
        assert_eq!(found[last.unwrap()].1, "/registry");
        assert_eq!(
            found.iter().filter(|(_, name)| name == "/registry").count(),
            2
        );
    }
}
