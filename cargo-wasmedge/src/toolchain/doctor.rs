//! What is there, what is missing, and how it is had.

use std::path::Path;

use serde::Serialize;

use super::dirs::{Dirs, size_of};
use super::env::Env;
use super::find::Origin;
use super::{c, rust, unwinding, wasmedge};
use crate::error::{Error, Result};
use crate::random;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is there and will do.
    Ok,
    /// It works without, or with less.
    Warn,
    /// Nothing can be built, or run, without it.
    Missing,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, such as `cargo`.
    pub name: String,
    /// How it ended.
    pub status: Status,
    /// What was found, or why it will not do.
    pub detail: String,
    /// The command, or the step, that helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// Looks at everything that building and running for WasmEdge needs: cargo,
/// rustc with the target's standard library, the target's linker, each WasmEdge,
/// the C compiler that links build scripts, the one for C parts of crates, the seed
/// that programs get for random numbers, and the cache folder.
///
/// # Errors
/// Only when the process's working directory no longer exists.
pub fn doctor(dirs: &Dirs) -> Result<Vec<Check>> {
    Ok(doctor_in(dirs, &Env::of_process()?))
}

/// [`doctor()`] in a given environment.
pub fn doctor_in(dirs: &Dirs, env: &Env) -> Vec<Check> {
    let mut checks = rust_checks(dirs, env);
    checks.extend(wasmedge_checks(dirs, env));
    checks.push(host_linker(env));
    checks.push(c_for_wasm(dirs, env));
    checks.extend(unwinding::doctor(dirs, env));
    checks.push(random_numbers(dirs, env));
    checks.push(cache(dirs));
    checks
}

fn check(name: &str, status: Status, detail: impl Into<String>, mend: Option<&str>) -> Check {
    Check {
        name: name.to_owned(),
        status,
        detail: detail.into(),
        mend: mend.map(str::to_owned),
    }
}

fn found(version: &semver::Version, program: &Path, origin: Origin) -> String {
    format!("{version} ({}, {origin})", program.display())
}

fn rust_checks(dirs: &Dirs, env: &Env) -> Vec<Check> {
    let toolchain = match rust::find_in(dirs, env) {
        Ok(toolchain) => toolchain,
        Err(error) => {
            let mut checks = Vec::new();
            checks.push(match rust::installed_cargo(env) {
                Ok((cargo, version)) => check(
                    "cargo",
                    Status::Ok,
                    found(&version, &cargo, Origin::Path),
                    None,
                ),
                Err(reason) => check(
                    "cargo",
                    Status::Missing,
                    reason,
                    Some("cargo wasmedge setup"),
                ),
            });
            let name = format!("rustc for {}", rust::TARGET);
            checks.push(match error {
                Error::NotSetUp { what, mend } => check(&name, Status::Missing, what, Some(&mend)),
                other => check(&name, Status::Missing, other.to_string(), None),
            });
            return checks;
        }
    };
    let mut cargo = check(
        "cargo",
        Status::Ok,
        found(&toolchain.cargo_version, &toolchain.cargo, toolchain.origin),
        None,
    );
    if !toolchain.has_lockfile_path() {
        cargo.status = Status::Warn;
        cargo.detail +=
            "; before 1.97 it reads no `resolver.lockfile-path`, so builds use another way";
        cargo.mend = Some("rustup update stable".to_owned());
    }
    let rustc = check(
        &format!("rustc for {}", rust::TARGET),
        Status::Ok,
        found(&toolchain.rustc_version, &toolchain.rustc, toolchain.origin),
        None,
    );
    let linker = match &toolchain.linker {
        None => check("wasm linker", Status::Ok, "rustc's own rust-lld", None),
        Some(linker) if env.which(linker).is_some() => check(
            "wasm linker",
            Status::Ok,
            linker.display().to_string(),
            None,
        ),
        Some(linker) => check(
            "wasm linker",
            Status::Missing,
            format!(
                "{} names no program: {}",
                rust::LINKER_VARIABLE,
                linker.display()
            ),
            Some("unset it, or set it to a wasm-ld"),
        ),
    };
    vec![cargo, rustc, linker]
}

fn wasmedge_checks(dirs: &Dirs, env: &Env) -> Vec<Check> {
    let mut checks = Vec::new();
    // The one that is used comes first; a variable that names none is an error.
    match wasmedge::find_in(dirs, env, None) {
        Ok(_) => {}
        Err(Error::NotSetUp { what, mend }) => {
            checks.push(check("WasmEdge", Status::Missing, what, Some(&mend)));
        }
        Err(other) => checks.push(check("WasmEdge", Status::Missing, other.to_string(), None)),
    }
    for one in wasmedge::all_in(dirs, env) {
        let detail = found(&one.version, &one.program, one.origin);
        checks.push(check("WasmEdge", Status::Ok, detail, None));
    }
    checks
}

fn host_linker(env: &Env) -> Check {
    let name = "C compiler";
    match env.which("cc") {
        Some(cc) => check(name, Status::Ok, cc.display().to_string(), None),
        None => {
            let mend = if cfg!(target_os = "macos") {
                "xcode-select --install"
            } else if env.which("apt-get").is_some() {
                "sudo apt-get install gcc libc6-dev"
            } else {
                "install gcc or clang, and put `cc` on PATH"
            };
            check(
                name,
                Status::Warn,
                "no cc on PATH: build scripts and proc macros cannot be linked",
                Some(mend),
            )
        }
    }
}

/// Only some apps need it.
fn c_for_wasm(dirs: &Dirs, env: &Env) -> Check {
    let name = "C for wasm32";
    if c::chosen(env).is_some() {
        return check(name, Status::Ok, "chosen by a variable", None);
    }
    match c::find_in(dirs, env) {
        Ok(found) => {
            let libc = match &found.headers {
                Some(headers) => format!("headers in {}", headers.display()),
                None => "no headers of wasi-libc".to_owned(),
            };
            let detail = format!("{} ({}, {libc})", found.clang.display(), found.origin);
            check(name, Status::Ok, detail, None)
        }
        Err(reasons) => check(
            name,
            Status::Warn,
            format!(
                "{}: crates with C parts, such as ring, do not build",
                reasons.join("; ")
            ),
            Some(c::MEND),
        ),
    }
}

/// What a program that is run here would seed its generator with.
fn random_numbers(dirs: &Dirs, env: &Env) -> Check {
    let name = "random numbers";
    if random::kernel_makes_uuids(env.root()) {
        let detail = format!(
            "seeded by the kernel ({}, opened to every program, read-only)",
            random::KERNEL_FOLDER
        );
        return check(name, Status::Ok, detail, None);
    }
    match wasmedge::find_in(dirs, env, None) {
        // Later versions do not begin anew with each call.
        Ok(edge) if (edge.version.major, edge.version.minor) <= (0, 14) => check(
            name,
            Status::Ok,
            format!("seeded by many calls of WasmEdge {}, hashed", edge.version),
            None,
        ),
        _ => check(
            name,
            Status::Warn,
            format!(
                "{} does not work, and WasmEdge's own numbers are not fit for keys: \
                 getrandom is an error",
                random::KERNEL_FOLDER
            ),
            Some(
                "open a folder with the system's urandom: dirs = [\"/dev:/dev:readonly\"] \
                 in [package.metadata.wasmedge]",
            ),
        ),
    }
}

fn cache(dirs: &Dirs) -> Check {
    let size = indicatif::DecimalBytes(size_of(dirs.home()));
    let detail = format!("{} ({size})", dirs.home().display());
    check("cache folder", Status::Ok, detail, None)
}
