//! `cargo wasmedge <anything>`: cargo, with the ported crates.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Global;
use crate::build::{Cargo, CargoInvocation, Kind, subcommand};
use crate::error::{Error, Result};
use crate::prepare::{Prepared, prepare};
use crate::process;
use crate::resolve::{App, Resolver};
use crate::run;
use crate::toolchain::rust::TARGET;
use crate::toolchain::{Dirs, Env, Origin};

/// cargo's variable for the target's runner.
const RUNNER_VARIABLE: &str = "CARGO_TARGET_WASM32_WASIP1_RUNNER";

/// Runs `args`, the subcommand first.
pub(super) fn run(args: Vec<OsString>, mut global: Global) -> Result<i32> {
    let (name, args) = args.split_first().context("no subcommand")?;
    let text = name.to_string_lossy();
    let invocation = CargoInvocation::new(&global.cargo_options, &text, args);
    if invocation.quiet {
        global.shell = super::Shell::new(true, global.shell.is_verbose());
    }
    if invocation.kind() == Kind::Plain {
        let mut command = std::process::Command::new(any_cargo());
        command.envs(
            global
                .flags
                .variables
                .iter()
                .map(|(name, value)| (name, value)),
        );
        command.args(&global.cargo_options).arg(name).args(args);
        global.shell.command(&command);
        return process::replace(command);
    }
    let cargo = global.cargo()?;
    if invocation.subcommand == "clippy" {
        check_clippy(&cargo)?;
    }
    let app = App::find(&cargo, &invocation, &global.shell)?;
    let config = app.config(global.flags.settings.clone())?;
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
    prepared.overrides.env.push(runner_variable(&global.dirs)?);
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

/// The cargo for subcommands that need no toolchain.
fn any_cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The variable that makes cargo start programs with our runner.
///
/// A variable, because it is of one kind: in configuration files a runner may be
/// a string or a list, and cargo refuses to put one over the other.
pub(super) fn runner_variable(dirs: &Dirs) -> Result<(String, OsString)> {
    let exe = std::env::current_exe().context("cannot tell the path of this program")?;
    let exe = without_spaces(&exe, dirs)?;
    let mut runner = exe.into_os_string();
    runner.push(" ");
    runner.push(run::SUBCOMMAND);
    Ok((RUNNER_VARIABLE.to_owned(), runner))
}

/// cargo splits the variable at white space and knows no quotes: a program in a
/// folder with a space in its name is reached through a link elsewhere.
fn without_spaces(exe: &Path, dirs: &Dirs) -> Result<PathBuf> {
    let has_space = |path: &Path| path.to_string_lossy().contains(char::is_whitespace);
    if !has_space(exe) {
        return Ok(exe.to_owned());
    }
    let mut folders = vec![dirs.home().join("bin")];
    if let Some(home) = Env::of_process()?.home() {
        folders.push(home.join(".cargo-wasmedge"));
    }
    let folder = folders.into_iter().find(|folder| !has_space(folder)).with_context(|| {
        format!(
            "{} has a space in its path, and so has the cache folder: cargo cannot start it as a runner\n  \
             help: set CARGO_WASMEDGE_HOME to a folder without one",
            exe.display()
        )
    })?;
    // One link per program: two versions may be in use at once.
    let mut hash = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(exe, &mut hash);
    let link = folder.join(format!("runner-{:016x}", std::hash::Hasher::finish(&hash)));
    let failed = || format!("cannot link {} to {}", link.display(), exe.display());
    std::fs::create_dir_all(&folder).with_context(failed)?;
    if std::fs::read_link(&link).is_ok_and(|old| old == exe) {
        return Ok(link);
    }
    #[cfg(unix)]
    let made = std::os::unix::fs::symlink(exe, &link);
    #[cfg(not(unix))]
    let made = std::fs::copy(exe, &link).map(|_| ());
    match made {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(anyhow::Error::new(error).context(failed()).into())
        }
        _ => Ok(link),
    }
}
