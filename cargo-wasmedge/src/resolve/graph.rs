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

    pub(super) fn package(&self, id: &PackageId) -> Option<&'a Package> {
        self.packages.get(id).copied()
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = (&'a PackageId, &'a cargo_metadata::Node)> {
        self.nodes.iter().map(|(id, node)| (*id, *node))
    }

    /// The features that a package is built with.
    pub(super) fn features(&self, id: &PackageId) -> Vec<&'a str> {
        let node = self.nodes.get(id).into_iter();
        node.flat_map(|node| node.features.iter().map(|feature| feature.as_str()))
            .collect()
    }

    /// What a package itself depends on, in whatever way.
    pub(super) fn depends(&self, id: &PackageId) -> impl Iterator<Item = &'a PackageId> {
        let node = self.nodes.get(id).into_iter();
        node.flat_map(|node| node.deps.iter().map(|dep| &dep.pkg))
    }

    /// A member of the workspace, with what it depends on.
    pub(super) fn member(&self, id: &PackageId) -> Option<(&'a Package, &'a cargo_metadata::Node)> {
        Some((self.package(id)?, self.nodes.get(id).copied()?))
    }

    /// Packages whose build scripts use the crate that all of them use for C: directly,
    /// or by way of `cmake`, `openssl-src` and others.
    pub(super) fn with_c(&self) -> Vec<&'a Package> {
        let compiles = |node: &cargo_metadata::Node| {
            let mut builds = node
                .deps
                .iter()
                .filter(|dep| has_kind(dep, DependencyKind::Build));
            builds.any(|dep| self.is_made_of_cc(&dep.pkg))
        };
        let found = self.nodes.iter().filter(|(_, node)| compiles(node));
        let found = found.filter_map(|(id, _)| self.package(id));
        let mut found: Vec<&Package> = found.collect();
        found.sort_by_key(|package| (&package.name, &package.version));
        found
    }

    /// Whether it is the crate `cc`, or is linked with it.
    fn is_made_of_cc(&self, package: &PackageId) -> bool {
        let mut seen = BTreeSet::from([package]);
        let mut todo = vec![package];
        while let Some(id) = todo.pop() {
            if self
                .packages
                .get(id)
                .is_some_and(|package| package.name == "cc")
            {
                return true;
            }
            for dep in self.nodes.get(id).iter().flat_map(|node| &node.deps) {
                if has_kind(dep, DependencyKind::Normal) && seen.insert(&dep.pkg) {
                    todo.push(&dep.pkg);
                }
            }
        }
        false
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

fn has_kind(dep: &cargo_metadata::NodeDep, kind: DependencyKind) -> bool {
    dep.dep_kinds.iter().any(|of| of.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cargo would say of packages that depend on each other: who, on whom, and
    /// of which kind (`null` is the ordinary one).
    fn metadata(packages: &[&str], depends: &[(&str, &str, Option<&str>)]) -> Metadata {
        let id = |name: &str| format!("registry+x#{name}@1.0.0");
        let all = packages.iter().map(|name| {
            serde_json::json!({
                "name": name, "version": "1.0.0", "id": id(name), "source": null,
                "dependencies": [], "targets": [], "features": {},
                "manifest_path": format!("/{name}/Cargo.toml"), "edition": "2021",
            })
        });
        let nodes = packages.iter().map(|name| {
            let deps = depends.iter().filter(|(who, ..)| who == name);
            let deps = deps.map(|(_, whom, kind)| {
                serde_json::json!({
                    "name": whom, "pkg": id(whom),
                    "dep_kinds": [{"kind": kind, "target": null}],
                })
            });
            serde_json::json!({
                "id": id(name), "dependencies": [], "features": [],
                "deps": deps.collect::<Vec<_>>(),
            })
        });
        let json = serde_json::json!({
            "packages": all.collect::<Vec<_>>(),
            "resolve": { "nodes": nodes.collect::<Vec<_>>(), "root": null },
            "workspace_members": [], "workspace_root": "/", "target_directory": "/target",
            "version": 1, "metadata": null,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn c_may_be_compiled_by_way_of_other_crates() {
        let packages = [
            "ring", "zlib", "ssl", "cmake", "src", "client", "tool", "cc",
        ];
        let metadata = metadata(
            &packages,
            &[
                ("ring", "cc", Some("build")),
                ("zlib", "cmake", Some("build")),
                ("cmake", "cc", None),
                ("ssl", "src", Some("build")),
                ("src", "cmake", None),
                // Its build script downloads something by TLS: that C is the machine's.
                ("tool", "client", Some("build")),
                ("client", "ring", None),
                // Compiles for others, and only in tests itself.
                ("client", "cc", Some("dev")),
            ],
        );
        let with_c = Graph::new(&metadata).with_c();
        let with_c: Vec<&str> = with_c.iter().map(|package| &**package.name).collect();
        assert_eq!(with_c, ["ring", "ssl", "zlib"]);
    }
}
