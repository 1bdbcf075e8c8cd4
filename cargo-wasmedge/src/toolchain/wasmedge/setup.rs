//! Having a WasmEdge: one that is there, else Debian's package.

use semver::VersionReq;

use super::find::{
    OLDEST, PROGRAM_VARIABLE, Refused, WasmEdge, find_in, look, plain, probe, program_in,
};
use crate::error::Result;
use crate::toolchain::debian::install::{Checked, Debian};
use crate::toolchain::debian::recipe;
use crate::toolchain::dirs::Dirs;
use crate::toolchain::env::Env;
use crate::toolchain::find::{Origin, not_set_up};
use crate::toolchain::job::Job;

/// A WasmEdge that is there and matches.
pub(in crate::toolchain) fn present(
    dirs: &Dirs,
    env: &Env,
    wanted: &VersionReq,
) -> Option<WasmEdge> {
    find_in(dirs, env, requirement(wanted)).ok()
}

/// # Errors
/// [`Error::NotSetUp`](crate::error::Error::NotSetUp): what was tried, and why each
/// did not work.
pub(in crate::toolchain) fn set_up(
    job: &Job,
    debian: &Debian,
    wanted: &VersionReq,
) -> Result<WasmEdge> {
    let mut reasons = match look(job.dirs, job.env, requirement(wanted)) {
        Ok(found) => return Ok(found),
        Err(Refused::Configured(reason)) => vec![reason],
        Err(Refused::All(reasons)) => reasons,
    };
    match by_packages(job, debian, wanted) {
        Ok(found) => return Ok(found),
        Err(reason) => reasons.push(format!("Debian's packages: {reason}")),
    }
    let version = match requirement(wanted) {
        Some(wanted) => plain(wanted),
        None => format!("{OLDEST} or newer"),
    };
    Err(not_set_up(
        format!("no WasmEdge {version} could be set up"),
        &reasons,
        format!(
            "install WasmEdge {version} (its installer puts it into ~/.wasmedge) \
             and put `wasmedge` on PATH, or set {PROGRAM_VARIABLE} to it"
        ),
    ))
}

/// `*` would refuse a release candidate.
fn requirement(wanted: &VersionReq) -> Option<&VersionReq> {
    (*wanted != VersionReq::STAR).then_some(wanted)
}

fn by_packages(job: &Job, debian: &Debian, wanted: &VersionReq) -> Result<WasmEdge, String> {
    let recipe = match requirement(wanted) {
        Some(_) => &recipe::WASMEDGE_OF_A_VERSION,
        None => &recipe::WASMEDGE,
    };
    debian.install(
        recipe,
        |version| *version >= OLDEST && wanted.matches(version),
        |folder, _| {
            let found = probe(job.env, &program_in(folder), Origin::Private)?;
            Ok(Checked {
                version: found.version.clone(),
                name: format!("WasmEdge {}", found.version),
                found,
            })
        },
    )
}
