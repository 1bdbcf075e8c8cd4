//! C libraries that crates of the app bind to: had before cargo is started.

use std::ffi::OsString;

use super::reached;
use crate::build::Lockfiles;
use crate::build::library::{self, Libraries};
use crate::error::Result;
use crate::resolve::{LibraryOf, Resolver, Selection, fetch};
use crate::toolchain::Env;

/// Variables that tell build scripts of the libraries. Those that are not in the cache
/// are built, if the user's subcommand needs them.
///
/// # Errors
/// [`Error::NotSetUp`](crate::error::Error::NotSetUp) without what builds them; a build
/// that fails; cargo's own.
pub(super) fn variables(
    resolver: &Resolver<'_>,
    lockfiles: &mut Lockfiles,
    selection: &Selection,
) -> Result<Vec<(String, OsString)>> {
    let mut variables = Vec::new();
    if !resolver.invocation.is_for_target() || !resolver.invocation.compiles() {
        return Ok(variables);
    }
    let env = Env::of_process()?;
    for needed in &selection.libraries {
        let library = &needed.library;
        if Libraries::is_users_own(library, &env) {
            continue;
        }
        // In a workspace others may need it. The question costs time.
        if resolver.app.members.len() > 1
            && !reached(resolver, lockfiles, selection)?.contains(&needed.krate, &needed.version)
        {
            continue;
        }
        let libraries = Libraries::new(resolver.dirs, &env, &needed.to_string(), library)?;
        let folder = match libraries.find(library, needed.locked.as_ref()) {
            Some(folder) => folder,
            None => libraries.build(library, &sources(resolver, needed)?, resolver.shell)?,
        };
        variables.extend(library::variables(library, &folder));
    }
    Ok(variables)
}

/// The crate that carries the sources, as cargo unpacked it.
fn sources(resolver: &Resolver<'_>, needed: &LibraryOf) -> Result<crate::port::Upstream> {
    let library = &needed.library;
    let requirement = match &needed.locked {
        Some(version) => semver::VersionReq {
            comparators: vec![semver::Comparator {
                op: semver::Op::Exact,
                major: version.major,
                minor: Some(version.minor),
                patch: Some(version.patch),
                pre: version.pre.clone(),
            }],
        },
        None => library.version.clone(),
    };
    let start = || resolver.cargo.command();
    fetch::fetch(
        &start,
        &library.source,
        &requirement,
        resolver.invocation.offline,
    )
}
