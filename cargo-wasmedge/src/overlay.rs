//! Which crates of the app get a port, in which versions, and the configuration
//! that makes cargo use the ported ones.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};
use semver::{Version, VersionReq};
use sha2::{Digest as _, Sha256};

use crate::app::{App, parse, shown};
use crate::cargo::{Cargo, Failed, Injection, Peeked, default_target, write_atomically};
use crate::embedded;
use crate::error::{Error, Result};
use crate::lockfile::{Lockfiles, Which};
use crate::port::{self, Layout, Port, Ported, Ports, Upstream};
use crate::shell::Shell;
use crate::stand_in::{STAND_IN, StandIn};
use crate::toolchain::rust::TARGET;
use crate::toolchain::{Dirs, Env, c};

/// Ports open, for our target, what upstream has for this one; dependencies too.
/// So the graph with the ported crates in it is the graph of both. For those that
/// say that they open more, see [`Port::has_native_dependencies`].
const OPENED: &str = "wasm32-wasip2";

/// How often versions are replaced before we give up: each replacement can bring
/// other versions into the graph.
const ROUNDS: usize = 32;

/// The versions that the ports cover, hashed: the choice of versions depends on it.
pub(crate) fn fingerprint() -> String {
    let mut hash = Sha256::new();
    for port in embedded::ports().iter().flat_map(Ports::iter) {
        hash.update(port.krate());
        for req in port.requirements() {
            hash.update(format!(" {req}\n"));
        }
    }
    if let Ok(stand_in) = StandIn::embedded() {
        hash.update(stand_in.version().to_string());
    }
    let hash = format!("{:x}", hash.finalize());
    hash[..12].to_owned()
}

/// A package of the app that gets a port.
#[derive(Debug, Clone)]
pub struct Selected {
    /// As cargo unpacked it.
    pub upstream: Upstream,
}

/// What is decided for an app.
#[derive(Debug)]
pub struct Selection {
    /// Packages that get a port, by name and version.
    pub selected: Vec<Selected>,
    /// Whether the app depends on the published crate that one of ours stands in for.
    pub stand_in: bool,
    /// Packages that compile C when they are built, by name and version.
    pub with_c: Vec<String>,
}

/// Everything that is needed to look at an app.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The real cargo.
    pub cargo: &'a Cargo,
    /// The user's arguments.
    pub peeked: &'a Peeked,
    /// The workspace.
    pub app: &'a App,
    /// Our folders.
    pub dirs: &'a Dirs,
    /// The ports.
    pub ports: &'a Ports,
    /// Where messages go.
    pub shell: &'a Shell,
}

impl Context<'_> {
    /// Takes the app's private lockfiles.
    ///
    /// # Errors
    /// As [`Lockfiles::open`].
    pub fn lockfiles(&self) -> Result<Lockfiles> {
        let journals = self.dirs.home().join("journals");
        let swap = (!self.cargo.toolchain().has_lockfile_path()).then_some(journals);
        Lockfiles::open(
            &self.app.root,
            &self.app.state_dir(),
            swap.as_deref(),
            self.shell,
        )
    }

    /// `cargo metadata` of the app without ported crates, and the packages that its
    /// graph on the guest has with them.
    fn metadata(&self, lockfiles: &mut Lockfiles) -> Result<(Metadata, BTreeSet<PackageId>)> {
        let stand_in = StandIn::embedded()?;
        let mut command = self.metadata_command(lockfiles.args(Which::Upstream));
        let metadata = parse(&lockfiles.output(Which::Upstream, &mut command, self.shell)?)?;
        let graph = Graph::new(&metadata);
        let mut used = graph.reached(&metadata, &stand_in);
        let is_opened = |package: &&Package| {
            let port = self.ports.get(&package.name);
            is_crates_io(package)
                && port.is_some_and(|port| port.has_native_dependencies(&package.version))
        };
        let packages = metadata.packages.iter();
        let opened: Vec<&Package> = packages
            .filter(|package| used.contains(&package.id))
            .filter(is_opened)
            .collect();
        if opened.is_empty() {
            return Ok((metadata, used));
        }
        let host = &self.cargo.toolchain().host;
        let mut command = self.metadata_command(lockfiles.args(Which::Upstream));
        command.args(["--filter-platform", host]);
        let wider = parse(&lockfiles.output(Which::Upstream, &mut command, self.shell)?)?;
        let graph = Graph::new(&wider);
        let reached = graph.reached(&wider, &stand_in);
        for package in opened {
            let below = graph.below(&package.id).into_iter();
            used.extend(below.filter(|id| reached.contains(id)).cloned());
        }
        Ok((wider, used))
    }

    fn metadata_command(&self, args: Vec<String>) -> Command {
        let target = self
            .peeked
            .target
            .first()
            .and_then(|target| target.to_str());
        let mut command = self
            .cargo
            .nested(self.peeked, "metadata", ["--format-version=1"]);
        command
            .args(["--filter-platform", target.unwrap_or(TARGET)])
            .args(["--filter-platform", OPENED])
            .args(self.peeked.feature_args())
            .args(args);
        if self.peeked.quiet {
            command.env("CARGO_TERM_QUIET", "true");
        }
        command
    }

    /// With `--locked`, fails as cargo would when the app's own lockfile is
    /// missing or out of date.
    ///
    /// # Errors
    /// [`Failed`], after cargo's own message.
    pub fn check_locked(&self) -> Result<()> {
        if self.peeked.locked {
            let mut command = self.metadata_command(vec!["--locked".into()]);
            crate::cargo::output(&mut command, self.shell)?;
        }
        Ok(())
    }

    /// Packages that are compiled into the app for the target, without those that
    /// only build scripts and macros use.
    ///
    /// # Errors
    /// cargo's own.
    pub fn compiled_in(&self, lockfiles: &mut Lockfiles) -> Result<Vec<Package>> {
        let (metadata, _) = self.metadata(lockfiles)?;
        let graph = Graph::new(&metadata);
        let mut seen: BTreeSet<&PackageId> = BTreeSet::new();
        let mut todo: Vec<&PackageId> = metadata.workspace_members.iter().collect();
        while let Some(id) = todo.pop() {
            let is_macro = |package: &&Package| package.targets.iter().any(|t| t.is_proc_macro());
            if graph.packages.get(id).is_some_and(is_macro) || !seen.insert(id) {
                continue;
            }
            for dep in graph.nodes.get(id).iter().flat_map(|node| &node.deps) {
                let kinds = &dep.dep_kinds;
                if kinds.iter().any(|kind| kind.kind == DependencyKind::Normal) {
                    todo.push(&dep.pkg);
                }
            }
        }
        let packages = metadata.packages.iter();
        Ok(packages
            .filter(|package| seen.contains(&package.id))
            .cloned()
            .collect())
    }

    /// Decides which packages get a port. Versions that no port covers are
    /// replaced by the nearest covered one in the private lockfile.
    ///
    /// # Errors
    /// [`Error::UnsupportedVersion`] when the requirements leave no covered version.
    pub fn select(&self, lockfiles: &mut Lockfiles) -> Result<Selection> {
        let stand_in = StandIn::embedded()?;
        // Versions of its namesake that it cannot take the place of.
        let mut as_published: BTreeSet<Version> = BTreeSet::new();
        // Releases without which an app may do, if the port covers no allowed one.
        let mut left: BTreeSet<(String, Version)> = BTreeSet::new();
        for _ in 0..ROUNDS {
            let (metadata, used) = self.metadata(lockfiles)?;
            let graph = Graph::new(&metadata);
            let in_use = || {
                let packages = metadata.packages.iter();
                packages.filter(|package| used.contains(&package.id))
            };
            let namesakes: Vec<&Package> = in_use()
                .filter(|package| StandIn::is_namesake(package))
                .filter(|package| self.ports.get(&package.name).is_none())
                .collect();
            let is_open = |package: &&&Package| {
                !stand_in.is_for(package) && !as_published.contains(&package.version)
            };
            if let Some(&package) = namesakes.iter().find(is_open) {
                let requirements = graph.dependents(package);
                let version = stand_in.version();
                let replaced = stand_in.is_allowed(&requirements)
                    && self.update(lockfiles, package, version)?;
                if !replaced {
                    as_published.insert(package.version.clone());
                }
                continue;
            }
            let wanted: Vec<(&Package, &Port)> = in_use()
                .filter_map(|package| Some((package, self.ports.get(&package.name)?)))
                .filter(|(package, port)| !port.is_unchanged(&package.version))
                .filter(|(package, _)| {
                    !left.contains(&(package.name.to_string(), package.version.clone()))
                })
                .collect();
            let (from_registry, own): (Vec<_>, Vec<_>) = wanted
                .into_iter()
                .partition(|(package, _)| is_crates_io(package));
            let unsupported: Vec<&Package> = from_registry
                .iter()
                .filter(|(package, port)| !port.supports(&package.version))
                .map(|(package, _)| *package)
                .collect();
            let Some(next) = graph.topmost(&unsupported) else {
                self.tell(lockfiles, &own);
                for version in &as_published {
                    self.shell.note(format_args!(
                        "{STAND_IN} {version} is used as published: ours has the API of {} and \
                         takes the place of versions that may be updated to it",
                        stand_in.version()
                    ));
                }
                for (krate, version) in &left {
                    let Some(port) = self.ports.get(krate) else {
                        continue;
                    };
                    self.shell.note(format_args!(
                        "{krate} {version} is used as published: its port covers {}",
                        port.supported()
                    ));
                }
                let mut selection = self.selection(lockfiles, &from_registry)?;
                selection.with_c = graph.with_c();
                selection.stand_in = namesakes.iter().any(|package| stand_in.is_for(package));
                return Ok(selection);
            };
            let Some(port) = self.ports.get(&next.name) else {
                continue;
            };
            match self.replace(lockfiles, &graph, next, port) {
                Err(Error::UnsupportedVersion { .. }) if port.is_optional() => {
                    left.insert((next.name.to_string(), next.version.clone()));
                }
                result => result?,
            }
        }
        Err(anyhow::anyhow!(
            "the versions of the ported crates do not settle: replaced {}",
            lockfiles
                .replaced()
                .iter()
                .map(|(krate, asked, used)| format!("{krate} {asked} by {used}"))
                .collect::<Vec<_>>()
                .join(", ")
        )
        .into())
    }

    fn tell(&self, lockfiles: &Lockfiles, own: &[(&Package, &Port)]) {
        for (krate, asked, used) in lockfiles.replaced() {
            if krate == STAND_IN {
                self.shell.status(
                    "Using",
                    format_args!("{krate} {used} in place of {asked} (ours has its API)"),
                );
            }
            let Some(port) = self.ports.get(krate) else {
                continue;
            };
            self.shell.status(
                "Using",
                format_args!(
                    "{krate} {used} in place of {asked} (the port covers {})",
                    port.supported()
                ),
            );
        }
        for (package, _) in own {
            // A workspace member or a ported copy of the user's own is no news either way.
            let from = match &package.source {
                Some(source) => source.repr.clone(),
                None => shown(
                    package
                        .manifest_path
                        .parent()
                        .map_or(Path::new(""), |dir| dir.as_std_path()),
                ),
            };
            self.shell.note(format_args!(
                "{} {} is not ported: the app takes it from {from}",
                package.name, package.version
            ));
        }
    }

    fn selection(
        &self,
        lockfiles: &Lockfiles,
        packages: &[(&Package, &Port)],
    ) -> Result<Selection> {
        if packages.is_empty() {
            return Ok(Selection {
                selected: Vec::new(),
                stand_in: false,
                with_c: Vec::new(),
            });
        }
        let path = lockfiles.path(Which::Upstream);
        let lock = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let mut selected = Vec::new();
        for (package, _) in packages {
            let checksum = port::checksum_in_lock(&lock, &package.name, &package.version)?;
            selected.push(Selected {
                upstream: Upstream::from_package(package, checksum),
            });
        }
        selected.sort_by(|a, b| {
            (&a.upstream.name, &a.upstream.version).cmp(&(&b.upstream.name, &b.upstream.version))
        });
        Ok(Selection {
            selected,
            stand_in: false,
            with_c: Vec::new(),
        })
    }

    /// Replaces `package` by the nearest covered version that all requirements allow.
    fn replace(
        &self,
        lockfiles: &mut Lockfiles,
        graph: &Graph<'_>,
        package: &Package,
        port: &Port,
    ) -> Result<()> {
        let dependents = graph.dependents(package);
        let reqs: Vec<&VersionReq> = dependents.iter().map(|(_, req)| *req).collect();
        let mut candidates = vec![port.nearest(&package.version)];
        candidates.extend(port.requirements().iter().rev().cloned());
        let mut found = None;
        for candidate in candidates {
            // `=1.40.0` and the like need no question to the registry.
            if reqs.iter().any(|req| is_apart(req, &candidate)) {
                continue;
            }
            let both = all_of(&candidate, &reqs)?;
            let offline: &[&str] = if self.peeked.offline {
                &["--offline"]
            } else {
                &[]
            };
            let fetched = Upstream::fetch(self.cargo.program(), &package.name, &both, offline);
            match fetched.map_err(Error::from) {
                Ok(upstream) => {
                    found = Some(upstream.version);
                    break;
                }
                Err(error) if says(&error, "failed to select a version") => {}
                Err(error) => return Err(error),
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
    fn update(
        &self,
        lockfiles: &mut Lockfiles,
        package: &Package,
        version: &Version,
    ) -> Result<bool> {
        let spec = format!("{}@{}", package.name, package.version);
        let mut command = self.cargo.nested(
            self.peeked,
            "update",
            [
                "--package",
                &spec,
                "--precise",
                &version.to_string(),
                "--quiet",
            ],
        );
        command.args(lockfiles.args(Which::Upstream));
        match lockfiles.output(Which::Upstream, &mut command, self.shell) {
            Ok(_) => {}
            Err(error) if is_failed(&error) => return Ok(false),
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
        let newest = newest_covered(port);
        // Who leaves no covered version; with nobody to blame, all of them together.
        let blocking: Vec<&(&Package, &VersionReq)> = dependents
            .iter()
            .filter(|(_, req)| {
                port.requirements()
                    .iter()
                    .all(|covered| is_apart(req, covered))
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

    /// Variables that have C compiled for the target, for an app that has some.
    /// Without a compiler the user is told; whether the build needs it after all,
    /// only the build scripts know.
    fn c_variables(&self, selection: &Selection) -> Result<Vec<(String, OsString)>> {
        let env = Env::of_process()?;
        if selection.with_c.is_empty() || default_target(self.peeked).is_none() {
            return Ok(Vec::new());
        }
        match c::find_in(self.dirs, &env) {
            Ok(found) => Ok(found.env(&env)),
            Err(_) if c::is_chosen(&env) => Ok(Vec::new()),
            Err(reasons) => {
                self.shell.warn(format_args!(
                    "no C compiler for {TARGET}, and {} may need one ({})\n  \
                     to mend it: {}\n  \
                     or do without: rustls, for one, has providers that are all Rust",
                    selection.with_c.join(", "),
                    reasons.join("; "),
                    c::MEND,
                ));
                Ok(Vec::new())
            }
        }
    }

    /// Makes the ported crates, in the cache.
    ///
    /// # Errors
    /// As [`port::apply`].
    pub fn port(&self, selection: &Selection) -> Result<Vec<Ported>> {
        let support = embedded::support()?;
        let out = self.dirs.ported();
        let mut all = Vec::new();
        for Selected { upstream } in &selection.selected {
            let Some(port) = self.ports.get(&upstream.name) else {
                continue;
            };
            let ported = port::apply(port, upstream, &support, &out, Layout::Cache)?;
            if ported.fresh {
                self.shell.status(
                    "Porting",
                    format_args!("{} v{}", ported.name, ported.version),
                );
            }
            all.push(ported);
        }
        if selection.stand_in {
            all.push(support.stand_in(STAND_IN, &out, Layout::Cache)?);
        }
        Ok(all)
    }

    /// Everything up to the point where the user's subcommand can be started.
    ///
    /// # Errors
    /// As [`Context::select`], [`Context::port`]; and cargo's own.
    pub fn prepare(&self) -> Result<Prepared> {
        let mut lockfiles = self.lockfiles()?;
        self.check_locked()?;
        let selection = self.select(&mut lockfiles)?;
        let ported = self.port(&selection)?;
        let config_file = self.app.state_dir().join("config.toml");
        let patches = patch_table(&ported);
        write_atomically(&config_file, patch_config(&patches).as_bytes())?;

        let mut config: Vec<OsString> = Vec::new();
        if !patches.is_empty() {
            config.extend(["--config".into(), config_file.into()]);
        }
        let folders: Vec<PathBuf> = ported.iter().map(|ported| ported.dir.clone()).collect();
        if lockfiles.derive(&folders)? {
            // Adapted here and not by the user's subcommand: that one may have
            // been given `--locked`, and its output is the user's.
            let mut command = self.metadata_command(lockfiles.args(Which::Ported));
            command.args(&config).env("CARGO_TERM_QUIET", "true");
            lockfiles.output(Which::Ported, &mut command, self.shell)?;
            lockfiles.adapted(&folders)?;
        }
        config.extend(
            lockfiles
                .args(Which::Ported)
                .into_iter()
                .map(OsString::from),
        );
        Ok(Prepared {
            injection: Injection {
                env: self.c_variables(&selection)?,
                config,
                target: default_target(self.peeked),
            },
            lockfiles,
            ported,
        })
    }
}

/// What the user's subcommand is started with.
#[derive(Debug)]
pub struct Prepared {
    /// Arguments and variables.
    pub injection: Injection,
    /// The private lockfiles.
    pub lockfiles: Lockfiles,
    /// The ported crates.
    pub ported: Vec<Ported>,
}

fn is_failed(error: &Error) -> bool {
    matches!(error, Error::Other(error) if error.is::<Failed>())
}

fn says(error: &Error, words: &str) -> bool {
    matches!(error, Error::Other(error) if format!("{error:#}").contains(words))
}

fn is_crates_io(package: &Package) -> bool {
    package
        .source
        .as_ref()
        .is_some_and(|source| source.is_crates_io())
}

/// The keys of a `[patch.crates-io]` table with the package and the folder of
/// each. Of a package with several versions, all but the first get a key of
/// their own.
pub fn patch_table(ported: &[Ported]) -> BTreeMap<String, (String, PathBuf)> {
    let mut table = BTreeMap::new();
    for each in ported {
        let key = if table.contains_key(&each.name) {
            format!(
                "{}-{}",
                each.name,
                each.version.to_string().replace(['.', '+'], "-")
            )
        } else {
            each.name.clone()
        };
        table.insert(key, (each.name.clone(), each.dir.clone()));
    }
    table
}

/// The table as a cargo configuration file, with the paths as they are.
pub fn patch_config(patches: &BTreeMap<String, (String, PathBuf)>) -> String {
    let mut text = String::from("# Made by cargo-wasmedge.\n[patch.crates-io]\n");
    for (key, (package, dir)) in patches {
        let path = toml::Value::from(dir.to_string_lossy().into_owned());
        text += &match key == package {
            true => format!("{key} = {{ path = {path} }}\n"),
            false => format!("{key} = {{ path = {path}, package = \"{package}\" }}\n"),
        };
    }
    text
}

/// A version as a manifest would ask for the newest covered release.
fn newest_covered(port: &Port) -> String {
    let far = Version::new(u64::from(u32::MAX), 0, 0);
    let nearest = port.nearest(&far);
    match nearest.comparators.first() {
        Some(first) => match first.minor {
            Some(minor) if first.patch.is_none_or(|patch| patch == 0) => {
                format!("{}.{minor}", first.major)
            }
            Some(minor) => format!("{}.{minor}.{}", first.major, first.patch.unwrap_or(0)),
            None => first.major.to_string(),
        },
        None => nearest.to_string(),
    }
}

/// Whether no version can meet both, as far as that is plain to see: `req` has a
/// bound that lies outside the minor releases of `covered`.
fn is_apart(req: &VersionReq, covered: &VersionReq) -> bool {
    let (low, high) = span(req);
    let (covered_low, covered_high) = span(covered);
    low >= covered_high || covered_low >= high
}

/// The versions from the first (inclusive) to the second (exclusive) contain all
/// that meet the requirement.
fn span(req: &VersionReq) -> ((u64, u64, u64), (u64, u64, u64)) {
    use semver::Op;
    const END: (u64, u64, u64) = (u64::MAX, 0, 0);
    let (mut low, mut high) = ((0, 0, 0), END);
    for each in &req.comparators {
        let (major, minor, patch) = (each.major, each.minor, each.patch);
        let at = (major, minor.unwrap_or(0), patch.unwrap_or(0));
        // The first version behind everything that begins with the stated parts.
        let behind = match (minor, patch) {
            (Some(minor), Some(patch)) => (major, minor, patch + 1),
            (Some(minor), None) => (major, minor + 1, 0),
            _ => (major + 1, 0, 0),
        };
        let (from, to) = match each.op {
            Op::Exact | Op::Wildcard => (at, behind),
            Op::Greater => (behind, END),
            Op::GreaterEq => (at, END),
            Op::Less => ((0, 0, 0), at),
            Op::LessEq => ((0, 0, 0), behind),
            Op::Tilde => match minor {
                Some(minor) => (at, (major, minor + 1, 0)),
                None => (at, behind),
            },
            _ => match (major, minor, patch) {
                (0, Some(0), Some(patch)) => (at, (0, 0, patch + 1)),
                (0, Some(minor), _) => (at, (0, minor + 1, 0)),
                _ => (at, (major + 1, 0, 0)),
            },
        };
        low = low.max(from);
        high = high.min(to);
    }
    (low, high)
}

/// One requirement that holds when all do.
fn all_of(first: &VersionReq, others: &[&VersionReq]) -> Result<VersionReq> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    for req in std::iter::once(first).chain(others.iter().copied()) {
        all.extend(req.comparators.iter().map(ToString::to_string));
    }
    let text = all.into_iter().collect::<Vec<_>>().join(", ");
    if text.is_empty() {
        return Ok(VersionReq::STAR);
    }
    Ok(text
        .parse()
        .with_context(|| format!("cannot combine requirements: {text}"))?)
}

/// The resolved graph.
struct Graph<'a> {
    packages: BTreeMap<&'a PackageId, &'a Package>,
    nodes: BTreeMap<&'a PackageId, &'a cargo_metadata::Node>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Graph<'a> {
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
    fn with_c(&self) -> Vec<String> {
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
    fn dependents(&self, package: &Package) -> Vec<(&'a Package, &'a VersionReq)> {
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
    fn topmost(&self, packages: &[&'a Package]) -> Option<&'a Package> {
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
    fn reached(&self, metadata: &Metadata, stand_in: &StandIn) -> BTreeSet<PackageId> {
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

    fn below(&self, package: &PackageId) -> BTreeSet<&'a PackageId> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn req(text: &str) -> VersionReq {
        text.parse().unwrap()
    }

    #[test]
    fn requirements_that_no_version_can_meet_together() {
        for (a, b) in [
            ("=1.40.0", "~1.51"),
            ("<1.50", ">=1.51, <1.55"),
            ("^0.8", "^1.2"),
            ("^0.5.3", ">=0.6.3, <0.7"),
            (">=1.55", "~1.54"),
            (">1.54", "~1.54"),
        ] {
            assert!(is_apart(&req(a), &req(b)), "{a} and {b}");
            assert!(is_apart(&req(b), &req(a)), "{b} and {a}");
        }
        for (a, b) in [
            ("1", "~1.51"),
            ("1.40", "~1.51"),
            ("=1.51.3", "~1.51"),
            ("*", "~1.51"),
            ("<=1.51", "~1.51"),
            (">1.54.1", "~1.54"),
            ("0.6", ">=0.6.3, <0.7"),
        ] {
            assert!(!is_apart(&req(a), &req(b)), "{a} and {b}");
            assert!(!is_apart(&req(b), &req(a)), "{b} and {a}");
        }
    }

    #[test]
    fn combined_requirements_hold_together() {
        let both = all_of(
            &req("~1.51"),
            &[&req("1.40"), &req(">=1.51.2, <2"), &req("1.40")],
        )
        .unwrap();
        assert!(both.matches(&Version::new(1, 51, 2)));
        assert!(!both.matches(&Version::new(1, 51, 1)));
        assert!(!both.matches(&Version::new(1, 52, 2)));
        assert_eq!(all_of(&VersionReq::STAR, &[]).unwrap(), VersionReq::STAR);
    }

    #[test]
    fn several_versions_of_a_crate_get_keys_of_their_own() {
        let ported = |version: &str| Ported {
            name: "socket2".into(),
            version: version.parse().unwrap(),
            dir: format!("/a b/socket2-{version}").into(),
            input: String::new(),
            fresh: false,
            rules: Vec::new(),
        };
        let text = patch_config(&patch_table(&[ported("0.5.9"), ported("0.6.3")]));
        let parsed: toml::Table = text.parse().unwrap();
        let patches = &parsed["patch"]["crates-io"];
        assert_eq!(
            patches["socket2"]["path"].as_str(),
            Some("/a b/socket2-0.5.9")
        );
        assert_eq!(
            patches["socket2-0-6-3"]["package"].as_str(),
            Some("socket2")
        );
        assert_eq!(
            patches["socket2-0-6-3"]["path"].as_str(),
            Some("/a b/socket2-0.6.3")
        );
    }
}
