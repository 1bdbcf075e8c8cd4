//! Other versions of crates that no port covers as they are.

use cargo_metadata::Package;
use semver::{Version, VersionReq};

use super::app::shown;
use super::fetch::newest_release;
use super::graph::Graph;
use super::resolver::Resolver;
use super::versions::{all_of, are_apart, nearest, newest};
use crate::build::{Lockfile, Lockfiles};
use crate::error::{Error, Result};
use crate::port::Port;
use crate::process::Failed;

impl Resolver<'_> {
    /// Replaces `package` by the nearest covered version that all requirements allow.
    pub(super) fn replace(
        &self,
        lockfiles: &mut Lockfiles,
        graph: &Graph<'_>,
        package: &Package,
        port: &Port,
    ) -> Result<()> {
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
        let Some(version) = found else {
            return Err(self.unsupported(package, port, &dependents));
        };
        match self.update(lockfiles, package, &version)? {
            true => Ok(()),
            false => Err(self.unsupported(package, port, &dependents)),
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

    fn unsupported(
        &self,
        package: &Package,
        port: &Port,
        dependents: &[(&Package, &VersionReq)],
    ) -> Error {
        let (name, version) = (package.name.to_string(), &package.version);
        let newest = newest(port.requirements());
        // Who leaves no covered version; with nobody to blame, all of them together.
        let blocking: Vec<&(&Package, &VersionReq)> = dependents
            .iter()
            .filter(|(_, req)| {
                port.requirements()
                    .iter()
                    .all(|covered| are_apart(req, covered))
            })
            .collect();
        let blamed = if blocking.is_empty() {
            dependents.iter().collect()
        } else {
            blocking
        };
        let by: Vec<String> = blamed
            .iter()
            .map(|(by, req)| format!("{} {} requires `{req}`", by.name, by.version))
            .collect();
        let mend = match blamed.first() {
            Some((by, _)) if by.source.is_none() => format!(
                "set `{name} = \"{newest}\"` in {}",
                shown(by.manifest_path.as_std_path())
            ),
            Some((by, _)) => format!(
                "cargo update -p {} (or take a newer {} in Cargo.toml), so that it requires {name} {newest}",
                by.name, by.name
            ),
            None => format!("cargo update -p {name}@{version} --precise {newest}"),
        };
        Error::UnsupportedVersion {
            krate: name,
            asked: match by.is_empty() {
                true => version.to_string(),
                false => format!("{version} ({})", by.join(", ")),
            },
            supported: port.supported(),
            mend,
        }
    }
}
