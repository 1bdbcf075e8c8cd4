//! What the user is told of versions that no port covers and that cannot be
//! replaced: all of them at once, and for each of the user's own dependencies
//! through which they come what helps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use cargo_metadata::{Package, PackageId};
use semver::VersionReq;

use super::app::shown;
use super::blame::Way;
use super::graph::{Graph, is_crates_io};
use super::metadata::Resolved;
use super::reached::Reached;
use super::remedy::{Question, Remedy, line_of};
use super::resolver::Resolver;
use super::versions::{are_apart, newest};
use crate::error::{Error, Result, Unsupported};
use crate::port::Port;

/// The ways that begin with one dependency of the user's, and the crates that come on
/// them.
type Brought<'a> = (Vec<Way<'a>>, Vec<&'a str>);

impl Resolver<'_> {
    /// The error for `packages`, which are reached and have no covered version.
    ///
    /// # Errors
    /// cargo cannot be started.
    pub(super) fn unsupported<'a>(
        &self,
        resolved: &'a Resolved,
        reached: &Reached,
        packages: &[(&'a Package, &Port)],
    ) -> Result<Error> {
        let graph = Graph::new(&resolved.metadata);
        let mut crates = Vec::new();
        let mut mends = Vec::new();
        // By the dependency: what mends one way mends all of them.
        let mut brought: BTreeMap<&PackageId, Brought<'a>> = BTreeMap::new();
        for (package, port) in packages {
            let wanted = newest(port.requirements());
            let mut ways = Vec::new();
            let (blocking, is_reached) = blocking(&graph, package, port, reached);
            for (by, req) in blocking {
                let counts = |package: &Package| !is_reached || reached.has(package);
                let dev = !is_reached || self.invocation.needs_dev_dependencies();
                for mut way in graph.ways(&resolved.metadata, by, &counts, dev) {
                    way.packages.push(package);
                    ways.push(format!("{way} ({} requires `{req}`)", by.name));
                    let Some(own) = way.own() else { continue };
                    if own.id == package.id {
                        let manifest = shown(way.member().manifest_path.as_std_path());
                        mends.push(format!("`{} = \"{wanted}\"` in {manifest}", package.name));
                        continue;
                    }
                    let (ways, crates) = brought.entry(&own.id).or_default();
                    ways.push(way);
                    if !crates.contains(&package.name.as_str()) {
                        crates.push(&package.name);
                    }
                }
            }
            if ways.is_empty() {
                let spec = format!("{}@{}", package.name, package.version);
                mends.push(format!("cargo tree -i {spec} shows where it comes from"));
            }
            crates.push(Unsupported {
                krate: package.name.to_string(),
                version: package.version.to_string(),
                supported: port.supported(),
                ways,
            });
        }
        if !self.invocation.compiles() {
            // A warning is no reason to wait for the registry.
            return Ok(Error::Unsupported { crates, mends });
        }
        if !brought.is_empty() && !self.invocation.offline {
            let owns = brought.values().filter_map(|(ways, _)| ways[0].own());
            let names: Vec<&str> = owns.map(|own| own.name.as_str()).collect();
            let what = format!("for releases of {} that work", names.join(", "));
            self.shell.status("Looking", what);
        }
        let since = Instant::now();
        for (ways, crates) in brought.values() {
            mends.extend(self.mend(ways, crates, since)?);
        }
        let mut told = BTreeSet::new();
        mends.retain(|mend| told.insert(mend.clone()));
        Ok(Error::Unsupported { crates, mends })
    }

    /// What helps with a dependency of the user's that brings these crates.
    fn mend(&self, ways: &[Way<'_>], crates: &[&str], since: Instant) -> Result<Option<String>> {
        let Some((way, own)) = ways.first().and_then(|way| Some((way, way.own()?))) else {
            return Ok(None);
        };
        let member = way.member();
        let manifests = ways.iter().map(|way| &way.member().manifest_path);
        let manifests: BTreeSet<String> = manifests.map(|path| shown(path.as_std_path())).collect();
        let manifest = Vec::from_iter(manifests).join(" and ");
        let (name, version) = (&own.name, &own.version);
        let is_this = |dependency: &&cargo_metadata::Dependency| {
            dependency.name == name.as_str() && dependency.req.matches(version)
        };
        let declared = member.dependencies.iter().find(is_this);
        let Some(declared) = declared.filter(|_| is_crates_io(own)) else {
            return Ok(Some(format!(
                "another version of {name} in {manifest}: this one is not from crates.io"
            )));
        };
        let start = || self.cargo.command();
        let question = Question {
            cargo: &start,
            offline: self.invocation.offline,
            ports: self.ports,
            package: own,
            declared,
            unsupported: crates,
            since,
        };
        Ok(Some(match question.ask()? {
            // What it depends on has newer releases, which it allows.
            Remedy::Update(found) if found == *version => {
                let below = ways.iter().flat_map(|way| {
                    let between = &way.packages[2..way.packages.len() - 1];
                    match between {
                        [] => &way.packages[1..2],
                        between => between,
                    }
                });
                let specs: BTreeSet<String> = below
                    .map(|package| format!("-p {}@{}", package.name, package.version))
                    .collect();
                format!("cargo update {}", Vec::from_iter(specs).join(" "))
            }
            Remedy::Update(found) => {
                format!("cargo update -p {name}@{version}: {name} {found} works")
            }
            Remedy::Require { oldest, newest } => {
                let key = declared.rename.as_deref().unwrap_or(name);
                let (first, last) = (line_of(&oldest), line_of(&newest));
                let works = match first == last {
                    true => format!("{name} {newest} works"),
                    false => format!("{name} works from {first} on"),
                };
                format!("`{key} = \"{last}\"` in {manifest}: {works}")
            }
            Remedy::None(newest) => {
                let newest = newest.map(|newest| format!(", not even {newest}"));
                format!(
                    "do without {name} in {manifest}: no release of it works{}",
                    newest.unwrap_or_default()
                )
            }
            Remedy::Unknown(why) => {
                format!(
                    "a newer {name} in {manifest} (which one works, cannot be looked up: {why})"
                )
            }
        }))
    }
}

/// Who leaves no covered version, each with its requirement; with nobody to blame
/// alone, all of them together. `true`: the subcommand reaches them. Others count
/// only where none of those does: a package that is not selected may pin a version
/// for the whole workspace.
fn blocking<'a>(
    graph: &Graph<'a>,
    package: &'a Package,
    port: &Port,
    reached: &Reached,
) -> (Vec<(&'a Package, &'a VersionReq)>, bool) {
    let all = graph.dependents(package);
    let leaves_none = |req: &VersionReq| {
        let mut covered = port.requirements().iter();
        covered.all(|covered| are_apart(req, covered))
    };
    let apart: Vec<_> = all.iter().filter(|(_, req)| leaves_none(req)).collect();
    let within: Vec<_> = apart.iter().filter(|(by, _)| reached.has(by)).collect();
    if !within.is_empty() {
        return (within.into_iter().map(|each| **each).collect(), true);
    }
    if !apart.is_empty() {
        return (apart.into_iter().copied().collect(), false);
    }
    let within = all.into_iter().filter(|(by, _)| reached.has(by));
    (within.collect(), true)
}
