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
    match on_path(env) {
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

fn on_path(env: &Env) -> Result<CToolchain, String> {
    let clang = newest(env, "clang").ok_or("no clang on PATH")?;
    let ar = newest(env, "llvm-ar").ok_or("no llvm-ar on PATH")?;
    let headers = env.root().join(HEADERS);
    check(env, clang, ar, headers, Origin::Path)
}

/// The toolchain in a folder that set-up made.
pub(super) fn private(env: &Env, folder: &Path) -> Result<CToolchain, String> {
    let bin = folder.join("bin");
    let (clang, ar) = (bin.join("clang"), bin.join("llvm-ar"));
    check(env, clang, ar, folder.join(HEADERS), Origin::Private)
}

fn check(
    env: &Env,
    clang: PathBuf,
    ar: PathBuf,
    headers: PathBuf,
    origin: Origin,
) -> Result<CToolchain, String> {
    let mut command = env.command(&clang);
    let target = format!("--target={TARGET}");
    // An empty file: a clang without this target fails.
    command.args([&target, "-x", "c", "-c", "/dev/null", "-o", "/dev/null"]);
    let named = |why: String| format!("{} {why}", clang.display());
    let answer = process::ask(&mut command, VERSION_LIMIT)
        .map_err(|error| named(format!("cannot be started: {error}")))?;
    if !answer.success() {
        return Err(named(format!(
            "does not compile for {TARGET}: {}",
            answer.why()
        )));
    }
    Ok(CToolchain {
        clang,
        ar,
        headers: headers.is_dir().then_some(headers),
        origin,
    })
}

/// `name`, else the newest numbered one.
fn newest(env: &Env, name: &str) -> Option<PathBuf> {
    env.which(name).or_else(|| newest_numbered(env, name))
}
