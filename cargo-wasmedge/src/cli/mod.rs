//! The command line.

mod compile;
pub mod completions;
mod diff;
mod doctor;
mod env;
mod flags;
mod global;
mod image;
mod internal;
mod passthrough;
mod plugin;
mod setup;
mod vendor;

use std::ffi::OsString;
use std::io::Write as _;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::flags::{Flags, Options};
use self::global::Global;
use self::internal::Internal;
use crate::build::lockfiles;
use crate::config;
use crate::error::{Error, Result};
use crate::process::Failed;
use crate::shell::{Color, Shell};
use crate::toolchain::Dirs;

const AFTER_HELP: &str = "\
Every other command is cargo's and gets all its flags: `cargo wasmedge build`,
`run`, `test`, `bench`, `check`, `clippy`, `doc`, `tree`, `nextest run`, …

Settings: `cargo wasmedge help settings` lists them, with the variables, keys of
Cargo.toml, defaults and an example of each.

Exit codes: those of cargo and of the program, and
  96  something is not set up (`cargo wasmedge setup` mends it)
  97  a port does not apply to the upstream crate
  98  the app pins a version that no port covers";

/// Builds and runs tokio apps for WasmEdge, as they are: no edit to their sources, Cargo.toml or Cargo.lock.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-wasmedge",
    bin_name = "cargo wasmedge",
    version,
    styles = clap_cargo::style::CLAP_STYLING,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    subcommand_help_heading = "Own commands",
    override_usage = "cargo wasmedge [OPTIONS] <COMMAND> [ARGS]...",
    after_help = AFTER_HELP,
)]
struct Cli {
    #[command(flatten)]
    own: Options,

    /// Override a cargo configuration value
    #[arg(long, value_name = "KEY=VALUE|PATH", help_heading = "Handed to cargo")]
    config: Vec<OsString>,

    /// Assert that `Cargo.lock` will remain unchanged
    #[arg(long, help_heading = "Handed to cargo")]
    locked: bool,

    /// Run without accessing the network
    #[arg(long, help_heading = "Handed to cargo")]
    offline: bool,

    /// Equivalent to specifying both --locked and --offline
    #[arg(long, help_heading = "Handed to cargo")]
    frozen: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what is missing: a wasm32-wasip1 toolchain, WasmEdge, its plugin
    Setup(setup::Args),
    /// Say what is there, what is missing, and the command that mends it
    Doctor(doctor::Args),
    /// Compile a program ahead of time, for where it runs without cargo
    Compile(compile::Args),
    /// Make a container image of a program, with WasmEdge in it
    Image(image::Args),
    /// Write the plugin of WasmEdge into a folder, for a machine without cargo
    Plugin(plugin::Args),
    /// Write the ported crates into a folder, for use with plain cargo
    Vendor(vendor::Args),
    /// Show what a port changes in a crate
    Diff(diff::Args),
    /// Print the variables and arguments that cargo would get
    Env(env::Args),
    /// Print a script with which a shell completes `cargo wasmedge`
    Completions(completions::Args),
    /// Print this, the settings (`help settings`), or cargo's help for COMMAND
    Help {
        /// A command, or `settings`
        command: Option<OsString>,
    },
    #[command(flatten)]
    Internal(Internal),
    #[command(external_subcommand)]
    Cargo(Vec<OsString>),
}

/// Runs the command line `args` (the program's name first) and gives the exit
/// code for the process.
pub fn main(args: impl IntoIterator<Item = OsString>) -> i32 {
    let mut args: Vec<OsString> = args.into_iter().collect();
    // cargo calls `cargo-wasmedge wasmedge …`; by hand the name may be left out.
    if args.get(1).is_some_and(|arg| arg == "wasmedge") {
        args.remove(1);
    }
    Color::from_env().apply();
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return error.exit_code();
        }
    };
    if let Some(color) = cli.own.color {
        color.apply();
    }
    let (quiet, verbose) = (cli.own.quiet, cli.own.verbose);
    let shell = Shell::from_env().with(quiet, verbose);
    match dispatch(cli, shell) {
        Ok(code) => code,
        Err(error) => {
            if let Some(code) = Failed::code_in(&error) {
                return code;
            }
            if is_closed_pipe(&error) {
                return 0;
            }
            shell.error(&error);
            error.exit_code()
        }
    }
}

/// Whoever read our output has seen enough, `head` for one.
fn is_closed_pipe(error: &Error) -> bool {
    let Error::Other(error) = error else {
        return false;
    };
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn parse(args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    if Color::from_env() == Color::Never {
        command = command.color(clap::ColorChoice::Never);
    }
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

fn dispatch(cli: Cli, shell: Shell) -> Result<i32> {
    let flags = Flags::new(&cli.own);
    let mut cargo_options = Vec::new();
    for value in cli.config {
        cargo_options.extend(["--config".into(), value]);
    }
    for (given, flag) in [
        (cli.locked, "--locked"),
        (cli.offline, "--offline"),
        (cli.frozen, "--frozen"),
    ] {
        if given {
            cargo_options.push(flag.into());
        }
    }
    let settings = flags.settings.clone();
    let global = || {
        let global = Global {
            shell,
            dirs: Dirs::new()?,
            flags,
            cargo_options,
        };
        lockfiles::recover(&global.dirs.journals(), &shell);
        Ok::<_, Error>(global)
    };
    match cli.command {
        Command::Setup(args) => setup::run(args, &global()?),
        Command::Doctor(args) => doctor::run(&args, &global()?),
        Command::Compile(args) => compile::run(args, &global()?),
        Command::Image(args) => image::run(args, &global()?),
        Command::Plugin(args) => plugin::run(args, &global()?),
        Command::Vendor(args) => vendor::run(args, &global()?),
        Command::Diff(args) => diff::run(args, &global()?),
        Command::Env(args) => env::run(args, &global()?),
        Command::Completions(args) => completions::run(&args),
        Command::Help { command: None } => Ok(print_help()),
        Command::Help {
            command: Some(name),
        } => {
            if name == "settings" {
                return print_settings();
            }
            match Cli::command().find_subcommand_mut(name.to_string_lossy().as_ref()) {
                Some(own) => {
                    let name = format!("cargo wasmedge {}", own.get_name());
                    let _ = own.clone().bin_name(name).print_help();
                    Ok(0)
                }
                None => passthrough::run(vec!["help".into(), name], global()?),
            }
        }
        Command::Internal(internal) => internal.run(settings, &shell),
        Command::Cargo(args) => passthrough::run(args, global()?),
    }
}

fn print_settings() -> Result<i32> {
    anstream::stdout().write_all(config::help().as_bytes())?;
    Ok(0)
}

fn print_help() -> i32 {
    let _ = Cli::command().print_help();
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
