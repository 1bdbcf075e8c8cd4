//! The check that nothing a guest passes to the plugin does harm.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tools_common::Repo;

/// From the same seed each time, so that a failure is had again. Other seeds are tried by
/// hand, for longer.
const WORDS: [&str; 4] = ["--seconds", "60", "--seed", "1"];

/// Calls the plugin's functions for a minute, under AddressSanitizer where the toolchain has
/// it.
///
/// # Errors
/// A function did harm, or the program cannot be built.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    if !cfg!(target_os = "linux") {
        repo.shell.note("the plugin is for Linux");
        return Ok(());
    }
    let package = [
        "--locked",
        "--package",
        "tokio_wasmedge_plugin",
        "--example",
        "fuzz",
    ];
    let mut command = repo.cargo(["run"]);
    command.args(package);
    if let Some(target) = sanitized_target(repo)? {
        // A sanitizer is for nightly toolchains, but stable ones have its library, too. With
        // a target build scripts are built without it.
        command
            .args(["--target", &target])
            .env("CARGO_TARGET_DIR", repo.target.join("sanitized"))
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Zsanitizer=address")
            .env("ASAN_OPTIONS", "detect_leaks=0");
    } else {
        repo.shell
            .note("the toolchain has no AddressSanitizer: only what is written is seen");
    }
    repo.must(command.arg("--").args(WORDS))
}

/// The machine's target, if rustc has AddressSanitizer for it.
fn sanitized_target(repo: &Repo) -> Result<Option<String>> {
    let rustc = |words: &[&str]| -> Result<String> {
        let mut command = std::process::Command::new("rustc");
        let output = command.args(words).current_dir(&repo.root).output();
        let output = output.context("cannot start rustc")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let target = rustc(&["--print", "host-tuple"])?;
    let folder = PathBuf::from(rustc(&["--print", "sysroot"])?)
        .join("lib/rustlib")
        .join(&target)
        .join("lib");
    let Ok(files) = std::fs::read_dir(folder) else {
        return Ok(None);
    };
    let is_it = |name: &str| name.starts_with("librustc") && name.ends_with("_rt.asan.a");
    let mut names = files.flatten().map(|file| file.file_name());
    Ok(names
        .any(|name| is_it(&name.to_string_lossy()))
        .then_some(target))
}
