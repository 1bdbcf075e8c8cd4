//! Having a clang for the target: one that is there, else Debian's packages.

use super::find::{find_in, private};
use super::toolchain::CToolchain;
use crate::error::Result;
use crate::toolchain::debian::install::{Checked, Debian};
use crate::toolchain::debian::recipe;
use crate::toolchain::find::not_set_up;
use crate::toolchain::job::Job;
use crate::toolchain::rust::TARGET;

/// # Errors
/// [`Error::NotSetUp`](crate::error::Error::NotSetUp): what was tried, and why each
/// did not work.
pub(in crate::toolchain) fn set_up(job: &Job, debian: &Debian) -> Result<CToolchain> {
    let (found, mut reasons) = match find_in(job.dirs, job.env) {
        Ok(found) if is_complete(&found) => return Ok(found),
        Ok(found) => (Some(found), Vec::new()),
        Err(reasons) => (None, reasons),
    };
    match by_packages(job, debian) {
        // The one on PATH stays the one that is used: it takes the headers from there.
        Ok(installed) => return Ok(find_in(job.dirs, job.env).unwrap_or(installed)),
        Err(reason) => reasons.push(format!("Debian's packages: {reason}")),
    }
    if let Some(found) = found {
        return Ok(found);
    }
    Err(not_set_up(
        format!("no C compiler for {TARGET} could be set up"),
        &reasons,
        "install clang and llvm, so that `clang` and `llvm-ar` are on PATH".to_owned(),
    ))
}

/// Whether all that compiles will: without headers only what includes none does.
pub(in crate::toolchain) fn is_complete(found: &CToolchain) -> bool {
    found.headers.is_some()
}

fn by_packages(job: &Job, debian: &Debian) -> Result<CToolchain, String> {
    debian.install(
        &recipe::C,
        |_| true,
        |folder, version| {
            Ok(Checked {
                found: private(job.env, folder)?,
                name: format!("clang {version}"),
                version,
            })
        },
    )
}
