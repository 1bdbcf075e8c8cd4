//! From an app to what cargo is started with, step by step: decide which crates
//! get a port, make the ported crates, have cargo use them.

mod libraries;

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::build::c::{CBuild, CCompiler};
use crate::build::facade::{Place, Plan, Prebuild, separate};
use crate::build::linker::{WEAK_RANDOM_VARIABLE, linker_variable};
use crate::build::{Lockfile, Lockfiles, Overrides, runner_variable};
use crate::embedded;
use crate::error::Result;
use crate::fs::write_atomically;
use crate::port::{self, Layout, Ported};
use crate::process::Failed;
use crate::resolve::by_itself::Candidate;
use crate::resolve::facade::OnFacade;
use crate::resolve::patch::{patch_config, patch_table};
use crate::resolve::{Reached, Resolver, STAND_IN, Selection, WithC, leftovers};
use crate::toolchain::c;
use crate::toolchain::rust::TARGET;

/// What the user's subcommand is started with.
#[derive(Debug)]
pub struct Prepared {
    /// Arguments and variables.
    pub overrides: Overrides,
    /// The private lockfiles.
    pub lockfiles: Lockfiles,
    /// The ported crates.
    pub ported: Vec<Ported>,
}

/// Everything up to the point where the user's subcommand can be started.
///
/// # Errors
/// As [`Resolver::select`] and [`port::apply`]; and cargo's own.
pub fn prepare(resolver: &Resolver<'_>) -> Result<Prepared> {
    let mut lockfiles = resolver.lockfiles()?;
    let is_first = lockfiles.resolves_anew();
    let mut selection = select(resolver, &mut lockfiles)?;
    if is_first && !lockfiles.resolves_anew() {
        resolver.shell.note(format_args!(
            "the app has no Cargo.lock: its versions are kept in {} until `cargo clean`",
            lockfiles.path(Lockfile::Upstream).display()
        ));
    }
    for notice in &selection.notices {
        notice.tell(resolver.shell);
    }
    let CBuild {
        variables: mut env,
        archives,
    } = c_build(resolver, &mut lockfiles, &selection)?;
    env.extend(libraries::variables(resolver, &mut lockfiles, &selection)?);
    env.push(runner_variable(resolver.dirs)?);
    let toolchain = resolver.cargo.toolchain();
    env.extend(linker_variable(
        toolchain,
        &resolver.app.shared_dir().join("linker"),
        &archives,
    )?);
    if resolver.weak_random {
        env.push((WEAK_RANDOM_VARIABLE.to_owned(), "1".into()));
    }
    let is_tried = selection.by_themselves.needs_trial();
    let mut std_facade = resolver.std_facade.to_vec();
    let (ported, config, on_facade) = loop {
        match attempt(resolver, &mut lockfiles, &mut selection, &env)? {
            Attempt::Made(ported, config, variables) => break (ported, config, variables),
            Attempt::Fewer => {}
            // For this build, as if the setting said so.
            Attempt::Untried => {
                let names = selection.by_themselves.on.iter();
                std_facade.extend(names.map(|each| format!("!{}", each.name)));
            }
        }
        let resolver = Resolver {
            std_facade: &std_facade,
            ..*resolver
        };
        selection = resolver.select(&mut lockfiles)?;
    };
    env.extend(on_facade);
    tell_of_facade(resolver, &selection, is_tried);
    Ok(Prepared {
        overrides: Overrides {
            env,
            config,
            target: resolver.invocation.default_target(),
        },
        lockfiles,
        ported,
    })
}

/// Decides what gets a port. Where cargo cannot resolve the app, the user is told of
/// forks that may be why: their branches come and go.
fn select(resolver: &Resolver<'_>, lockfiles: &mut Lockfiles) -> Result<Selection> {
    let selected = resolver
        .check_locked()
        .and_then(|()| resolver.select(lockfiles));
    if selected.as_ref().is_err_and(Failed::is_cause_of) {
        let left = leftovers::crates(resolver.app)?;
        if let [first, ..] = &left[..] {
            resolver.shell.note(format_args!(
                "{} is left from an older fork for WasmEdge, which is not needed any more: \
                 cargo wasmedge doctor says what to delete",
                first.what
            ));
        }
    }
    selected
}

/// What came of a selection.
enum Attempt {
    /// The ported crates, cargo's arguments for them, and the variables for the facade.
    Made(Vec<Ported>, Vec<OsString>, Vec<(String, OsString)>),
    /// Not all crates can be on the facade that the selection puts there by itself. It is
    /// remembered which ones, so another selection leaves them out.
    Fewer,
    /// It cannot be tried which ones can.
    Untried,
}

/// Makes what a selection asks for.
fn attempt(
    resolver: &Resolver<'_>,
    lockfiles: &mut Lockfiles,
    selection: &mut Selection,
    variables: &[(String, OsString)],
) -> Result<Attempt> {
    let Some(ported) = port(resolver, lockfiles, selection)? else {
        return Ok(Attempt::Fewer);
    };
    let patch = adapt(resolver, lockfiles, &ported, &selection.on_facade)?;
    let args = lockfiles.args(Lockfile::Ported);
    let config: Vec<OsString> = patch
        .into_iter()
        .chain(args.into_iter().map(OsString::from))
        .collect();
    let plan = facade_plan(resolver, &selection.on_facade, &ported)?;
    let mut prebuild = Prebuild {
        cargo: resolver.cargo,
        invocation: resolver.invocation,
        config: &config,
        lockfiles,
        root: &resolver.app.root,
        members: &resolver.app.member_specs(),
        default_members: &resolver.app.default_members,
        target_dir: &resolver.app.target_dir,
        state: &resolver.app.state_dir(),
        shell: resolver.shell,
    };
    let on_facade = plan.carry_out(&mut prebuild)?;
    if selection.by_themselves.needs_trial() {
        let by_themselves = &mut selection.by_themselves;
        let list = |each: &Candidate| format!("{} {}", each.name, each.version);
        let all: Vec<String> = by_themselves.on.iter().map(list).collect();
        if !all.is_empty() {
            let line = format_args!("{} on the std facade", all.join(", "));
            resolver.shell.status("Trying", line);
        }
        let variables: Vec<_> = variables.iter().chain(&on_facade).cloned().collect();
        let outcome = prebuild.try_packages(&by_themselves.to_compile, &variables)?;
        let sharers = selection.on_facade.packages.iter();
        let sharers: Vec<String> = sharers
            .filter(|each| !each.is_own())
            .map(|each| each.name.clone())
            .collect();
        if outcome.is_none() && !all.is_empty() {
            resolver.shell.note(format_args!(
                "cargo could not try that: {} stay as published in this build",
                all.join(", ")
            ));
            return Ok(Attempt::Untried);
        }
        if by_themselves.learn(&outcome, &sharers)? {
            return Ok(Attempt::Fewer);
        }
    }
    Ok(Attempt::Made(ported, config, on_facade))
}

/// Says what is on the facade, and what is not and why. `is_tried`: of the crates that are
/// put there by themselves, too; that is said once.
fn tell_of_facade(resolver: &Resolver<'_>, selection: &Selection, is_tried: bool) {
    let by_themselves = &selection.by_themselves;
    let own = selection.on_facade.packages.iter();
    for package in own.filter(|package| package.is_own()) {
        let line = format_args!("{package}: built on the std facade");
        resolver.shell.status("Facade", line);
    }
    if is_tried {
        for each in &by_themselves.on {
            let line = format_args!("{each}: built on the std facade");
            resolver.shell.status("Facade", line);
        }
    }
    for (candidate, why) in &by_themselves.refused {
        resolver.shell.warn(format_args!(
            "{candidate}, which fails on WasmEdge, and does not compile on the std facade \
             ({why})\n  help: {}",
            candidate.help()
        ));
    }
}

/// Makes the ported crates, in the cache. Those that the user's subcommand does not
/// reach need not be had. `None`: one cannot be made that is on the facade by itself.
fn port(
    resolver: &Resolver<'_>,
    lockfiles: &mut Lockfiles,
    selection: &mut Selection,
) -> Result<Option<Vec<Ported>>> {
    let support = embedded::support()?;
    let out = resolver.dirs.ported();
    let mut all = Vec::new();
    for upstream in &selection.upstreams {
        let Some(port) = selection.ports.get(&upstream.name) else {
            continue;
        };
        let taken = selection.by_evidence.get(&upstream.name, &upstream.version);
        let ported = match port::apply(port, upstream, &support, &out, Layout::Cache) {
            Ok(ported) => ported,
            Err(error) if taken.is_some() => {
                // Without a port it may do as well as before.
                let (name, version) = (&upstream.name, &upstream.version);
                resolver.shell.warn(format_args!(
                    "{name} {version} is used as published: {:#}",
                    anyhow::Error::from(error)
                ));
                continue;
            }
            Err(error) => {
                let (name, version) = (&upstream.name, &upstream.version);
                if selection.by_themselves.contains(name) {
                    let why = error.to_string();
                    selection.by_themselves.refuse(name, why)?;
                    return Ok(None);
                }
                if reached(resolver, lockfiles, selection)?.contains(name, version) {
                    if let Some(way) = resolver.way_to(lockfiles, name, version)? {
                        resolver
                            .shell
                            .note(format_args!("the app has it so: {way}"));
                    }
                    return Err(error.into());
                }
                continue;
            }
        };
        if ported.is_unchanged() {
            continue;
        }
        if let Some(taken) = taken.filter(|_| resolver.invocation.compiles_for_target()) {
            // Always, as it is a guess.
            resolver.shell.status("Porting", taken);
        } else if ported.fresh {
            let name = format_args!("{} v{}", ported.name, ported.version);
            resolver.shell.status("Porting", name);
        }
        all.push(ported);
    }
    if selection.stand_in {
        all.push(support.stand_in(STAND_IN, &out, Layout::Cache)?);
    }
    Ok(Some(all))
}

/// What the user's subcommand reaches; asked only when something is amiss.
fn reached<'a>(
    resolver: &Resolver<'_>,
    lockfiles: &mut Lockfiles,
    selection: &'a Selection,
) -> Result<Cow<'a, Reached>> {
    Ok(match &selection.reached {
        Some(reached) => Cow::Borrowed(reached),
        None => Cow::Owned(resolver.reached(lockfiles)?),
    })
}

/// Has cargo adapt the private lockfile to the ported crates, and gives its arguments
/// that put them in the place of upstream's.
///
/// Here and not by the user's subcommand: that one may have been given `--locked`,
/// and its output is the user's.
fn adapt(
    resolver: &Resolver<'_>,
    lockfiles: &mut Lockfiles,
    ported: &[Ported],
    on_facade: &OnFacade,
) -> Result<Vec<OsString>> {
    let folders: Vec<PathBuf> = ported.iter().map(|ported| ported.dir.clone()).collect();
    let is_new = lockfiles.derive(&folders)?;
    let patch = write_config(&lockfiles.ported_folder(), ported, on_facade)?;
    if is_new {
        let mut command = resolver.metadata_command(lockfiles.args(Lockfile::Ported));
        command.args(&patch).env("CARGO_TERM_QUIET", "true");
        lockfiles.output(Lockfile::Ported, &mut command, resolver.shell)?;
        lockfiles.adapted()?;
    }
    Ok(patch)
}

/// Writes the configuration that puts the ported crates in the place of upstream's,
/// and keeps apart what is built on the facade. Gives cargo's arguments for it.
fn write_config(folder: &Path, ported: &[Ported], on_facade: &OnFacade) -> Result<Vec<OsString>> {
    let file = folder.join("config.toml");
    let patches = patch_table(ported);
    let mut names: Vec<&str> = on_facade.packages.iter().map(|each| &*each.name).collect();
    names.dedup();
    let is_empty = patches.is_empty() && names.is_empty();
    let text = patch_config(&patches) + &separate(names);
    write_atomically(&file, text.as_bytes())?;
    Ok(match is_empty {
        true => Vec::new(),
        false => vec!["--config".into(), file.into()],
    })
}

/// Which folders get the facade, and where it comes from.
fn facade_plan(resolver: &Resolver<'_>, on_facade: &OnFacade, ported: &[Ported]) -> Result<Plan> {
    let mut plan = Plan::default();
    for package in &on_facade.packages {
        let in_its_place = ported
            .iter()
            .find(|ported| ported.name == package.name && ported.version == package.version);
        let folder = in_its_place.map_or(&package.folder, |ported| &ported.dir);
        plan.folders.push(folder.clone());
    }
    if on_facade.packages.iter().any(|package| !package.leads) {
        plan.before = Some(match on_facade.in_graph {
            true => Place::Graph,
            false => {
                let support = embedded::support()?;
                let out = support.unpack(&resolver.dirs.ported(), Layout::Cache)?;
                Place::Alone(out.join(support.facade("std")?))
            }
        });
    }
    Ok(plan)
}

/// What has C compiled for our target, for an app that has some. Without a compiler the
/// user is told.
fn c_build(
    resolver: &Resolver<'_>,
    lockfiles: &mut Lockfiles,
    selection: &Selection,
) -> Result<CBuild> {
    // For another target the user's own compiler is right.
    if !resolver.invocation.is_for_target() {
        return Ok(CBuild::default());
    }
    let mut with_c: Vec<&WithC> = selection.with_c.iter().collect();
    match CCompiler::find(!with_c.is_empty(), resolver.dirs)? {
        CCompiler::Found(found) => Ok(found),
        CCompiler::Missing(reasons) => {
            // In a workspace others may need it. The question costs time.
            if resolver.app.members.len() > 1 {
                let reached = reached(resolver, lockfiles, selection)?;
                with_c.retain(|each| reached.contains(&each.name, &each.version));
            }
            if with_c.is_empty() || !resolver.invocation.compiles() {
                return Ok(CBuild::default());
            }
            let names: Vec<String> = with_c.iter().map(ToString::to_string).collect();
            lockfiles.tell_on_failure(format!(
                "there is no C compiler for {TARGET}, which may be why\n  help: {}",
                c::MEND
            ));
            resolver.shell.warn(format_args!(
                "no C compiler for {TARGET}, and {} may need one ({})\n  \
                 help: {}\n  \
                 or do without: rustls, for one, has providers that are all Rust",
                names.join(", "),
                reasons.join("; "),
                c::MEND,
            ));
            Ok(CBuild::default())
        }
    }
}
