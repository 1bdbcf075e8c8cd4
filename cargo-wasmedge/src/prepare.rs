//! From an app to what cargo is started with, step by step: decide which crates
//! get a port, make the ported crates, have cargo use them.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::build::c::CCompiler;
use crate::build::facade::{Place, Plan, Prebuild, separate};
use crate::build::{Lockfile, Lockfiles, Overrides, runner_variable};
use crate::embedded;
use crate::error::Result;
use crate::fs::write_atomically;
use crate::port::{self, Layout, Ported};
use crate::resolve::facade::OnFacade;
use crate::resolve::patch::{patch_config, patch_table};
use crate::resolve::{Resolver, STAND_IN, Selection};
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
    resolver.check_locked()?;
    let selection = resolver.select(&mut lockfiles)?;
    for notice in &selection.notices {
        notice.tell(resolver.shell);
    }
    let ported = port(resolver, &selection)?;
    let patch = write_config(resolver, &ported, &selection.on_facade)?;
    adapt(resolver, &mut lockfiles, &ported, &patch)?;
    let args = lockfiles.args(Lockfile::Ported);
    let mut env = c_variables(resolver, &selection)?;
    env.push(runner_variable(resolver.dirs)?);
    let config: Vec<OsString> = patch
        .into_iter()
        .chain(args.into_iter().map(OsString::from))
        .collect();
    let plan = facade_plan(resolver, &selection.on_facade, &ported)?;
    env.extend(plan.carry_out(Prebuild {
        cargo: resolver.cargo,
        invocation: resolver.invocation,
        config: &config,
        lockfiles: &mut lockfiles,
        root: &resolver.app.root,
        members: &resolver.app.member_specs(),
        default_members: &resolver.app.default_members,
        target_dir: &resolver.app.target_dir,
        state: &resolver.app.state_dir(),
        shell: resolver.shell,
    })?);
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

/// Makes the ported crates, in the cache.
fn port(resolver: &Resolver<'_>, selection: &Selection) -> Result<Vec<Ported>> {
    let support = embedded::support()?;
    let out = resolver.dirs.ported();
    let mut all = Vec::new();
    for upstream in &selection.upstreams {
        let Some(port) = resolver.ports.get(&upstream.name) else {
            continue;
        };
        let ported = port::apply(port, upstream, &support, &out, Layout::Cache)?;
        if ported.fresh {
            let name = format_args!("{} v{}", ported.name, ported.version);
            resolver.shell.status("Porting", name);
        }
        all.push(ported);
    }
    if selection.stand_in {
        all.push(support.stand_in(STAND_IN, &out, Layout::Cache)?);
    }
    Ok(all)
}

/// Writes the configuration that puts the ported crates in the place of upstream's,
/// and keeps apart what is built on the facade. Gives cargo's arguments for it.
fn write_config(
    resolver: &Resolver<'_>,
    ported: &[Ported],
    on_facade: &OnFacade,
) -> Result<Vec<OsString>> {
    let file = resolver.app.state_dir().join("config.toml");
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

/// Which folders get the facade, and where it comes from. Says of the app's own
/// packages why.
fn facade_plan(resolver: &Resolver<'_>, on_facade: &OnFacade, ported: &[Ported]) -> Result<Plan> {
    let mut plan = Plan::default();
    for package in &on_facade.packages {
        if package.is_own() {
            let line = format_args!("{package}: built on the std facade");
            resolver.shell.status("Facade", line);
        }
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

/// Has cargo adapt the private lockfile to the ported crates.
///
/// Here and not by the user's subcommand: that one may have been given `--locked`,
/// and its output is the user's.
fn adapt(
    resolver: &Resolver<'_>,
    lockfiles: &mut Lockfiles,
    ported: &[Ported],
    patch: &[OsString],
) -> Result<()> {
    let folders: Vec<PathBuf> = ported.iter().map(|ported| ported.dir.clone()).collect();
    if lockfiles.derive(&folders)? {
        let mut command = resolver.metadata_command(lockfiles.args(Lockfile::Ported));
        command.args(patch).env("CARGO_TERM_QUIET", "true");
        lockfiles.output(Lockfile::Ported, &mut command, resolver.shell)?;
        lockfiles.adapted(&folders)?;
    }
    Ok(())
}

/// Variables that have C compiled for our target, for an app that has some.
/// Without a compiler the user is told.
fn c_variables(resolver: &Resolver<'_>, selection: &Selection) -> Result<Vec<(String, OsString)>> {
    // For another target the user's own compiler is right.
    if resolver.invocation.default_target().is_none() {
        return Ok(Vec::new());
    }
    match CCompiler::find(&selection.with_c, resolver.dirs)? {
        CCompiler::Variables(variables) => Ok(variables),
        CCompiler::Missing(reasons) => {
            resolver.shell.warn(format_args!(
                "no C compiler for {TARGET}, and {} may need one ({})\n  \
                 help: {}\n  \
                 or do without: rustls, for one, has providers that are all Rust",
                selection.with_c.join(", "),
                reasons.join("; "),
                c::MEND,
            ));
            Ok(Vec::new())
        }
    }
}
