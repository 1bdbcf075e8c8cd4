//! `cargo wasmedge <anything>`: cargo, with the ported crates.

use std::ffi::OsString;

use anyhow::Context as _;

use super::global::Global;
use crate::build::{Cargo, CargoInvocation, Kind, subcommand, unwinding};
use crate::error::{Error, Result};
use crate::prepare::{Prepared, prepare};
use crate::process;
use crate::resolve::Resolver;
use crate::run;
use crate::shell::{Shell, quoted};
use crate::toolchain::Origin;
use crate::toolchain::rust::TARGET;

/// Runs `args`, the subcommand first.
pub(super) fn run(args: Vec<OsString>, mut global: Global) -> Result<i32> {
    let (name, args) = args.split_first().context("no subcommand")?;
    let text = name.to_string_lossy();
    let invocation = CargoInvocation::new(&global.cargo_options, &text, args);
    if invocation.quiet {
        global.shell = Shell::new(true, global.shell.is_verbose());
        // The runner is quiet, too, which cargo does not tell of its flag.
        let quiet = ("CARGO_TERM_QUIET".to_owned(), "true".into());
        global.flags.variables.push(quiet);
    }
    match invocation.kind() {
        Kind::Builds => {
            if let Some(value) = &invocation.misplaced {
                return Err(misplaced(&text, &value.to_string_lossy()));
            }
        }
        Kind::Native => return Err(native(&text)),
        Kind::Plain => {
            let mut command = global.users_cargo()?();
            command.args(&global.cargo_options).arg(name).args(args);
            global.shell.command(&command);
            return process::replace(command);
        }
    }
    let cargo = global.cargo()?;
    check_is_there(&cargo, &invocation.subcommand)?;
    let (app, config) = global.app(&cargo, &invocation)?;
    let cargo = match config.unwind {
        true => unwinding(cargo, &global.dirs, &app.shared_dir().join("unwinding"))?,
        false => cargo,
    };
    let ports = app.ports(&config)?;
    for unknown in app.unknown_keys()? {
        global.shell.warn(unknown);
    }
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
    // Before the build: it would be in vain.
    let found = if invocation.runs_programs() {
        let found = run::find_wasmedge(&global.dirs, config.wasmedge.as_deref())?;
        Some(run::found_variable(config.wasmedge.as_deref(), &found))
    } else {
        None
    };
    let mut prepared = prepare(&resolver)?;
    if found.is_some() {
        prepared.overrides.env.push(run::keeper::variable());
    }
    prepared.overrides.env.extend(found);
    if invocation.runs_tests() {
        let variable = (run::TESTS_VARIABLE.to_owned(), "1".into());
        prepared.overrides.env.push(variable);
    }
    let Prepared {
        overrides,
        lockfiles,
        ..
    } = prepared;
    let shim = lockfiles.ported_folder().join("bin");
    let options = &global.cargo_options;
    let command = subcommand(&cargo, &invocation, options, args, &overrides, &shim)?;
    lockfiles.run(command, &global.shell)
}

/// Of our own flag behind a subcommand of cargo's, which would take it for the program's.
fn misplaced(subcommand: &str, value: &str) -> Error {
    anyhow::anyhow!(
        "`--wasmedge` is no flag of `cargo {subcommand}`: it stands before the subcommand\n  \
         help: cargo wasmedge --wasmedge {} {subcommand}",
        quoted(value)
    )
    .into()
}

/// Of a subcommand that would build for this machine, what is there instead.
fn native(subcommand: &str) -> Error {
    let text = match subcommand {
        "install" => "`cargo install` installs programs for this machine, without ports\n  \
             help: cargo wasmedge build --release, then `cargo wasmedge compile` makes the program \
             ready for where it runs without cargo\n  \
             or for a native program: cargo install"
            .to_owned(),
        other => format!(
            "`cargo {other}` builds the package for this machine, without ports, to verify it\n  \
             help: cargo {other}, or cargo wasmedge {other} --no-verify"
        ),
    };
    anyhow::anyhow!(text).into()
}

/// What the toolchain that set-up installs cannot do: clippy only reads libraries of
/// the rustc that it was built with. `fix` has cargo start itself again by its
/// executable, which is the loader.
fn check_is_there(cargo: &Cargo, subcommand: &str) -> Result<()> {
    let toolchain = cargo.toolchain();
    let there = match subcommand {
        "clippy" => toolchain.rustc.with_file_name("cargo-clippy").is_file(),
        "fix" => false,
        _ => true,
    };
    if there || toolchain.origin != Origin::Private {
        return Ok(());
    }
    Err(Error::NotSetUp {
        what: format!(
            "the toolchain that was set up (rustc {}) has no {subcommand}",
            toolchain.rustc_version
        ),
        mend: format!(
            "rustup target add {TARGET}, so that the toolchain with your {subcommand} is used"
        ),
    })
}
