//! Which crates get a port by evidence: one that names no crate, but what speaks for it.
//!
//! Crates of the registry that are compiled for the target and have no port of their own
//! are looked at. One is taken if a dependency of it speaks for it, a condition in its
//! sources is changed by the port's rules, and none speaks against it. The setting of the port's
//! name takes further ones, whatever speaks for them; `!NAME` leaves one as published.
//! A crate from a folder or from git is the user's own, and never changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cargo_metadata::{DependencyKind, Metadata, PackageId};
use semver::Version;

use super::graph::{Graph, is_crates_io};
use super::own::from;
use super::resolver::Resolver;
use crate::error::Result;
use crate::port::{Gate, Ports, Upstream};

/// The setting that names crates, which is the port's name, too.
pub const SETTING: &str = "browser-gates";

/// A crate that is ported by evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What is said of it.
    pub says: String,
    /// What speaks for it.
    pub reason: String,
    /// The first of its conditions that is changed.
    pub gate: Option<Gate>,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}: {}", self.name, self.version, self.says)
    }
}

/// The crates of an app that are.
#[derive(Debug, Clone, Default)]
pub struct ByEvidence {
    /// In the order in which they were found.
    pub taken: Vec<Taken>,
    /// The app's ports, with those for them.
    pub ports: Ports,
    /// Crates that the setting names and that are the user's own, with where from.
    pub own: BTreeMap<String, String>,
}

impl ByEvidence {
    /// None yet.
    pub(super) fn new(ports: &Ports) -> ByEvidence {
        ByEvidence {
            taken: Vec::new(),
            ports: ports.clone(),
            own: BTreeMap::new(),
        }
    }

    /// The one of this name and version.
    pub fn get(&self, name: &str, version: &Version) -> Option<&Taken> {
        let mut taken = self.taken.iter();
        taken.find(|taken| taken.name == name && taken.version == *version)
    }
}

impl Resolver<'_> {
    /// Adds those among the packages that are `used`; says whether there were any new.
    ///
    /// # Errors
    /// A source that cannot be read.
    pub(super) fn take_by_evidence(
        &self,
        metadata: &Metadata,
        used: &BTreeSet<PackageId>,
        found: &mut ByEvidence,
    ) -> Result<bool> {
        let graph = Graph::new(metadata);
        let kinds = [DependencyKind::Normal, DependencyKind::Development];
        let built = graph.over(metadata.workspace_members.iter(), &kinds);
        let before = found.taken.len();
        while self.take_some(&graph, used, &built, found)? {}
        Ok(found.taken.len() > before)
    }

    /// One look at all packages; says whether there were any new.
    fn take_some(
        &self,
        graph: &Graph<'_>,
        used: &BTreeSet<PackageId>,
        built: &BTreeSet<&PackageId>,
        found: &mut ByEvidence,
    ) -> Result<bool> {
        let before = found.taken.len();
        let neighbours = neighbours(graph, found);
        for (id, node) in graph.nodes() {
            let Some(package) = graph.package(id) else {
                continue;
            };
            let is_named = self.browser_gates.iter().any(|name| *package.name == *name);
            if is_named && !is_crates_io(package) && used.contains(id) {
                let from = from(package);
                found.own.insert(package.name.to_string(), from);
            }
            let is_candidate = used.contains(id)
                && built.contains(id)
                && is_crates_io(package)
                && found.ports.is_free(&package.name)
                && found.get(&package.name, &package.version).is_none();
            let mut refused = self.browser_gates.iter().map(|name| name.strip_prefix('!'));
            if !is_candidate || refused.any(|name| name == Some(package.name.as_str())) {
                continue;
            }
            let features = node.features.iter().map(|feature| feature.as_str());
            let features = features.collect();
            for port in self.ports.by_evidence() {
                let Some(evidence) = port.evidence() else {
                    continue;
                };
                let is_taken = |name: &str| found.taken.iter().any(|taken| taken.name == name);
                let witness = port.witness(package, &features, is_taken)?;
                let is_named = is_named && evidence.name == SETTING;
                let is_known = evidence.crates.iter().any(|name| *package.name == *name);
                let worth_a_look = is_named
                    || is_known
                    || witness.is_some()
                    || neighbours.contains(id)
                    || port.may_have_twins(package)?;
                if !worth_a_look {
                    continue;
                }
                let gates = port.gates(&Upstream::from_package(package, None))?;
                let twins = || {
                    let file = gates.twins.as_ref()?;
                    Some(format!("has less to send on wasm ({file})"))
                };
                let reason = match (is_named, is_known) {
                    (true, _) => Some(format!("is named in `{SETTING}`")),
                    (_, true) => Some("is known for it".to_owned()),
                    _ => witness.or_else(twins),
                };
                let speaks = match gates.first {
                    Some(_) => is_named || is_known || gates.unless.is_none(),
                    None => is_named,
                };
                let Some(reason) = reason.filter(|_| speaks) else {
                    continue;
                };
                found.ports.take(port, &package.name, &package.version)?;
                found.taken.push(Taken {
                    name: package.name.to_string(),
                    version: package.version.clone(),
                    says: evidence.says.clone(),
                    reason,
                    gate: gates.first,
                });
                break;
            }
        }
        Ok(found.taken.len() > before)
    }
}

/// What depends on a taken crate, or is depended on by one. What passes between them can
/// be sent in one of them now, so it may have to be in the other, whose manifest need not
/// tell.
fn neighbours<'a>(graph: &Graph<'a>, found: &ByEvidence) -> BTreeSet<&'a PackageId> {
    let is_taken = |id: &PackageId| {
        let package = graph.package(id);
        package.is_some_and(|package| found.get(&package.name, &package.version).is_some())
    };
    let mut neighbours = BTreeSet::new();
    for (id, _) in graph.nodes() {
        for below in graph.depends(id) {
            if is_taken(id) {
                neighbours.insert(below);
            }
            if is_taken(below) {
                neighbours.insert(id);
            }
        }
    }
    neighbours
}
