//! Std built from its sources, into a folder with the layout of a toolchain's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::rustc::write_wrapper;
use super::sources::Sources;
use crate::toolchain::dirs::size_of;
use crate::toolchain::job::Job;
use crate::toolchain::process::{self, Limits};
use crate::toolchain::rust::{RustToolchain, TARGET};

/// It takes a minute on an idle machine.
const TOTAL: Duration = Duration::from_secs(60 * 60);

/// A crate of std may take some minutes on a busy one.
const QUIET: Duration = Duration::from_secs(15 * 60);

/// What std leaves to the system's unwinder.
const RUNTIME: &str = include_str!("runtime.rs");

/// In libtest: it leaves tests out that should panic where they cannot. The condition
/// says where that is, and does not know of this.
const LEAVES_OUT: (&str, &str) = (
    "(cfg!(target_family = \"wasm\") ||",
    "(cfg!(all(target_family = \"wasm\", not(panic = \"unwind\"))) ||",
);

/// Builds it in the folder `work`, and gives the folder that it is in.
pub(super) fn build(
    job: &Job,
    toolchain: &RustToolchain,
    sources: &Sources,
    work: &Path,
) -> anyhow::Result<PathBuf> {
    let sysroot = work.join("sysroot");
    let libraries = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let objects = libraries.join("self-contained");
    fs::create_dir_all(&objects)?;
    // A copy: something is changed in it.
    let library = work.join("library");
    copy(&sources.library, &library)?;
    run_tests_that_should_panic(&library.join("test/src/lib.rs"))?;

    // What cargo and rustdoc take for the compiler that belongs to the libraries.
    fs::create_dir_all(sysroot.join("bin"))?;
    #[cfg(unix)]
    std::os::unix::fs::symlink(&toolchain.rustc, sysroot.join("bin/rustc"))?;
    let wrapper = write_wrapper(work, &toolchain.rustc, &sysroot)?;

    let target_dir = work.join("target");
    let mut command = Command::new(&toolchain.cargo);
    command
        .args(["build", "--package", "sysroot", "--release", "--locked"])
        .args(["--target", TARGET, "--features", "backtrace"])
        .current_dir(&library)
        .env("RUSTC", &wrapper)
        .env("CARGO", &toolchain.cargo)
        .env("CARGO_TARGET_DIR", &target_dir)
        // Std is made of unstable features.
        .env("RUSTC_BOOTSTRAP", "1")
        // It is marked as std, and programs may be linked with LTO.
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            "-Zforce-unstable-if-unmarked\x1f-Cembed-bitcode=yes",
        )
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    job.progress.status(
        "Building",
        &format!("std {} so that panics unwind", toolchain.rustc_version),
    );
    let bar = job.progress.spinner("building std");
    let limits = Limits {
        total: TOTAL,
        quiet: Some(QUIET),
    };
    let done = process::run(&mut command, limits, || {
        bar.tick();
        size_of(&target_dir.join(TARGET))
    });
    bar.finish_and_clear();
    let done = done.with_context(|| format!("cannot start {}", toolchain.cargo.display()))?;
    ensure!(done.success(), "cargo build: {}", done.why());
    let built = target_dir.join(TARGET).join("release/deps");
    for entry in built.read_dir()?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|end| end == "rlib") {
            fs::copy(&path, libraries.join(entry.file_name()))?;
        }
    }
    // What begins a program, and libc.
    let theirs = toolchain.sysroot.join("lib/rustlib").join(TARGET);
    copy(&theirs.join("lib/self-contained"), &objects)?;
    runtime(&wrapper, work, &objects)?;
    Ok(sysroot)
}

/// The library that std asks for by the name of the system's unwinder.
fn runtime(wrapper: &Path, work: &Path, folder: &Path) -> anyhow::Result<()> {
    let source = work.join("runtime.rs");
    fs::write(&source, RUNTIME)?;
    let mut command = Command::new(wrapper);
    command
        .args([
            "--target",
            TARGET,
            "--edition",
            "2024",
            "--crate-type",
            "rlib",
        ])
        .args(["-O", "-C", "codegen-units=1", "-o"])
        .arg(folder.join("libunwind.a"))
        .arg(&source)
        .env("RUSTC_BOOTSTRAP", "1");
    let done = process::run(&mut command, Limits::total(TOTAL), || 0)?;
    ensure!(done.success(), "its runtime: {}", done.why());
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    // What is behind a link: Debian's folder is one.
    let from = from
        .canonicalize()
        .with_context(|| format!("no {}", from.display()))?;
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry?;
        let place = to.join(entry.path().strip_prefix(&from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&place)?;
        } else if entry.path().is_file() {
            fs::copy(entry.path(), &place)
                .with_context(|| format!("cannot write {}", place.display()))?;
        }
    }
    Ok(())
}

/// Changes the condition in libtest.
fn run_tests_that_should_panic(file: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("no {}", file.display()))?;
    let (theirs, ours) = LEAVES_OUT;
    ensure!(
        text.matches(theirs).count() == 1,
        "libtest leaves tests out that should panic in a way that is not known here"
    );
    fs::write(file, text.replace(theirs, ours))?;
    Ok(())
}
