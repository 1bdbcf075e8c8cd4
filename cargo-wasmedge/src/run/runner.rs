//! What cargo starts in the place of a built program: finds WasmEdge, compiles
//! ahead of time where that pays, and becomes WasmEdge. It stays beside WasmEdge only
//! where `RUST_BACKTRACE` asks for backtraces, and for the programs of `cargo test`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::environment::{Environment, explain_too_long};
use super::found::{find_wasmedge, handed_down};
use super::plugin::Plugged;
use super::preopens::{HostFacts, dir_args};
use super::trace::{self, Style, Trace};
use super::{aot, arguments, attended, hint, keeper, limits, preopens, started, streams};
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
    keeper::ends_with_us()?;
    started::announce();
    let dirs = Dirs::new()?;
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let config = Config::for_package_with(flags, package.as_deref())?;
    let wasmedge = handed_down(config.wasmedge.as_deref())
        .map_or_else(|| find_wasmedge(&dirs, config.wasmedge.as_deref()), Ok)?;

    let plugged = Plugged::new(program, &config, &wasmedge, &dirs, shell)?;
    // Where it is in cargo's folders tells what it is; what runs may be another file.
    let built = program;
    let program = plugged.as_ref().map_or(built, |plugged| &plugged.program);
    let compiled = match config.aot {
        Aot::Never => None,
        Aot::Auto if is_doctest(built) => None,
        Aot::Auto if is_debug(built) => {
            hint::tell(built, shell);
            None
        }
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
    let host = HostFacts::of_process(&config, &dirs)?;
    let tmp = host.tmp(&config).map(Path::as_os_str);
    let mut environment = Environment::new(&config, std::env::vars_os(), tmp);
    for (name, value) in host.variables() {
        environment.tell(name.as_ref(), value.as_ref());
    }
    let is_test = std::env::var_os(TESTS_VARIABLE).is_some();
    // What libtest keeps of a test that panics is lost with the program.
    if is_test && !config.unwind && environment.value(NO_CAPTURE).is_none() {
        environment.tell(NO_CAPTURE.as_ref(), "1".as_ref());
    }
    let style = Style::of(environment.value(trace::VARIABLE).and_then(OsStr::to_str));
    let mut given = dir_args(&config, built, &host);
    given.extend(environment.args());
    let command = |given: &[OsString]| {
        let mut command = Command::new(&wasmedge.program);
        command.args(arguments::mode(&wasmedge, &config, compiled.is_some()));
        command.args(given).args(&config.wasmedge_args);
        command
            .arg(compiled.as_deref().unwrap_or(program))
            .args(args);
        command
    };
    shell.command(&command(given.printed()));
    tell_taken(&environment, shell);
    limits::check(shell);
    for folder in preopens::unreachable(&config) {
        shell.warn(format_args!(
            "programs cannot reach `{folder}`, of the setting `dirs`: WasmEdge leaves out parts that begin with a dot\n  \
             help: another name in front of the colon, such as `/data:{folder}`"
        ));
    }
    let mut command = streams::ignoring_sigpipe(&command(given.all()));
    if let Some(plugged) = &plugged {
        plugged.tell(&mut command, config.allow_af_unix);
    }
    if style.is_none() && !is_test {
        streams::set_input(&mut command);
        return process::replace(command).map_err(explain_too_long);
    }
    let trace = style.map(|style| Trace::new(program, &wasmedge, style, shell));
    let ended = attended::run(&command, trace).map_err(explain_too_long)?;
    if is_test && !config.unwind && ended.code() == Some(TRAPPED) && !is_doctest(built) {
        shell.note(
            "a test that panics ends the program: those behind it did not run\n  \
             help: `cargo wasmedge nextest run` gives each a program of its own \
             (`cargo install --locked cargo-nextest`)",
        );
    }
    Ok(attended::end_as(ended))
}

/// Which of the user's variables the program gets, with `-v`.
fn tell_taken(environment: &Environment, shell: &Shell) {
    let taken: Vec<_> = environment.taken().map(OsStr::to_string_lossy).collect();
    if shell.is_verbose() && !taken.is_empty() {
        shell.note(format_args!(
            "with these variables of the environment, too: {}",
            taken.join(", ")
        ));
    }
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
