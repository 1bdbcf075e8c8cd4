//! The user's subcommand, with what makes cargo build for WasmEdge.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::cargo::Cargo;
use super::invocation::CargoInvocation;
use super::shim;
use crate::error::Result;

/// What a subcommand is started with beside the user's own arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Variables for cargo.
    pub env: Vec<(String, OsString)>,
    /// cargo's `--config`. Where one is behind the name of the subcommand, cargo forgets those
    /// in front of it: they are put where the user's are.
    pub config: Vec<OsString>,
    /// The target, unless the user named one.
    pub target: Option<String>,
}

/// The command for the user's subcommand with the overrides.
///
/// cargo's own subcommands get arguments. A subcommand of another program would
/// not pass them to the cargo that it calls: it is started directly, with
/// variables, and with a `cargo` in front of all others that adds them (`shim`
/// is the folder for it).
///
/// # Errors
/// The shim cannot be written.
pub fn subcommand(
    cargo: &Cargo,
    invocation: &CargoInvocation,
    global_options: &[OsString],
    args: &[OsString],
    overrides: &Overrides,
    shim: &Path,
) -> Result<Command> {
    let name = invocation.subcommand.as_str();
    let external = if invocation.takes_target() {
        None
    } else {
        cargo.external(name)
    };
    let mut command = match external {
        Some(program) => {
            let words = overrides.config.iter().chain(global_options);
            let shim = shim::write(cargo.program(), words, shim)?;
            let mut command = Command::new(program);
            command.envs(cargo.variables());
            command.env("CARGO", &shim).env("PATH", path_with(&shim));
            command.arg(name);
            if let Some(target) = &overrides.target {
                command.env("CARGO_BUILD_TARGET", target);
            }
            command
        }
        None => {
            let mut command = cargo.command();
            let (front, behind): (&[OsString], &[OsString]) = match has_config(args) {
                true => (&[], &overrides.config),
                false => (&overrides.config, &[]),
            };
            command
                .args(front)
                .args(global_options)
                .arg(name)
                .args(behind);
            match &overrides.target {
                Some(target) if invocation.takes_target() => {
                    command.args(["--target", target]);
                }
                // An alias of the user's, or `metadata`: there is no telling where
                // the flag would go.
                Some(target) => {
                    command.env("CARGO_BUILD_TARGET", target);
                }
                None => {}
            }
            command
        }
    };
    command.args(args);
    command.envs(overrides.env.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

/// Whether the arguments behind a subcommand's name have a `--config` for cargo.
fn has_config(args: &[OsString]) -> bool {
    let args = args.iter().map(|arg| arg.to_string_lossy());
    args.take_while(|arg| arg != "--")
        .any(|arg| arg == "--config" || arg.starts_with("--config="))
}

fn path_with(shim: &Path) -> OsString {
    let folder = shim.parent().unwrap_or(shim).to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
    // A folder with a `:` in its name cannot be on PATH. `CARGO` names the shim
    // as well, and that is what most programs look at.
    std::env::join_paths(folders).unwrap_or(path)
}
