//! How a crate comes into an app: on which ways from the user's own packages, so
//! that messages speak of dependencies that the user wrote.

use std::collections::{BTreeMap, VecDeque};

use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};

use super::graph::Graph;

/// One way to a package.
#[derive(Debug, Clone)]
pub(super) struct Way<'a> {
    /// The member that it begins at, the member's own dependency, …, the package.
    pub(super) packages: Vec<&'a Package>,
}

impl<'a> Way<'a> {
    /// The member of the workspace that it begins at.
    pub(super) fn member(&self) -> &'a Package {
        self.packages[0]
    }

    /// The dependency that stands in the member's manifest; `None`: the way ends at
    /// the member.
    pub(super) fn own(&self) -> Option<&'a Package> {
        self.packages.get(1).copied()
    }
}

/// `app -> axum 0.6.20 -> hyper 0.14.32`. What is the user's has no version.
impl std::fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, package) in self.packages.iter().enumerate() {
            match at {
                0 => write!(f, "{}", package.name)?,
                _ => write!(f, " -> {} {}", package.name, package.version)?,
            }
        }
        Ok(())
    }
}

impl<'a> Graph<'a> {
    /// The shortest way to `package` through each dependency that a member of the
    /// workspace has, over packages that `counts` holds for. `dev`: dev-dependencies
    /// count.
    pub(super) fn ways(
        &self,
        metadata: &Metadata,
        package: &'a Package,
        counts: &dyn Fn(&Package) -> bool,
        dev: bool,
    ) -> Vec<Way<'a>> {
        let members = || metadata.workspace_members.iter();
        if members().any(|member| *member == package.id) {
            return vec![Way {
                packages: vec![package],
            }];
        }
        let nearer = self.nearer_to(&package.id, counts);
        let mut ways = Vec::new();
        for (member, node) in members().filter_map(|id| self.member(id)) {
            if !counts(member) {
                continue;
            }
            for dep in &node.deps {
                let is_normal = |kind: &cargo_metadata::DepKindInfo| {
                    dev || kind.kind != DependencyKind::Development
                };
                let is_members = members().any(|member| *member == dep.pkg);
                if is_members || !dep.dep_kinds.iter().any(is_normal) {
                    continue;
                }
                let mut packages = vec![member];
                let mut next = Some(&dep.pkg).filter(|id| nearer.contains_key(id));
                while let Some((found, id)) = next.and_then(|id| Some((self.package(id)?, id))) {
                    packages.push(found);
                    next = nearer.get(id).copied().flatten();
                }
                if packages.len() > 1 {
                    ways.push(Way { packages });
                }
            }
        }
        ways
    }

    /// For each package that leads to this one, the next on the shortest way; `None`
    /// at its end.
    fn nearer_to(
        &self,
        package: &'a PackageId,
        counts: &dyn Fn(&Package) -> bool,
    ) -> BTreeMap<&'a PackageId, Option<&'a PackageId>> {
        let mut above: BTreeMap<&PackageId, Vec<&'a PackageId>> = BTreeMap::new();
        for (id, node) in self.nodes() {
            if self.package(id).is_some_and(counts) {
                for dep in &node.deps {
                    above.entry(&dep.pkg).or_default().push(id);
                }
            }
        }
        let mut nearer = BTreeMap::from([(package, None)]);
        let mut todo = VecDeque::from([package]);
        while let Some(id) = todo.pop_front() {
            for by in above.get(id).into_iter().flatten().copied() {
                nearer.entry(by).or_insert_with(|| {
                    todo.push_back(by);
                    Some(id)
                });
            }
        }
        nearer
    }
}
