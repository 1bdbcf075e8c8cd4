//! Other versions of crates that no port covers as they are.

use cargo_metadata::Package;
use semver::{Version, VersionReq};

use super::fetch::newest_release;
use super::graph::Graph;
use super::resolver::Resolver;
use super::versions::{all_of, are_apart, nearest};
use crate::build::{Lockfile, Lockfiles};
use crate::error::Result;
use crate::port::Port;
use crate::process::Failed;

impl Resolver<'_> {
    /// Replaces `package` by the nearest covered version that all requirements allow.
    /// `false`: they allow none.
    pub(super) fn replace(
        &self,
        lockfiles: &mut Lockfiles,
        graph: &Graph<'_>,
        package: &Package,
        port: &Port,
    ) -> Result<bool> {
        let dependents = graph.dependents(package);
        let reqs: Vec<&VersionReq> = dependents.iter().map(|(_, req)| *req).collect();
        let covered = port.requirements();
        let mut candidates = vec![nearest(covered, &package.version)];
        candidates.extend(covered.iter().rev().cloned());
        let mut found = None;
        for candidate in candidates {
            // `=1.40.0` and the like need no question to the registry.
            if reqs.iter().any(|req| are_apart(req, &candidate)) {
                continue;
            }
            let both = all_of(&candidate, &reqs)?;
            let start = || self.cargo.command();
            found = newest_release(&start, &package.name, &both, self.invocation.offline)?;
            if found.is_some() {
                break;
            }
        }
        match found {
            // A pre-release that the requirements name meets them, and no port's: it is what
            // is there already.
            Some(version) if version != package.version => {
                self.update(lockfiles, package, &version)
            }
            _ => Ok(false),
        }
    }

    /// Locks another version of `package`. `false`: cargo does not allow it.
    pub(super) fn update(
        &self,
        lockfiles: &mut Lockfiles,
        package: &Package,
        version: &Version,
    ) -> Result<bool> {
        let spec = format!("{}@{}", package.name, package.version);
        let mut command = self.cargo.nested(
            self.invocation,
            "update",
            [
                "--package",
                &spec,
                "--precise",
                &version.to_string(),
                "--quiet",
            ],
        );
        command.args(lockfiles.args(Lockfile::Upstream));
        match lockfiles.output(Lockfile::Upstream, &mut command, self.shell) {
            Ok(_) => {}
            Err(error) if Failed::is_cause_of(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        lockfiles.add_replaced(
            &package.name,
            &package.version.to_string(),
            &version.to_string(),
        )?;
        Ok(true)
    }
}
