//! `cargo wasmedge <anything>`: cargo, with the ported crates.

use std::ffi::OsString;

use anyhow::Context as _;

use super::global::Global;
use crate::build::{Cargo, CargoInvocation, Kind, subcommand};
use crate::error::{Error, Result};
use crate::prepare::{Prepared, prepare};
use crate::process;
use crate::resolve::Resolver;
use crate::run;
use crate::shell::Shell;
use crate::toolchain::Origin;
use crate::toolchain::rust::TARGET;

/// Runs `args`, the subcommand first.
pub(super) fn run(args: Vec<OsString>, mut global: Global) -> Result<i32> {
    let (name, args) = args.split_first().context("no subcommand")?;
    let text = name.to_string_lossy();
    let invocation = CargoInvocation::new(&global.cargo_options, &text, args);
    if invocation.quiet {
        global.shell = Shell::new(true, global.shell.is_verbose());
    }
    if invocation.kind() == Kind::Plain {
        let mut command = global.users_cargo()?();
        command.args(&global.cargo_options).arg(name).args(args);
        global.shell.command(&command);
        return process::replace(command);
    }
    let cargo = global.cargo()?;
    if invocation.subcommand == "clippy" {
        check_clippy(&cargo)?;
    }
    let (app, config) = global.app(&cargo, &invocation)?;
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
    prepared.overrides.env.extend(found);
    let Prepared {
        overrides,
        lockfiles,
        ..
    } = prepared;
    let shim = app.state_dir().join("bin");
    let options = &global.cargo_options;
    let command = subcommand(&cargo, &invocation, options, args, &overrides, &shim)?;
    lockfiles.run(command, &global.shell)
}

/// clippy only reads libraries of the rustc that it was built with.
fn check_clippy(cargo: &Cargo) -> Result<()> {
    let toolchain = cargo.toolchain();
    if toolchain.origin != Origin::Private
        || toolchain.rustc.with_file_name("cargo-clippy").is_file()
    {
        return Ok(());
    }
    Err(Error::NotSetUp {
        what: format!(
            "the toolchain that was set up (rustc {}) has no clippy",
            toolchain.rustc_version
        ),
        mend: format!("rustup target add {TARGET}, so that the toolchain with your clippy is used"),
    })
}
