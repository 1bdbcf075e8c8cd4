//! A standard library whose panics unwind.
//!
//! The one that a toolchain brings for the target ends the program at a panic. So std is
//! built once for each toolchain, from its own sources, into a folder of the cache that
//! takes the place of the toolchain's libraries ([`Unwinding`]). The toolchain itself stays
//! as it is.
//!
//! * `sources`: the sources of std, and how they are had;
//! * `build`: std built from them, and the few functions that it leaves to others;
//! * [`rustc`]: the compiler, with what it needs to use them;
//! * `check`: small programs that unwind, built and run to see that all of it works.
//!
//! Compilers had faults in what they make of unwinding, which show in the behaviour of
//! programs only. So only those are taken that were tested.

mod build;
mod check;
pub mod rustc;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::debian::install::Debian;
use super::dirs::Dirs;
use super::doctor::{Check, Status};
use super::env::Env;
use super::find::not_set_up;
use super::job::Job;
use super::rust::{self, RustToolchain};
use super::wasmedge::WasmEdge;
use crate::error::Result;

/// The compilers that were tested (docs/unwinding.md says how).
const TESTED: [Version; 1] = [Version::new(1, 97, 1)];

/// Raised whenever the folder's content becomes another one for the same toolchain.
const REVISION: u32 = 2;

/// Says that a folder is finished.
const STAMP: &str = "unwinding.json";

/// The command that has it.
pub const MEND: &str = "cargo wasmedge setup --unwind";

/// Begins the name of a folder that is being made.
const UNFINISHED: &str = ".build-";

/// The libraries of a toolchain for panics that unwind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwinding {
    /// What rustc's `--sysroot` is to be.
    pub sysroot: PathBuf,
}

/// What a finished folder says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Stamp {
    rustc: String,
    /// The versions of WasmEdge that the small programs ran on.
    checked_on: Vec<String>,
}

impl Unwinding {
    /// Those of `toolchain`.
    ///
    /// # Errors
    /// [`Error::NotSetUp`](crate::error::Error::NotSetUp) when there are none, or when the
    /// compiler is none of those that were tested.
    pub fn find(dirs: &Dirs, toolchain: &RustToolchain) -> Result<Unwinding> {
        if let Err(why) = is_tested(toolchain) {
            return Err(not_set_up(
                NO_UNWINDING.to_owned(),
                &[why],
                INSTEAD.to_owned(),
            ));
        }
        let sysroot = folder(dirs, toolchain);
        match stamp(&sysroot) {
            Some(_) => Ok(Unwinding { sysroot }),
            None => Err(not_set_up(
                format!(
                    "no standard library that unwinds for rustc {}",
                    toolchain.rustc_version
                ),
                &[format!("none in {}", sysroot.display())],
                MEND.to_owned(),
            )),
        }
    }
}

const NO_UNWINDING: &str = "panics cannot unwind with this toolchain";
const INSTEAD: &str = "without `unwind`, a panic ends the program";

/// Why the toolchain's compiler will not do.
fn is_tested(toolchain: &RustToolchain) -> Result<(), String> {
    let version = &toolchain.rustc_version;
    if TESTED.contains(version) {
        return Ok(());
    }
    let tested: Vec<String> = TESTED.iter().map(Version::to_string).collect();
    Err(format!(
        "rustc {version} was not tested for it: compilers had faults that skip destructors \
         or run them twice (tested: {})",
        tested.join(", ")
    ))
}

/// Std fits the very compiler that it was built with.
fn folder(dirs: &Dirs, toolchain: &RustToolchain) -> PathBuf {
    let place = toolchain.sysroot.to_string_lossy();
    let hash = format!("{:x}", Sha256::digest(format!("{place}\n{REVISION}")));
    let name = format!("{}-{}", toolchain.rustc_version, &hash[..12]);
    dirs.unwinding().join(name)
}

fn stamp(folder: &Path) -> Option<Stamp> {
    serde_json::from_str(&fs::read_to_string(folder.join(STAMP)).ok()?).ok()
}

/// What is there already.
pub(super) fn present(dirs: &Dirs, toolchain: &RustToolchain) -> Option<Unwinding> {
    Unwinding::find(dirs, toolchain).ok()
}

/// Builds it, unless it is there, and checks it on each of `edges`.
///
/// # Errors
/// [`Error::NotSetUp`](crate::error::Error::NotSetUp): why it cannot be had.
pub(super) fn set_up(
    job: &Job,
    debian: &Debian,
    toolchain: &RustToolchain,
    edges: &[WasmEdge],
) -> Result<Unwinding> {
    if let Some(found) = present(job.dirs, toolchain) {
        return Ok(found);
    }
    let cannot = |what: &str, reason: String, mend: &str| {
        not_set_up(what.to_owned(), &[reason], mend.to_owned())
    };
    is_tested(toolchain).map_err(|why| cannot(NO_UNWINDING, why, INSTEAD))?;
    let parent = job.dirs.unwinding();
    let failed = || format!("cannot write {}", parent.display());
    fs::create_dir_all(&parent).with_context(failed)?;
    sweep(&parent);
    let work = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(&parent)
        .with_context(failed)?;
    let sources = sources::find(job.dirs, debian, toolchain).map_err(|why| {
        let what = format!("no sources of std for rustc {}", toolchain.rustc_version);
        cannot(&what, why, &sources::mend(toolchain))
    })?;
    let what = format!(
        "std of rustc {} could not be built so that it unwinds",
        toolchain.rustc_version
    );
    let made = build::build(job, toolchain, &sources, work.path())
        .map_err(|why| cannot(&what, format!("{why:#}"), INSTEAD))?;
    let checked = check::check(job, toolchain, &made, work.path(), edges).map_err(|why| {
        let what = "panics do not unwind as they should with this toolchain and WasmEdge";
        cannot(what, format!("{why:#}"), INSTEAD)
    })?;
    let stamp = Stamp {
        rustc: toolchain.rustc_version.to_string(),
        checked_on: checked,
    };
    let text = serde_json::to_string_pretty(&stamp).map_err(anyhow::Error::from)?;
    fs::write(made.join(STAMP), text + "\n").with_context(failed)?;
    let sysroot = folder(job.dirs, toolchain);
    if sysroot.exists() {
        fs::remove_dir_all(&sysroot).with_context(failed)?;
    }
    fs::rename(&made, &sysroot).with_context(failed)?;
    sources.delete_if_ours();
    job.progress.status(
        "Installed",
        &format!("std that unwinds for rustc {}", toolchain.rustc_version),
    );
    Ok(Unwinding { sysroot })
}

/// Deletes what set-ups left that did not get to their end. Whoever calls this holds the
/// lock of set-ups.
fn sweep(parent: &Path) {
    for entry in parent.read_dir().into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// What `doctor` says of it. Nothing needs it, so that it is never a warning.
pub(super) fn doctor(dirs: &Dirs, env: &Env) -> Option<Check> {
    let toolchain = rust::find_in(dirs, env).ok()?;
    let detail = match (is_tested(&toolchain), stamp(&folder(dirs, &toolchain))) {
        (Err(why), _) => format!("no: {why}"),
        (Ok(()), None) => format!("not set up, a panic ends the program ({MEND})"),
        (Ok(()), Some(stamp)) => format!(
            "std for rustc {}, checked on WasmEdge {}",
            stamp.rustc,
            stamp.checked_on.join(" and ")
        ),
    };
    Some(Check {
        name: "unwinding".to_owned(),
        status: Status::Ok,
        detail,
        mend: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::find::Origin;
    use super::*;

    fn toolchain(version: &str) -> RustToolchain {
        RustToolchain {
            cargo: "/t/cargo".into(),
            rustc: "/t/rustc".into(),
            rustdoc: None,
            linker: None,
            origin: Origin::Private,
            cargo_version: Version::new(1, 97, 1),
            rustc_version: version.parse().unwrap(),
            host: "x86_64-unknown-linux-gnu".into(),
            sysroot: "/t".into(),
        }
    }

    #[test]
    fn only_a_finished_folder_counts() {
        let temp = tempfile::tempdir().unwrap();
        let dirs = Dirs::at(temp.path());
        let toolchain = toolchain("1.97.1");
        let folder = folder(&dirs, &toolchain);
        fs::create_dir_all(folder.join("lib")).unwrap();
        let error = Unwinding::find(&dirs, &toolchain).unwrap_err().to_string();
        assert!(
            error.contains("no standard library that unwinds"),
            "{error}"
        );
        fs::write(
            folder.join(STAMP),
            "{\"rustc\": \"1.97.1\", \"checked-on\": []}",
        )
        .unwrap();
        let found = Unwinding::find(&dirs, &toolchain).unwrap();
        assert_eq!(found.sysroot, folder);
        let other = RustToolchain {
            sysroot: "/other".into(),
            ..toolchain
        };
        assert!(
            Unwinding::find(&dirs, &other).is_err(),
            "std fits one compiler"
        );
    }

    #[test]
    fn a_compiler_that_was_not_tested_is_refused_with_the_reason() {
        let dirs = Dirs::at("/nowhere");
        let error = Unwinding::find(&dirs, &toolchain("1.95.0")).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("1.95.0 was not tested") && error.contains("1.97.1"),
            "{error}"
        );
    }
}
