//! `cargo wasmedge doctor`

use std::io::Write as _;

use cargo_metadata::Package;
use clap_cargo::style;

use super::global::Global;
use crate::error::{EXIT_NOT_SET_UP, Result};
use crate::port::Gate;
use crate::resolve::by_itself::ByItself;
use crate::resolve::evidence::Taken;
use crate::resolve::leftovers::{self, Fork};
use crate::resolve::std_calls::{self, Call, Remedy, Scope};
use crate::resolve::{OwnCopy, Resolver, StandIn};
use crate::run::{find_wasmedge, plugin};
use crate::toolchain::{self, Check, Status, wasmedge};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "In an app's folder, it also lists what older forks for WasmEdge left behind, the\ncrates that stay without their port, those that are ported by evidence, and the calls\nof std that have no implementation for the target, crate by crate.\n\nExits with 96 when something is missing without which nothing builds or runs."
)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<i32> {
    let mut env = global.flags.env()?;
    // The variable may also name a version, which is no program to look at.
    let wanted = env
        .var(wasmedge::PROGRAM_VARIABLE)
        .and_then(|value| value.to_str());
    if wanted.is_some_and(|wanted| wanted.parse::<semver::VersionReq>().is_ok()) {
        env = env.without(wasmedge::PROGRAM_VARIABLE);
    }
    let mut checks = toolchain::doctor_in(&global.dirs, &env);
    checks.push(plugin_check(global)?);
    // An app that cargo cannot resolve is no reason to say nothing of all else.
    let of_app = app_checks(global, &mut checks);
    let failed = checks.iter().any(|check| check.status == Status::Missing);
    let mut out = anstream::stdout().lock();
    if args.json {
        let json = serde_json::to_string_pretty(&checks).map_err(anyhow::Error::from)?;
        writeln!(out, "{json}")?;
    } else {
        let width = checks
            .iter()
            .map(|check| check.name.len())
            .max()
            .unwrap_or(0);
        for check in &checks {
            let (mark, mark_style) = match check.status {
                Status::Ok => ("ok", style::GOOD),
                Status::Warn => ("warning", style::WARN),
                Status::Missing => ("missing", style::ERROR),
            };
            let detail = check
                .detail
                .replace('\n', &format!("\n{:w$}", "", w = width + 11));
            writeln!(
                out,
                "{:width$}  {mark_style}{mark:<7}{mark_style:#}  {detail}",
                check.name
            )?;
            if let Some(mend) = &check.mend {
                writeln!(out, "{:w$}help: {mend}", "", w = width + 11)?;
            }
        }
    }
    drop(out);
    of_app?;
    Ok(if failed { EXIT_NOT_SET_UP } else { 0 })
}

/// One check for each thing that an older fork left in the app, for each crate that stays
/// without its port, and for each that calls what the target has not.
fn app_checks(global: &Global, checks: &mut Vec<Check>) -> Result<()> {
    let is_app = |folder: &std::path::Path| folder.join("Cargo.toml").is_file();
    let here = std::env::current_dir()?;
    let Some(cargo) = global.cargo().ok().filter(|_| here.ancestors().any(is_app)) else {
        return Ok(());
    };
    let invocation = global.invocation("doctor", None);
    let (app, config) = global.app(&cargo, &invocation)?;
    let variable = |name: &str| std::env::var(name).ok();
    let left = leftovers::all(&app, &here, variable)?;
    let has_left = !left.is_empty();
    checks.extend(left.into_iter().map(|left| Check {
        name: left.what,
        status: Status::Warn,
        detail: left.why,
        mend: Some(left.help),
    }));
    let ports = app.ports(&config)?;
    let resolver = Resolver {
        cargo: &cargo,
        invocation: &invocation,
        app: &app,
        dirs: &global.dirs,
        ports: &ports,
        std_facade: &config.std_facade,
        weak_random: config.weak_random,
        browser_gates: &config.browser_gates,
        shell: &global.shell,
    };
    let mut lockfiles = resolver.lockfiles()?;
    let stand_in = StandIn::embedded()?;
    let compiled_in = resolver.compiled_in(&mut lockfiles)?;
    let ports = &compiled_in.by_evidence.ports;
    checks.extend(compiled_in.by_evidence.taken.iter().map(of_taken));
    for package in compiled_in.packages {
        let is_fork = package.source.is_some() && Fork::on_registry(&package.name).is_some();
        if stand_in.is_for(&package) || is_fork {
            continue;
        }
        let port = ports.get(&package.name);
        // Of a fork the lines above say all.
        let own = port.and_then(|port| OwnCopy::of(&package, port));
        if let Some(own) = own.filter(|own| !has_left || Fork::at(&own.from).is_none()) {
            checks.push(Check {
                name: format!("{} {}", package.name, package.version),
                status: Status::Warn,
                detail: format!("without its port: from {}", own.from),
                mend: Some(own.help),
            });
        }
        let member = compiled_in.on_facade.get(&package);
        let scope = match &package.source {
            None if member.is_some() => Scope::Everything,
            _ => Scope::Library,
        };
        let mut calls = std_calls::package(&package, scope)?;
        calls.retain(|call| match call.remedy {
            Remedy::Facade | Remedy::None => true,
            Remedy::Waits => package.source.is_none(),
            Remedy::Type => false,
        });
        if calls.is_empty() {
            continue;
        }
        let ported = package.source.is_some() && ports.get(&package.name).is_some();
        let standing = match (ported, compiled_in.by_themselves.of(&package)) {
            (true, _) => Standing::Ported,
            (_, Some(by_itself)) => Standing::ByItself(by_itself),
            _ if member.is_some() => Standing::OnFacade,
            _ => Standing::Plain,
        };
        checks.push(of_package(&package, &calls, &standing));
    }
    Ok(())
}

/// Of the next program that is run here, or in the app's folder.
fn plugin_check(global: &Global) -> Result<Check> {
    let cwd = std::env::current_dir()?;
    let package = cwd.ancestors().find(|dir| dir.join("Cargo.toml").is_file());
    let config = global.config(package)?;
    let wasmedge = find_wasmedge(&global.dirs, config.wasmedge.as_deref()).ok();
    Ok(plugin::check(&config, &global.dirs, wasmedge.as_ref()))
}

/// A crate that is ported by evidence, and why.
fn of_taken(taken: &Taken) -> Check {
    let mut detail = format!("{}: {}", taken.says, taken.reason);
    if let Some(Gate { file, line }) = &taken.gate {
        detail += &format!("\n{file}:{line} is the first condition that is switched");
    }
    Check {
        name: format!("{} {}", taken.name, taken.version),
        status: Status::Ok,
        detail,
        mend: None,
    }
}

/// How a package is built.
enum Standing<'a> {
    /// With a port.
    Ported,
    /// On the std facade.
    OnFacade,
    /// On it, if it compiles there.
    ByItself(ByItself<'a>),
    /// As it is.
    Plain,
}

/// What a package calls, and what becomes of it.
fn of_package(package: &Package, calls: &[Call], standing: &Standing<'_>) -> Check {
    let has_none =
        |call: &&Call| call.remedy == Remedy::None && !matches!(standing, Standing::Ported);
    let lines: Vec<String> = calls
        .iter()
        .map(|call| {
            let note = if has_none(&call) {
                " (the host has none)"
            } else {
                ""
            };
            format!("{}:{} {}{note}", call.file, call.line, call.what)
        })
        .collect();
    let lines = lines.join("\n");
    let detail = match standing {
        Standing::Ported => format!("covered by its port: {lines}"),
        Standing::OnFacade | Standing::ByItself(ByItself::On) => {
            format!("built on the std facade: {lines}")
        }
        Standing::ByItself(ByItself::Untried) => {
            format!("the next build tries it on the std facade: {lines}")
        }
        Standing::ByItself(ByItself::Refused(_, why)) => {
            format!("{lines}\ndoes not compile on the std facade: {why}")
        }
        Standing::Plain => lines,
    };
    let is_open = match standing {
        Standing::Ported | Standing::OnFacade | Standing::ByItself(ByItself::On) => false,
        Standing::ByItself(_) => true,
        Standing::Plain => calls.iter().any(|call| call.remedy != Remedy::None),
    };
    let is_bad = is_open || calls.iter().any(|call| has_none(&call));
    Check {
        name: format!("{} {}", package.name, package.version),
        status: if is_bad { Status::Warn } else { Status::Ok },
        detail,
        mend: match standing {
            Standing::ByItself(ByItself::Refused(candidate, _)) => Some(candidate.help()),
            Standing::Plain if is_open => Some(format!(
                "std-facade = [\"{}\"] in [package.metadata.wasmedge], if they are reached",
                package.name
            )),
            _ => None,
        },
    }
}
