//! The first process of a container image, built of the source that the binary carries.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use super::env::Env;
use super::process::{self, Limits};
use super::rust::installed_rustc;
use crate::embedded;

/// It is one file that needs no crate.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Has the user's own rustc build it as the file `out`.
///
/// # Errors
/// Why it cannot be built here.
pub(crate) fn build(out: &Path, env: &Env) -> anyhow::Result<()> {
    let source = embedded::file("image/init.rs").context("the first process is not embedded")?;
    let work = tempfile::tempdir()?;
    let file = work.path().join("init.rs");
    std::fs::write(&file, source)?;
    // The app's own toolchain is not meant.
    let env = &env.clone().at(work.path());
    let rustc = installed_rustc(env).map_err(|why| anyhow!(why))?;
    let mut command = env.command(&rustc.program);
    command.args(["--edition", "2024", "--crate-type", "bin"]);
    for option in ["opt-level=s", "panic=abort", "strip=symbols", "lto=fat"] {
        command.args(["-C", option]);
    }
    command.arg("-o").arg(out).arg(&file);
    let done = process::run(&mut command, Limits::total(LIMIT), || 0)
        .with_context(|| format!("cannot start {}", rustc.program.display()))?;
    if !done.success() {
        bail!("rustc {}: {}", rustc.version, done.why());
    }
    Ok(())
}
