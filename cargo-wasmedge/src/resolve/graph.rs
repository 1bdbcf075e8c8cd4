//! The resolved graph of an app.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};
use semver::VersionReq;

use super::stand_in::StandIn;

/// Whether a package comes from crates.io, so that cargo can be told to take it
/// from elsewhere.
pub(super) fn is_crates_io(package: &Package) -> bool {
    package
        .source
        .as_ref()
        .is_some_and(|source| source.is_crates_io())
}

/// What `cargo metadata` resolved, for walking.
pub(super) struct Graph<'a> {
    packages: BTreeMap<&'a PackageId, &'a Package>,
    nodes: BTreeMap<&'a PackageId, &'a cargo_metadata::Node>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(metadata: &'a Metadata) -> Graph<'a> {
        let packages = metadata
            .packages
            .iter()
            .map(|package| (&package.id, package));
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        Graph {
            packages: packages.collect(),
            nodes: nodes.map(|node| (&node.id, node)).collect(),
        }
    }

    /// Packages whose build scripts use the crate that all of them use for C.
    pub(super) fn with_c(&self) -> Vec<String> {
        let compiles = |node: &cargo_metadata::Node| {
            node.deps.iter().any(|dep| {
                let builds =
                    |kind: &cargo_metadata::DepKindInfo| kind.kind == DependencyKind::Build;
                let name = self
                    .packages
                    .get(&dep.pkg)
                    .map(|package| package.name.as_str());
                name == Some("cc") && dep.dep_kinds.iter().any(builds)
            })
        };
        let found = self.nodes.iter().filter(|(_, node)| compiles(node));
        let mut found: Vec<String> = found
            .filter_map(|(id, _)| self.packages.get(*id))
            .map(|package| format!("{} {}", package.name, package.version))
            .collect();
        found.sort();
        found
    }

    /// The packages that depend on `package`, each with its requirement.
    pub(super) fn dependents(&self, package: &Package) -> Vec<(&'a Package, &'a VersionReq)> {
        let mut found = Vec::new();
        for (id, node) in &self.nodes {
            if !node.deps.iter().any(|dep| dep.pkg == package.id) {
                continue;
            }
            let Some(by) = self.packages.get(*id) else {
                continue;
            };
            let is_member = by.source.is_none();
            for dependency in &by.dependencies {
                // A package may depend on several versions under several names;
                // the requirement that meets this one is the one that led here.
                let counts = dependency.kind != DependencyKind::Development || is_member;
                if dependency.name == package.name.as_str()
                    && counts
                    && dependency.req.matches(&package.version)
                {
                    found.push((*by, &dependency.req));
                }
            }
        }
        found
    }

    /// Of some packages, one that none of the others leads to: replacing it may
    /// do away with the others.
    pub(super) fn topmost(&self, packages: &[&'a Package]) -> Option<&'a Package> {
        let below: Vec<BTreeSet<&PackageId>> = packages
            .iter()
            .map(|package| self.below(&package.id))
            .collect();
        let is_below = |package: &Package, own: usize| {
            below
                .iter()
                .enumerate()
                .any(|(at, below)| at != own && below.contains(&package.id))
        };
        let top = packages
            .iter()
            .enumerate()
            .find(|(at, package)| !is_below(package, *at));
        // In a cycle (through dev-dependencies) any will do.
        top.map(|(_, package)| *package)
            .or(packages.first().copied())
    }

    /// Packages that the workspace leads to, but for those that only the published
    /// crate needs that ours stands in for.
    pub(super) fn reached(&self, metadata: &Metadata, stand_in: &StandIn) -> BTreeSet<PackageId> {
        let mut seen: BTreeSet<PackageId> = BTreeSet::new();
        let mut todo: Vec<&PackageId> = metadata.workspace_members.iter().collect();
        while let Some(id) = todo.pop() {
            let Some(node) = self.nodes.get(id) else {
                continue;
            };
            if !seen.insert(id.clone()) {
                continue;
            }
            let is_replaced = |package: &&Package| stand_in.is_for(package);
            if !self.packages.get(id).is_some_and(is_replaced) {
                todo.extend(node.deps.iter().map(|dep| &dep.pkg));
            }
        }
        seen
    }

    /// Packages that are compiled into the workspace's members, without those that
    /// only build scripts and macros use.
    pub(super) fn compiled_in(&self, metadata: &'a Metadata) -> BTreeSet<&'a PackageId> {
        let members = metadata.workspace_members.iter();
        self.over(members, &[DependencyKind::Normal])
    }

    /// These packages, and those that they lead to through dependencies of these kinds,
    /// without what only macros use.
    pub(super) fn over(
        &self,
        from: impl IntoIterator<Item = &'a PackageId>,
        kinds: &[DependencyKind],
    ) -> BTreeSet<&'a PackageId> {
        let mut seen: BTreeSet<&PackageId> = BTreeSet::new();
        let mut todo: Vec<&PackageId> = from.into_iter().collect();
        while let Some(id) = todo.pop() {
            let is_macro = |package: &&Package| package.targets.iter().any(|t| t.is_proc_macro());
            if self.packages.get(id).is_some_and(is_macro) || !seen.insert(id) {
                continue;
            }
            for dep in self.nodes.get(id).iter().flat_map(|node| &node.deps) {
                if dep.dep_kinds.iter().any(|kind| kinds.contains(&kind.kind)) {
                    todo.push(&dep.pkg);
                }
            }
        }
        seen
    }

    /// Everything that a package leads to.
    pub(super) fn below(&self, package: &PackageId) -> BTreeSet<&'a PackageId> {
        let mut seen = BTreeSet::new();
        let mut todo = Vec::from_iter(self.nodes.get(package));
        while let Some(node) = todo.pop() {
            for dep in &node.deps {
                if seen.insert(&dep.pkg) {
                    todo.extend(self.nodes.get(&dep.pkg));
                }
            }
        }
        seen
    }
}
