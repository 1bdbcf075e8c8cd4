//! What cargo starts in the place of a built program: finds WasmEdge, compiles
//! ahead of time where that pays, and becomes WasmEdge. It stays beside WasmEdge only
//! where `RUST_BACKTRACE` asks for backtraces, and for the programs of `cargo test`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::found::{find_wasmedge, handed_down};
use super::preopens::{HostFacts, host_args};
use super::trace::{self, Style, Trace};
use super::{aot, attended, started};
use crate::config::{Aot, Config, Layer};
use crate::error::Result;
use crate::process;
use crate::shell::Shell;
use crate::toolchain::Dirs;

/// The hidden subcommand that cargo is given as runner.
pub const SUBCOMMAND: &str = "wasmedge-runner";

/// Tells the runner that its programs are those of `cargo test`.
pub const TESTS_VARIABLE: &str = "CARGO_WASMEDGE_TESTS";

/// Tells libtest to keep nothing of what tests print.
const NO_CAPTURE: &str = "RUST_TEST_NOCAPTURE";

/// What WasmEdge exits with when a program traps.
const TRAPPED: i32 = 134;

/// Runs `args` (the program and its arguments) under WasmEdge, with `flags` above
/// all other settings. On Unix this process becomes WasmEdge, or ends as it does, so
/// the guest's exit code and signals are direct.
///
/// # Errors
/// [`crate::error::Error::NotSetUp`] without WasmEdge; a setting of the wrong form.
pub fn run(args: &[OsString], flags: Layer, shell: &Shell) -> Result<i32> {
    let Some((program, args)) = args.split_first() else {
        return Err(anyhow::anyhow!("{SUBCOMMAND} needs the program to run").into());
    };
    let program = Path::new(program);
    if !program.is_file() {
        return Err(anyhow::anyhow!("no such program: {}", program.display()).into());
    }
    started::announce();
    let dirs = Dirs::new()?;
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let config = Config::for_package_with(flags, package.as_deref())?;
    let wasmedge = handed_down(config.wasmedge.as_deref())
        .map_or_else(|| find_wasmedge(&dirs, config.wasmedge.as_deref()), Ok)?;

    let compiled = match config.aot {
        Aot::Never => None,
        Aot::Auto if is_debug(program) || is_doctest(program) => None,
        Aot::Auto | Aot::Always => {
            match aot::Cache::new(dirs.aot()).compiled(&wasmedge, program, shell)? {
                Ok(compiled) => Some(compiled),
                Err(why) => {
                    shell.warn(format_args!(
                        "{} cannot be compiled ahead of time and is interpreted: {why:#}",
                        program.file_name().unwrap_or_default().to_string_lossy()
                    ));
                    None
                }
            }
        }
    };
    let mut command = Command::new(&wasmedge.program);
    if compiled.is_some() && wasmedge.needs_run_mode_aot() {
        command.args(["--run-mode", "aot"]);
    }
    let mut host_args = host_args(&config, program, &HostFacts::of_process(&config, &dirs)?);
    let is_test = std::env::var_os(TESTS_VARIABLE).is_some();
    // What libtest keeps of a test that panics is lost with the program.
    if is_test && guest_variable(&host_args, NO_CAPTURE).is_none() {
        host_args.extend(["--env".to_owned(), format!("{NO_CAPTURE}=1")]);
    }
    let style = Style::of(guest_variable(&host_args, trace::VARIABLE));
    command.args(&host_args);
    if config.allow_af_unix {
        command.arg("--allow-af-unix");
        // It warns, on the program's standard output, of each datagram whose sender
        // has no name.
        if wasmedge.has_log_level() {
            command.args(["--log-level", "error"]);
        }
    }
    command.args(&config.wasmedge_args);
    command
        .arg(compiled.as_deref().unwrap_or(program))
        .args(args);
    shell.command(&command);
    if style.is_none() && !is_test {
        return process::replace(command);
    }
    let trace = style.map(|style| Trace::new(program, &wasmedge, style, shell));
    let ended = attended::run(command, trace)?;
    if is_test && ended.code() == Some(TRAPPED) && !is_doctest(program) {
        shell.note(
            "a test that panics ends the program: those behind it did not run\n  \
             help: `cargo wasmedge nextest run` gives each a program of its own \
             (`cargo install --locked cargo-nextest`)",
        );
    }
    Ok(attended::end_as(ended))
}

/// The value that `args` give a variable of the guest's.
fn guest_variable<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    let pairs = args.iter().zip(args.iter().skip(1));
    let values = pairs.filter(|(flag, _)| *flag == "--env");
    values
        .filter_map(|(_, entry)| entry.split_once('='))
        .find_map(|(named, value)| (named == name).then_some(value))
}

/// Whether rustdoc built it, which never optimises. No other runner of tests runs it.
fn is_doctest(program: &Path) -> bool {
    program.file_stem() == Some(OsStr::new("rust_out"))
}

/// Whether cargo built it with a profile that does not optimise, as far as its
/// folder tells: `TARGET/debug/x.wasm`, `TARGET/debug/deps/x.wasm`.
fn is_debug(program: &Path) -> bool {
    let mut folders = program.ancestors().skip(1).filter_map(Path::file_name);
    let folder =
        folders.find(|name| *name != OsStr::new("deps") && *name != OsStr::new("examples"));
    folder == Some(OsStr::new("debug"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_folder_tells_debug_builds() {
        let debug = |path: &str| is_debug(Path::new(path));
        assert!(debug("target/wasm32-wasip1/debug/app.wasm"));
        assert!(debug("/a/target/wasm32-wasip1/debug/deps/app-1.wasm"));
        assert!(debug("target/wasm32-wasip1/debug/examples/app.wasm"));
        assert!(!debug("target/wasm32-wasip1/release/app.wasm"));
        assert!(!debug("target/wasm32-wasip1/release/deps/app-1.wasm"));
        assert!(!debug("/debug/target/wasm32-wasip1/release/app.wasm"));
        assert!(!debug("app.wasm"));
    }
}
