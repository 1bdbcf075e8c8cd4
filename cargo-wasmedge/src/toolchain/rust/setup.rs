//! Having a Rust toolchain: the one that is there, else its target added with
//! rustup, else Debian's packages.

use super::find::{find_in, look, private};
use super::rustc::{TARGET, installed_rustc};
use super::rustup;
use super::toolchain::RustToolchain;
use crate::error::Result;
use crate::toolchain::debian::install::{Checked, Debian};
use crate::toolchain::debian::recipe;
use crate::toolchain::find::not_set_up;
use crate::toolchain::job::Job;

/// # Errors
/// [`Error::NotSetUp`](crate::error::Error::NotSetUp): what was tried, and why each
/// did not work.
pub(in crate::toolchain) fn set_up(job: &Job, debian: &Debian) -> Result<RustToolchain> {
    let mut reasons = match look(job.dirs, job.env) {
        Ok(found) => return Ok(found),
        Err(reasons) => reasons,
    };
    match by_rustup(job) {
        Ok(found) => return Ok(found),
        Err(reason) => reasons.push(format!("rustup: {reason}")),
    }
    match by_packages(job, debian) {
        Ok(found) => return Ok(found),
        Err(reason) => reasons.push(format!("Debian's packages: {reason}")),
    }
    let add = format!("rustup target add {TARGET}");
    Err(not_set_up(
        format!("no Rust toolchain for {TARGET} could be set up"),
        &reasons,
        match job.env.which("rustup") {
            Some(_) => add,
            None => format!("install Rust with rustup, then: {add}"),
        },
    ))
}

fn by_rustup(job: &Job) -> Result<RustToolchain, String> {
    let rustc = installed_rustc(job.env)?;
    if rustc.has_std() {
        return Err("the target is there already".to_owned());
    }
    rustup::add_target(job, &rustc, rustup::QUIET)?;
    let found = find_in(job.dirs, job.env).map_err(|error| error.to_string())?;
    job.progress.status(
        "Installed",
        &format!("{TARGET} for rustc {}", found.rustc_version),
    );
    Ok(found)
}

fn by_packages(job: &Job, debian: &Debian) -> Result<RustToolchain, String> {
    debian.install(
        &recipe::RUST,
        |_| true,
        |folder, _| {
            let found = private(job.env, folder)?;
            Ok(Checked {
                version: found.rustc_version.clone(),
                name: format!(
                    "rustc {} and cargo {}",
                    found.rustc_version, found.cargo_version
                ),
                found,
            })
        },
    )
}
