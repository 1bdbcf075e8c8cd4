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
    let mut reasons = match find_in(job.dirs, job.env) {
        Ok(found) => return Ok(found),
        Err(reasons) => reasons,
    };
    match by_packages(job, debian) {
        Ok(found) => return Ok(found),
        Err(reason) => reasons.push(format!("Debian's packages: {reason}")),
    }
    Err(not_set_up(
        format!("no C compiler for {TARGET} could be set up"),
        &reasons,
        "install clang and llvm, so that `clang` and `llvm-ar` are on PATH".to_owned(),
    ))
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
