//! How cargo starts built programs: with our runner.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::error::Result;
use crate::run::SUBCOMMAND;
use crate::toolchain::{Dirs, Env};

/// cargo's variable for the target's runner.
const RUNNER_VARIABLE: &str = "CARGO_TARGET_WASM32_WASIP1_RUNNER";

/// The variable that makes cargo start programs with our runner.
///
/// A variable, because it is of one kind: in configuration files a runner may be
/// a string or a list, and cargo refuses to put one over the other.
///
/// # Errors
/// The path of this program is unknown, or cannot be given to cargo.
pub fn runner_variable(dirs: &Dirs) -> Result<(String, OsString)> {
    let exe = std::env::current_exe().context("cannot tell the path of this program")?;
    let exe = without_spaces(&exe, dirs)?;
    let mut runner = exe.into_os_string();
    runner.push(" ");
    runner.push(SUBCOMMAND);
    Ok((RUNNER_VARIABLE.to_owned(), runner))
}

/// cargo splits the variable at white space and knows no quotes: a program in a
/// folder with a space in its name is reached through a link elsewhere.
fn without_spaces(exe: &Path, dirs: &Dirs) -> Result<PathBuf> {
    let has_space = |path: &Path| path.to_string_lossy().contains(char::is_whitespace);
    if !has_space(exe) {
        return Ok(exe.to_owned());
    }
    let mut folders = vec![dirs.home().join("bin")];
    if let Some(home) = Env::of_process()?.home() {
        folders.push(home.join(".cargo-wasmedge"));
    }
    let folder = folders.into_iter().find(|folder| !has_space(folder)).with_context(|| {
        format!(
            "{} has a space in its path, and so has the cache folder: cargo cannot start it as a runner\n  \
             help: set CARGO_WASMEDGE_HOME to a folder without one",
            exe.display()
        )
    })?;
    // One link per program: two versions may be in use at once.
    let mut hash = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(exe, &mut hash);
    let link = folder.join(format!("runner-{:016x}", std::hash::Hasher::finish(&hash)));
    let failed = || format!("cannot link {} to {}", link.display(), exe.display());
    std::fs::create_dir_all(&folder).with_context(failed)?;
    if std::fs::read_link(&link).is_ok_and(|old| old == exe) {
        return Ok(link);
    }
    #[cfg(unix)]
    let made = std::os::unix::fs::symlink(exe, &link);
    #[cfg(not(unix))]
    let made = std::fs::copy(exe, &link).map(|_| ());
    match made {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(anyhow::Error::new(error).context(failed()).into())
        }
        _ => Ok(link),
    }
}
