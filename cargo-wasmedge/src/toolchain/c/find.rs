//! Finding a clang that compiles for the target.

use std::path::{Path, PathBuf};

use super::toolchain::CToolchain;
use crate::toolchain::debian::installed::installations;
use crate::toolchain::dirs::Dirs;
use crate::toolchain::env::Env;
use crate::toolchain::find::{Origin, newest_numbered};
use crate::toolchain::process::{self, VERSION_LIMIT};
use crate::toolchain::rust::TARGET;

/// wasi-libc's headers in Debian's package, below the root or a prefix.
const HEADERS: &str = "usr/include/wasm32-wasi";

/// A clang on `PATH` that makes objects for the target and has an archiver, else
/// what [`setup()`](crate::toolchain::setup()) installed.
///
/// # Errors
/// Why each of those that are there will not do.
pub fn find_in(dirs: &Dirs, env: &Env) -> Result<CToolchain, Vec<String>> {
    let mut reasons = Vec::new();
    match on_path(dirs, env) {
        Ok(found) => return Ok(found),
        Err(reason) => reasons.push(reason),
    }
    for (folder, _) in installations(&dirs.c()) {
        match private(env, &folder) {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons)
}

/// The folder of wasi-libc's headers, in the system or in what
/// [`setup()`](crate::toolchain::setup()) installed.
pub fn headers(dirs: &Dirs, env: &Env) -> Option<PathBuf> {
    let installed = installations(&dirs.c()).into_iter();
    std::iter::once(env.root().to_owned())
        .chain(installed.map(|(folder, _)| folder))
        .map(|root| root.join(HEADERS))
        .find(|headers| headers.is_dir())
}

fn on_path(dirs: &Dirs, env: &Env) -> Result<CToolchain, String> {
    let clang = newest(env, "clang").ok_or("no clang on PATH")?;
    let ar = newest(env, "llvm-ar").ok_or("no llvm-ar on PATH")?;
    let found = CToolchain {
        clangxx: sibling(&clang, "clang", "clang++"),
        ranlib: sibling(&ar, "ar", "ranlib"),
        headers: headers(dirs, env),
        // Beside its libc.a, which must not take the place of rustc's.
        sysroot: None,
        clang,
        ar,
        origin: Origin::Path,
    };
    check(env, found)
}

/// The toolchain in a folder that set-up made.
pub(super) fn private(env: &Env, folder: &Path) -> Result<CToolchain, String> {
    let bin = folder.join("bin");
    let there = |path: PathBuf| path.exists().then_some(path);
    let found = CToolchain {
        clang: bin.join("clang"),
        clangxx: there(bin.join("clang++")),
        ar: bin.join("llvm-ar"),
        ranlib: there(bin.join("llvm-ranlib")),
        headers: there(folder.join(HEADERS)),
        sysroot: there(folder.join("sysroot")),
        origin: Origin::Private,
    };
    check(env, found)
}

/// Starts the compiler.
fn check(env: &Env, found: CToolchain) -> Result<CToolchain, String> {
    let mut command = env.command(&found.clang);
    let target = format!("--target={TARGET}");
    // An empty file: a clang without this target fails. Assembly, for which it starts
    // itself again: one that cannot do so fails, too.
    command.args([&target, "-x", "assembler-with-cpp", "-c", "/dev/null"]);
    command.args(["-o", "/dev/null"]);
    let named = |why: String| format!("{} {why}", found.clang.display());
    let answer = process::ask(&mut command, VERSION_LIMIT)
        .map_err(|error| named(format!("cannot be started: {error}")))?;
    if !answer.success() {
        return Err(named(format!(
            "does not compile for {TARGET}: {}",
            answer.why()
        )));
    }
    Ok(found)
}

/// The program of the same package beside `program`: `clang++-19` beside `clang-19`.
fn sibling(program: &Path, name: &str, other: &str) -> Option<PathBuf> {
    let file = program.file_name()?.to_str()?.replacen(name, other, 1);
    let path = program.with_file_name(file);
    path.is_file().then_some(path)
}

/// `name`, else the newest numbered one.
fn newest(env: &Env, name: &str) -> Option<PathBuf> {
    env.which(name).or_else(|| newest_numbered(env, name))
}
