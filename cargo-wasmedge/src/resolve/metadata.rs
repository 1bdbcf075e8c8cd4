//! What cargo resolves for an app, without ported crates.

use std::collections::BTreeSet;
use std::process::Command;

use cargo_metadata::{Metadata, Package, PackageId};

use super::app::parse;
use super::by_itself::ByThemselves;
use super::evidence::ByEvidence;
use super::facade::{Member, OnFacade};
use super::graph::{Graph, is_crates_io};
use super::resolver::Resolver;
use super::stand_in::StandIn;
use crate::build::{Lockfile, Lockfiles};
use crate::error::Result;
use crate::port::Ports;
use crate::process;
use crate::toolchain::rust::TARGET;

/// Ports open, for our target, what upstream has for this one; dependencies too.
/// So the graph with the ported crates in it is the graph of both. For those that
/// say that they open more, see [`Port::has_native_dependencies`].
const OPENED: &str = "wasm32-wasip2";

/// The app's graph, whichever of its packages are selected.
pub(super) struct Resolved {
    /// What cargo says, without ported crates.
    pub(super) metadata: Metadata,
    /// The packages that the graph on the guest has with them.
    used: BTreeSet<PackageId>,
    /// Whether a port makes the guest take the dependencies of other systems.
    pub(super) native: bool,
    /// The crates that are ported by evidence, and all ports.
    pub(super) by_evidence: ByEvidence,
}

impl Resolved {
    /// The packages that the graph on the guest has.
    pub(super) fn in_use(&self) -> impl Iterator<Item = &Package> {
        let packages = self.metadata.packages.iter();
        packages.filter(|package| self.used.contains(&package.id))
    }
}

/// What is compiled into an app.
#[derive(Debug)]
pub struct CompiledIn {
    /// The packages.
    pub packages: Vec<Package>,
    /// Those that are built on the std facade without a port.
    pub on_facade: OnFacade,
    /// Those that are put on it by a look at their calls.
    pub by_themselves: ByThemselves,
    /// Those that are ported by evidence, and the ports with theirs.
    pub by_evidence: ByEvidence,
}

impl Resolver<'_> {
    /// `cargo metadata` of the app without ported crates.
    pub(super) fn metadata(&self, lockfiles: &mut Lockfiles) -> Result<Resolved> {
        let stand_in = StandIn::embedded()?;
        let mut command = self.metadata_command(lockfiles.args(Lockfile::Upstream));
        let metadata = parse(&lockfiles.output(Lockfile::Upstream, &mut command, self.shell)?)?;
        let graph = Graph::new(&metadata);
        let mut used = graph.reached(&metadata, &stand_in);
        let mut by_evidence = ByEvidence::new(self.ports);
        self.take_by_evidence(&metadata, &used, &mut by_evidence)?;
        if opened(&metadata, &used, &by_evidence.ports).is_empty() {
            return Ok(Resolved {
                metadata,
                used,
                native: false,
                by_evidence,
            });
        }
        let host = &self.cargo.toolchain().host;
        let mut command = self.metadata_command(lockfiles.args(Lockfile::Upstream));
        command.args(["--filter-platform", host]);
        let wider = parse(&lockfiles.output(Lockfile::Upstream, &mut command, self.shell)?)?;
        let graph = Graph::new(&wider);
        let reached = graph.reached(&wider, &stand_in);
        // What is opened may bring crates for which there is evidence, which open more.
        loop {
            for id in opened(&wider, &used, &by_evidence.ports) {
                let below = graph.below(&id).into_iter();
                used.extend(below.filter(|id| reached.contains(id)).cloned());
            }
            if !self.take_by_evidence(&wider, &used, &mut by_evidence)? {
                break;
            }
        }
        Ok(Resolved {
            metadata: wider,
            used,
            native: true,
            by_evidence,
        })
    }

    /// The platforms whose dependencies the ported app may have; `native`: a port
    /// takes those of other systems.
    pub(super) fn platforms(&self, native: bool) -> Vec<&str> {
        let target = self.invocation.target.first();
        let target = target.and_then(|target| target.to_str());
        let mut platforms = vec![target.unwrap_or(TARGET), OPENED];
        if native {
            platforms.push(&self.cargo.toolchain().host);
        }
        platforms
    }

    pub(crate) fn metadata_command(&self, args: Vec<String>) -> Command {
        let mut command = self
            .cargo
            .nested(self.invocation, "metadata", ["--format-version=1"]);
        for platform in self.platforms(false) {
            command.args(["--filter-platform", platform]);
        }
        command.args(self.invocation.feature_args()).args(args);
        if self.invocation.quiet {
            command.env("CARGO_TERM_QUIET", "true");
        }
        command
    }

    /// With `--locked`, fails as cargo would when the app's own lockfile is
    /// missing or out of date.
    ///
    /// # Errors
    /// [`process::Failed`], after cargo's own message.
    pub fn check_locked(&self) -> Result<()> {
        if self.invocation.locked {
            let mut command = self.metadata_command(vec!["--locked".into()]);
            process::output(&mut command, self.shell)?;
        }
        Ok(())
    }

    /// Packages that are compiled into the app for the target, without those that
    /// only build scripts and macros use; those that are built on the std facade; and
    /// those that are ported by evidence.
    ///
    /// # Errors
    /// cargo's own.
    pub fn compiled_in(&self, lockfiles: &mut Lockfiles) -> Result<CompiledIn> {
        let resolved = self.metadata(lockfiles)?;
        let with_evidence = Resolver {
            ports: &resolved.by_evidence.ports,
            ..*self
        };
        let by_themselves = with_evidence.by_themselves(lockfiles, &resolved)?;
        let ports = by_themselves.ports(with_evidence.ports)?;
        let resolver = Resolver {
            ports: &ports,
            ..*self
        };
        let Resolved {
            metadata,
            by_evidence,
            ..
        } = resolved;
        let compiled_in = Graph::new(&metadata).compiled_in(&metadata);
        let on_facade = resolver.on_facade(&metadata, &by_themselves)?;
        let is_own = |package: &Package| on_facade.get(package).is_some_and(Member::is_own);
        let packages = metadata.packages.iter();
        let packages = packages
            .filter(|package| compiled_in.contains(&package.id) || is_own(package))
            .cloned()
            .collect();
        Ok(CompiledIn {
            packages,
            on_facade,
            by_themselves,
            by_evidence,
        })
    }
}

/// The packages in use whose port makes the guest take the dependencies of other systems.
fn opened(metadata: &Metadata, used: &BTreeSet<PackageId>, ports: &Ports) -> Vec<PackageId> {
    let is_opened = |package: &&Package| {
        let port = ports.get(&package.name);
        is_crates_io(package)
            && port.is_some_and(|port| port.has_native_dependencies(&package.version))
    };
    let packages = metadata.packages.iter();
    packages
        .filter(|package| used.contains(&package.id))
        .filter(is_opened)
        .map(|package| package.id.clone())
        .collect()
}
