//! Which packages the user's subcommand reaches: of all that the workspace has,
//! those that the packages it selects lead to, with these features, on this target.
//!
//! `cargo metadata` knows no selection: it takes all members together, with the
//! features of all of them. `cargo tree` takes the user's own flags. It is asked
//! only when something is wrong with a package, so a build of which nothing is wrong
//! does not wait for it.

use std::collections::BTreeSet;

use anyhow::Context as _;
use cargo_metadata::Package;
use semver::Version;

use super::graph::Graph;
use super::metadata::Resolved;
use super::resolver::Resolver;
use crate::build::{Lockfile, Lockfiles};
use crate::error::Result;

/// The packages that a subcommand reaches, by name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached(BTreeSet<(String, Version)>);

impl Reached {
    /// Whether it reaches this package.
    pub fn contains(&self, name: &str, version: &Version) -> bool {
        self.0.contains(&(name.to_owned(), version.clone()))
    }

    pub(super) fn has(&self, package: &Package) -> bool {
        self.contains(&package.name, &package.version)
    }

    /// From what `cargo tree` prints with `--prefix none --format {p}`: a package a
    /// line, `name v1.2.3` and then where it comes from, or `(*)`.
    fn read(text: &str) -> Result<Reached> {
        let mut packages = BTreeSet::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let package = words.next().zip(words.next()).and_then(|(name, version)| {
                let version = version.strip_prefix('v')?.parse().ok()?;
                Some((name.to_owned(), version))
            });
            packages.insert(package.with_context(|| {
                format!("cannot read the output of `cargo tree`: `{line}` names no package")
            })?);
        }
        Ok(Reached(packages))
    }
}

impl Resolver<'_> {
    /// Asks cargo what the subcommand reaches.
    ///
    /// # Errors
    /// cargo's own: a package is selected that there is not, for one.
    pub fn reached(&self, lockfiles: &mut Lockfiles) -> Result<Reached> {
        let resolved = self.metadata(lockfiles)?;
        self.reached_in(lockfiles, &resolved)
    }

    /// How a package comes into the app, from one of the user's packages on.
    ///
    /// # Errors
    /// cargo's own.
    pub fn way_to(
        &self,
        lockfiles: &mut Lockfiles,
        name: &str,
        version: &Version,
    ) -> Result<Option<String>> {
        let resolved = self.metadata(lockfiles)?;
        let mut packages = resolved.metadata.packages.iter();
        let is_it = |package: &&Package| package.name == name && package.version == *version;
        let Some(package) = packages.find(is_it) else {
            return Ok(None);
        };
        let graph = Graph::new(&resolved.metadata);
        let ways = graph.ways(&resolved.metadata, package, &|_| true, true);
        Ok(ways.first().map(ToString::to_string))
    }

    pub(super) fn reached_in(
        &self,
        lockfiles: &mut Lockfiles,
        resolved: &Resolved,
    ) -> Result<Reached> {
        self.tree(lockfiles, resolved, "normal,build")
    }

    /// What is compiled for the target, without what only build scripts use. Macros, which
    /// are compiled for this machine, are in it.
    pub(super) fn reached_on_target(
        &self,
        lockfiles: &mut Lockfiles,
        resolved: &Resolved,
    ) -> Result<Reached> {
        self.tree(lockfiles, resolved, "normal")
    }

    /// Over dependencies of these kinds, and those for development where they count.
    fn tree(&self, lockfiles: &mut Lockfiles, resolved: &Resolved, edges: &str) -> Result<Reached> {
        let dev = match self.invocation.needs_dev_dependencies() {
            true => ",dev",
            false => "",
        };
        let edges = &format!("{edges}{dev}");
        let flags = ["--prefix=none", "--format={p}", "--edges", edges];
        let mut command = self.cargo.nested(self.invocation, "tree", flags);
        for platform in self.platforms(resolved.native) {
            command.args(["--target", platform]);
        }
        command
            .args(self.invocation.feature_args())
            .args(&self.invocation.selection)
            .args(lockfiles.args(Lockfile::Upstream));
        let text = lockfiles.output(Lockfile::Upstream, &mut command, self.shell)?;
        let mut reached = Reached::read(&String::from_utf8_lossy(&text))?;
        // What only other systems use is not reached, although cargo was asked for
        // one of them.
        let used = resolved.in_use();
        let used: BTreeSet<_> = used
            .map(|package| (package.name.to_string(), package.version.clone()))
            .collect();
        reached.0.retain(|package| used.contains(package));
        Ok(reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_package_whatever_follows() {
        let text = "app v0.1.0 (/the app)\nmio v1.2.5\n\nquote v1.0.1 (proc-macro) (*)\n\
                    zstd-sys v2.0.1+zstd.1.5.7\n";
        let reached = Reached::read(text).unwrap();
        for (name, version) in [
            ("app", "0.1.0"),
            ("mio", "1.2.5"),
            ("quote", "1.0.1"),
            ("zstd-sys", "2.0.1+zstd.1.5.7"),
        ] {
            assert!(reached.contains(name, &version.parse().unwrap()), "{name}");
        }
        assert!(!reached.contains("mio", &Version::new(1, 2, 4)));
        let error = Reached::read("nothing to print").unwrap_err().to_string();
        assert!(error.contains("`nothing to print`"), "{error}");
    }
}
