//! Which packages are built on the std facade without a port: the app's own.
//!
//! A package from the registry gets the facade by a rule, in a copy (which ones, beside
//! those that the setting names: [`super::by_itself`]). The app's packages are not copied:
//! rustc is told of the facade when it compiles them ([`crate::build::facade`]). Which
//! ones is decided here:
//!
//! * members of the workspace and path dependencies whose sources call what the
//!   facade has and std has not;
//! * what the setting `std-facade` names and no registry has;
//! * if there is one of these, or a copy that got the facade in this way and has sockets,
//!   whatever names a type that is another one on the facade. The app hands such values
//!   to tokio and gets them back, so both have to mean the same type. Without one of these
//!   nothing changes.
//!
//! `!NAME` in the setting keeps a package off it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};
use semver::Version;

use super::by_itself::ByThemselves;
use super::graph::{Graph, is_crates_io};
use super::resolver::Resolver;
use super::scans::Scans;
use super::stand_in::StandIn;
use super::std_calls::{self, Call, Remedy, Scope};
use crate::embedded;
use crate::error::Result;
use crate::port::{NOTICE_FILE, Support};

/// The crate that the facade stands for.
pub(super) const STD: &str = "std";

/// The packages that are built on the std facade without a port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnFacade {
    /// By name and version; empty: none.
    pub packages: Vec<Member>,
    /// Whether a ported crate brings the facade into the app's graph.
    pub in_graph: bool,
}

impl OnFacade {
    /// The one of this name and version.
    pub fn get(&self, package: &Package) -> Option<&Member> {
        let mut packages = self.packages.iter();
        packages.find(|each| *each.name == *package.name && each.version == package.version)
    }
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The folder of its manifest, as published.
    pub folder: PathBuf,
    /// Why it is one.
    pub reason: Reason,
    /// Whether its dependencies lead to the facade, so that cargo builds that first.
    pub leads: bool,
}

impl Member {
    /// Whether it is there on its own account.
    pub fn is_own(&self) -> bool {
        self.reason != Reason::Shares
    }
}

/// Why a package is built on the facade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It calls what the facade has.
    Calls(Call),
    /// The setting names it, or all that its port would do is this.
    Named,
    /// It shares types with the others.
    Shares,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.reason {
            Reason::Calls(Call {
                what, file, line, ..
            }) => write!(f, "{name} uses {what} ({file}:{line})"),
            Reason::Named => write!(f, "{name} is named in `std-facade`"),
            Reason::Shares => write!(f, "{name} shares std's types with them"),
        }
    }
}

/// A setting's `!NAME`s.
pub(super) fn kept_off(std_facade: &[String]) -> impl Iterator<Item = &str> {
    std_facade.iter().filter_map(|name| name.strip_prefix('!'))
}

impl Resolver<'_> {
    /// Decides it for the app's graph, for all that may be compiled for the target.
    /// `by_themselves`, crates have a copy on the facade.
    ///
    /// # Errors
    /// A source that cannot be read.
    pub(super) fn on_facade(
        &self,
        metadata: &Metadata,
        by_themselves: &ByThemselves,
    ) -> Result<OnFacade> {
        if !self.invocation.compiles_for_target() {
            return Ok(OnFacade::default());
        }
        let graph = Graph::new(metadata);
        let kinds = [DependencyKind::Normal, DependencyKind::Development];
        let built = graph.over(metadata.workspace_members.iter(), &kinds);
        let mut packages: Vec<&Package> = metadata
            .packages
            .iter()
            .filter(|package| built.contains(&package.id))
            .filter(|package| !kept_off(self.std_facade).any(|name| *package.name == name))
            .filter(|package| !by_themselves.keeps_off(package))
            .collect();
        let mut found: Vec<(&Package, Reason)> = Vec::new();
        for package in &packages {
            if let Some(reason) = self.own_reason(metadata, package)? {
                found.push((package, reason));
            }
        }
        let mut scans = Scans::new(self.dirs);
        let mut has_sockets = false;
        for package in packages.iter().filter(|package| is_crates_io(package)) {
            let is_asked = self.std_facade.iter().any(|name| *package.name == *name)
                || by_themselves.contains(&package.name);
            if is_asked && !has_sockets {
                has_sockets = scans.library(package)?.iter().any(Call::is_of_socket);
            }
        }
        // Most apps end here.
        if found.is_empty() && !has_sockets {
            scans.save();
            return Ok(OnFacade::default());
        }
        let support = embedded::support()?;
        let below = below_the_facade(metadata, &graph, &support)?;
        found.retain(|(package, _)| !below.contains(&package.id));
        packages.retain(|package| !below.contains(&package.id));
        if found.is_empty() && !has_sockets {
            return Ok(OnFacade::default());
        }
        for package in &packages {
            let is_found = found.iter().any(|(other, _)| other.id == package.id);
            let port = self.ports.get(&package.name);
            let has_facade = is_crates_io(package)
                && port.is_some_and(|port| port.has_facade(STD, &package.version));
            if is_found || has_facade {
                continue;
            }
            if scans.first(package, &[Remedy::Type])?.is_some() {
                found.push((package, Reason::Shares));
            }
        }
        scans.save();
        let facade = support.facade(STD)?;
        let brings = self.bringing(metadata, &support, facade)?;
        let mut members = Vec::new();
        for (package, reason) in found {
            let below = graph.over([&package.id], &[DependencyKind::Normal]);
            members.push(Member {
                name: package.name.to_string(),
                version: package.version.clone(),
                folder: folder(package),
                reason,
                leads: below.iter().any(|id| brings.contains(*id)),
            });
        }
        members.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        Ok(OnFacade {
            packages: members,
            in_graph: built.iter().any(|id| brings.contains(*id)),
        })
    }

    /// Why one of the app's own packages is on the facade.
    fn own_reason(&self, metadata: &Metadata, package: &Package) -> Result<Option<Reason>> {
        if is_crates_io(package) {
            return Ok(None);
        }
        // A copy of a ported crate, vendored by the user, has what it needs.
        if folder(package).join(NOTICE_FILE).is_file() {
            return Ok(None);
        }
        let port = self.ports.get(&package.name);
        if port.is_some_and(|port| port.is_facade_alone(STD, &package.version)) {
            return Ok(Some(Reason::Named));
        }
        // git and other registries: nobody here can mend such a package, so the
        // user says whether it is worth a try.
        if package.source.is_some() {
            return Ok(None);
        }
        let scope = match metadata.workspace_members.contains(&package.id) {
            true => Scope::Everything,
            false => Scope::Library,
        };
        let call = std_calls::first(package, scope, &[Remedy::Facade, Remedy::Waits])?;
        Ok(call.map(Reason::Calls))
    }

    /// Packages whose ported form brings the facade.
    fn bringing(
        &self,
        metadata: &Metadata,
        support: &Support,
        facade: &str,
    ) -> Result<BTreeSet<PackageId>> {
        let stand_in = StandIn::embedded()?;
        let brings = |package: &&Package| {
            let port = self.ports.get(&package.name);
            let ported = is_crates_io(package)
                && port.is_some_and(|port| port.brings(facade, &package.version, support));
            // Vendored by the user.
            ported || stand_in.is_for(package) || *package.name == facade
        };
        let packages = metadata.packages.iter().filter(brings);
        Ok(packages.map(|package| package.id.clone()).collect())
    }
}

/// Our own crates, where the app has them itself, and what they are made of: the
/// facade cannot be built on itself.
fn below_the_facade(
    metadata: &Metadata,
    graph: &Graph<'_>,
    support: &Support,
) -> Result<BTreeSet<PackageId>> {
    let stand_in = StandIn::embedded()?;
    let is_ours = |package: &&Package| {
        let name = package.name.as_str();
        stand_in.is_for(package)
            || package.source.is_none() && support.packages().any(|ours| ours == name)
    };
    let ours = metadata.packages.iter().filter(is_ours);
    let below = graph.over(ours.map(|package| &package.id), &[DependencyKind::Normal]);
    Ok(below.into_iter().cloned().collect())
}

fn folder(package: &Package) -> PathBuf {
    let folder = package.manifest_path.parent();
    folder.map_or_else(PathBuf::new, |folder| folder.as_std_path().to_owned())
}
