//! Finding a Rust toolchain that can build for `wasm32-wasip1`.

use std::path::{Path, PathBuf};

use super::rustc::{Rustc, TARGET, ask_rustc, cargo_version, installed_cargo, installed_rustc};
use super::toolchain::{LINKER_VARIABLE, RustToolchain};
use crate::error::Result;
use crate::toolchain::debian::installed::installations;
use crate::toolchain::dirs::Dirs;
use crate::toolchain::env::Env;
use crate::toolchain::find::{Origin, newest_numbered, not_set_up};

/// Finds a toolchain: the installed one (the `rustc` that cargo would use in
/// the working directory: `RUSTC`, rustup's overrides, `PATH`) if it has the
/// target's standard library and a linker, else one that set-up installed.
///
/// The target of another rustup toolchain than the active one does not count.
///
/// # Errors
/// [`Error::NotSetUp`](crate::error::Error::NotSetUp) when there is none; it says why
/// the installed one will not do.
pub fn find(dirs: &Dirs) -> Result<RustToolchain> {
    find_in(dirs, &Env::of_process()?)
}

/// [`find`] in a given environment.
///
/// # Errors
/// As [`find`].
pub fn find_in(dirs: &Dirs, env: &Env) -> Result<RustToolchain> {
    look(dirs, env).map_err(|reasons| {
        not_set_up(
            format!("no Rust toolchain that can build for {TARGET}"),
            &reasons,
            "cargo wasmedge setup".to_owned(),
        )
    })
}

/// [`find_in`], with the reasons why each that is there will not do.
pub(super) fn look(dirs: &Dirs, env: &Env) -> Result<RustToolchain, Vec<String>> {
    let mut reasons = Vec::new();
    match installed(dirs, env) {
        Ok(found) => return Ok(found),
        Err(reason) => reasons.push(reason),
    }
    for (folder, _) in installations(&dirs.toolchains()) {
        match private(env, &folder) {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(format!("{}: {reason}", folder.display())),
        }
    }
    Err(reasons)
}

fn installed(dirs: &Dirs, env: &Env) -> Result<RustToolchain, String> {
    let (rustc, cargo) = std::thread::scope(|scope| {
        let cargo = scope.spawn(|| installed_cargo(env));
        let rustc = installed_rustc(env);
        let cargo = cargo.join().unwrap_or_else(|_| Err("no cargo".to_owned()));
        (rustc, cargo)
    });
    let rustc = rustc?;
    if rustc.sysroot.starts_with(dirs.toolchains()) {
        return Err("RUSTC names a toolchain that set-up installed".to_owned());
    }
    let name = format!("rustc {} ({})", rustc.version, rustc.sysroot.display());
    if !rustc.has_std() {
        return Err(format!("{name} has no standard library for {TARGET}"));
    }
    let linker = linker(dirs, env, &rustc).ok_or_else(|| {
        format!("{name} brings no linker for {TARGET}, and no wasm-ld is on PATH")
    })?;
    let (cargo, cargo_version) = cargo?;
    let configured = env.var("RUSTC").is_some();
    Ok(RustToolchain {
        cargo,
        rustc: rustc.program,
        rustdoc: None,
        linker,
        origin: if configured {
            Origin::Configured
        } else {
            Origin::Path
        },
        cargo_version,
        rustc_version: rustc.version,
        host: rustc.host,
        sysroot: rustc.sysroot,
    })
}

/// `Some(None)`: rustc needs no other linker than its own. `None`: there is none.
fn linker(dirs: &Dirs, env: &Env, rustc: &Rustc) -> Option<Option<PathBuf>> {
    if let Some(linker) = env.var(LINKER_VARIABLE) {
        return Some(Some(env.which(linker).unwrap_or_else(|| linker.into())));
    }
    if rustc.has_lld() {
        return Some(None);
    }
    let on_path = ["wasm-ld", "rust-lld"]
        .iter()
        .find_map(|name| env.which(name));
    on_path
        .or_else(|| newest_numbered(env, "wasm-ld"))
        .or_else(|| {
            let mut found = installations(&dirs.toolchains()).into_iter();
            found.find_map(|(folder, _)| {
                let linker = folder.join("bin/wasm-ld");
                linker.is_file().then_some(linker)
            })
        })
        .map(Some)
}

/// The toolchain in a folder that set-up made.
pub(super) fn private(env: &Env, folder: &Path) -> Result<RustToolchain, String> {
    let bin = folder.join("bin");
    let (cargo, rustc) = (bin.join("cargo"), bin.join("rustc"));
    let (about, cargo_version) = std::thread::scope(|scope| {
        let version = scope.spawn(|| cargo_version(env, &cargo));
        let about = ask_rustc(env, &rustc);
        let version = version
            .join()
            .unwrap_or_else(|_| Err("no cargo".to_owned()));
        (about, version)
    });
    let (about, cargo_version) = (about?, cargo_version?);
    if !about.has_std() {
        return Err(format!("it has no standard library for {TARGET}"));
    }
    // The user's choice of a linker wins here too.
    let linker = match env.var(LINKER_VARIABLE) {
        Some(linker) => env.which(linker).unwrap_or_else(|| linker.into()),
        None => bin.join("wasm-ld"),
    };
    let rustdoc = bin.join("rustdoc");
    Ok(RustToolchain {
        cargo,
        rustc,
        rustdoc: rustdoc.is_file().then_some(rustdoc),
        linker: Some(linker),
        origin: Origin::Private,
        cargo_version,
        rustc_version: about.version,
        host: about.host,
        sysroot: about.sysroot,
    })
}
