//! Which packages of an app get a port.

use std::collections::BTreeSet;

use anyhow::Context as _;
use cargo_metadata::Package;
use semver::Version;

use super::by_itself::ByThemselves;
use super::evidence::ByEvidence;
use super::facade::OnFacade;
use super::graph::{Graph, is_crates_io};
use super::libraries::{self, LibraryOf};
use super::metadata::Resolved;
use super::notices::Notice;
use super::own::OwnCopy;
use super::reached::Reached;
use super::resolver::Resolver;
use super::stand_in::{STAND_IN, StandIn};
use crate::build::{Lockfile, Lockfiles};
use crate::error::Result;
use crate::port::{Port, Ports, Upstream, checksum_in_lock};

/// How often versions are replaced before we give up: each replacement can bring
/// other versions into the graph.
const ROUNDS: usize = 32;

/// What is decided for an app.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Packages that get a port, by name and version, as cargo unpacked them.
    pub upstreams: Vec<Upstream>,
    /// Whether the app depends on the published crate that one of ours stands in for.
    pub stand_in: bool,
    /// Packages that compile C when they are built.
    pub with_c: Vec<WithC>,
    /// C libraries that have to be built before the app.
    pub libraries: Vec<LibraryOf>,
    /// Packages that are built on the std facade without a port.
    pub on_facade: OnFacade,
    /// Packages that are ported by evidence.
    pub by_evidence: ByEvidence,
    /// Crates that are put on it by a look at their calls.
    pub by_themselves: ByThemselves,
    /// The ports, with those for these two.
    pub ports: Ports,
    /// What the user is to know of it.
    pub notices: Vec<Notice>,
    /// What the subcommand reaches, if that was needed to decide. See
    /// [`Resolver::reached`].
    pub reached: Option<Reached>,
}

/// A package that compiles C when it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithC {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// How it comes into the app, from one of the user's packages on.
    pub way: Option<String>,
}

impl std::fmt::Display for WithC {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.way {
            Some(way) => write!(f, "{way}"),
            None => write!(f, "{} {}", self.name, self.version),
        }
    }
}

/// Packages that stay as they are published although there is a port.
#[derive(Debug, Default)]
struct AsPublished {
    /// Versions of ours' namesake that ours cannot take the place of.
    namesakes: BTreeSet<Version>,
    /// Releases without which an app may do, if the port covers no allowed one.
    uncovered: BTreeSet<(String, Version)>,
    /// Releases that it may not do without, and of which the port covers no allowed one.
    unsupported: BTreeSet<(String, Version)>,
}

impl AsPublished {
    fn contains(&self, package: &Package) -> bool {
        let release = (package.name.to_string(), package.version.clone());
        self.uncovered.contains(&release)
    }

    fn is_unsupported(&self, package: &Package) -> bool {
        let release = (package.name.to_string(), package.version.clone());
        self.unsupported.contains(&release)
    }
}

/// A package with its port.
type WithPort<'a> = (&'a Package, &'a Port);

impl Resolver<'_> {
    /// Decides which packages get a port: all of the workspace that the graph has,
    /// so that the choice is the same whichever members are selected. Versions that
    /// no port covers are replaced by the nearest covered one in the private lockfile,
    /// if the subcommand reaches them; the others are none of its business.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::error::Error::Unsupported) when the requirements leave no covered version.
    pub fn select(&self, lockfiles: &mut Lockfiles) -> Result<Selection> {
        let stand_in = StandIn::embedded()?;
        let mut as_published = AsPublished::default();
        for _ in 0..ROUNDS {
            if let Some(selection) = self.round(lockfiles, &stand_in, &mut as_published)? {
                return Ok(selection);
            }
        }
        let replaced = lockfiles.replaced().iter();
        let replaced = replaced.map(|(krate, asked, used)| format!("{krate} {asked} by {used}"));
        Err(anyhow::anyhow!(
            "the versions of the ported crates do not settle: replaced {}",
            replaced.collect::<Vec<_>>().join(", ")
        )
        .into())
    }

    /// Looks at the graph as it is now, and replaces one version where that is
    /// needed. `None`: one was, so that the graph is another.
    fn round(
        &self,
        lockfiles: &mut Lockfiles,
        stand_in: &StandIn,
        as_published: &mut AsPublished,
    ) -> Result<Option<Selection>> {
        let resolved = self.metadata(lockfiles)?;
        let by_evidence = Resolver {
            ports: &resolved.by_evidence.ports,
            ..*self
        };
        let by_themselves = by_evidence.by_themselves(lockfiles, &resolved)?;
        let ports = by_themselves.ports(by_evidence.ports)?;
        let with_ports = Resolver {
            ports: &ports,
            ..*self
        };
        with_ports.choose(lockfiles, stand_in, as_published, &resolved, by_themselves)
    }

    /// Does it for what cargo resolved.
    fn choose(
        &self,
        lockfiles: &mut Lockfiles,
        stand_in: &StandIn,
        as_published: &mut AsPublished,
        resolved: &Resolved,
        by_themselves: ByThemselves,
    ) -> Result<Option<Selection>> {
        let graph = Graph::new(&resolved.metadata);
        let namesakes: Vec<&Package> = resolved
            .in_use()
            .filter(|package| StandIn::is_namesake(package))
            .filter(|package| self.ports.get(&package.name).is_none())
            .collect();
        let is_open = |package: &&&Package| {
            !stand_in.is_for(package) && !as_published.namesakes.contains(&package.version)
        };
        if let Some(&package) = namesakes.iter().find(is_open) {
            let replaced = stand_in.is_allowed(&graph.dependents(package))
                && self.update(lockfiles, package, stand_in.version())?;
            if !replaced {
                as_published.namesakes.insert(package.version.clone());
            }
            return Ok(None);
        }
        let (from_registry, own): (Vec<WithPort<'_>>, Vec<_>) = resolved
            .in_use()
            .filter_map(|package| Some((package, self.ports.get(&package.name)?)))
            .filter(|(package, port)| !port.is_unchanged(&package.version))
            .filter(|(package, _)| !as_published.contains(package))
            // Those are put on the facade as they are.
            .filter(|(package, port)| {
                is_crates_io(package) || !port.is_facade_alone("std", &package.version)
            })
            .partition(|(package, _)| is_crates_io(package));
        let (covered, mut uncovered): (Vec<WithPort<'_>>, Vec<_>) = from_registry
            .into_iter()
            .partition(|(package, port)| port.supports(&package.version));
        let mut of_subcommand = None;
        if !uncovered.is_empty() {
            let reached = self.reached_in(lockfiles, resolved)?;
            uncovered.retain(|(package, _)| reached.has(package));
            let mut open: Vec<&Package> = uncovered
                .iter()
                .map(|(package, _)| *package)
                .filter(|package| !as_published.is_unsupported(package))
                .collect();
            while let Some(next) = graph.topmost(&open)
                && let Some(port) = self.ports.get(&next.name)
            {
                if self.replace(lockfiles, &graph, next, port)? {
                    return Ok(None);
                }
                open.retain(|package| package.id != next.id);
                let release = (next.name.to_string(), next.version.clone());
                match port.is_optional() {
                    true => as_published.uncovered.insert(release),
                    false => as_published.unsupported.insert(release),
                };
            }
            uncovered.retain(|(package, _)| !as_published.contains(package));
            uncovered.sort_by_key(|(package, _)| (&package.name, &package.version));
            if !uncovered.is_empty() {
                let error = self.unsupported(resolved, &reached, &uncovered)?;
                if self.invocation.compiles() {
                    return Err(error);
                }
                self.shell.warn(error);
            }
            of_subcommand = Some(reached);
        }
        let with_c = graph.with_c().into_iter().map(|package| {
            let ways = graph.ways(&resolved.metadata, package, &|_| true, true);
            WithC {
                name: package.name.to_string(),
                version: package.version.clone(),
                way: ways.first().map(ToString::to_string),
            }
        });
        let mut notices = self.notices(lockfiles, &own, stand_in, as_published);
        let not_taken = resolved.by_evidence.own.clone().into_iter();
        notices.extend(not_taken.map(|(krate, from)| Notice::NotTaken { krate, from }));
        Ok(Some(Selection {
            upstreams: upstreams(lockfiles, &covered)?,
            stand_in: namesakes.iter().any(|package| stand_in.is_for(package)),
            with_c: with_c.collect(),
            libraries: libraries::of(&resolved.metadata, &covered),
            on_facade: self.on_facade(&resolved.metadata, &by_themselves)?,
            by_evidence: resolved.by_evidence.clone(),
            by_themselves,
            ports: self.ports.clone(),
            notices,
            reached: of_subcommand,
        }))
    }

    fn notices(
        &self,
        lockfiles: &Lockfiles,
        own: &[WithPort<'_>],
        stand_in: &StandIn,
        as_published: &AsPublished,
    ) -> Vec<Notice> {
        let covered = |krate: &str| Some(self.ports.get(krate)?.supported());
        let mut notices = Vec::new();
        for (krate, asked, used) in lockfiles.replaced().iter().cloned() {
            if krate == STAND_IN {
                let (asked, used) = (asked.clone(), used.clone());
                notices.push(Notice::UpdatedToStandIn { asked, used });
            }
            if let Some(covered) = covered(&krate) {
                notices.push(Notice::Replaced {
                    krate,
                    asked,
                    used,
                    covered,
                });
            }
        }
        notices.extend(own.iter().filter_map(|(package, port)| {
            Some(Notice::NotPorted {
                krate: package.name.to_string(),
                version: package.version.clone(),
                own: OwnCopy::of(package, port)?,
            })
        }));
        let namesakes = as_published.namesakes.iter().cloned();
        notices.extend(namesakes.map(|version| Notice::StandInRefused {
            version,
            ours: stand_in.version().clone(),
        }));
        let uncovered = as_published.uncovered.iter();
        notices.extend(uncovered.filter_map(|(krate, version)| {
            Some(Notice::NotCovered {
                krate: krate.clone(),
                version: version.clone(),
                covered: covered(krate)?,
            })
        }));
        notices
    }
}

/// The packages with their checksums, by name and version.
fn upstreams(lockfiles: &Lockfiles, packages: &[WithPort<'_>]) -> Result<Vec<Upstream>> {
    if packages.is_empty() {
        // An app without dependencies may have no lockfile.
        return Ok(Vec::new());
    }
    let path = lockfiles.path(Lockfile::Upstream);
    let lock = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let mut upstreams = Vec::new();
    for (package, _) in packages {
        let checksum = checksum_in_lock(&lock, &package.name, &package.version)?;
        upstreams.push(Upstream::from_package(package, checksum));
    }
    upstreams.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(upstreams)
}
