//! `cargo wasmedge compile`

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::global::Global;
use crate::config::{Config, Plugin};
use crate::error::Result;
use crate::run::aot::{self, Form};
use crate::run::find_wasmedge;
use crate::run::plugin::{Plugged, would_be_plugged};
use crate::shell::quoted;
use crate::toolchain::wasmedge::WasmEdge;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
For where a program runs without cargo. It is what `cargo wasmedge run --release`
does by itself, and faster than what `wasmedge compile` makes: indirect calls
and short copies do not go through the runtime. The file is for this version
of WasmEdge and this kind of processor.

With --universal the file is the program itself, with what was compiled beside it:
where the version or the processor is another one, it is interpreted. Container
runtimes that run WebAssembly take it for what it is.

It runs where no plugin is, too. With the setting `plugin` at `require`, or a
library's path, it has the plugin's functions, and starts with the plugin only
(`cargo wasmedge plugin DIR` writes that).")]
pub(super) struct Args {
    /// The program, such as target/wasm32-wasip1/release/app.wasm
    program: PathBuf,

    /// The file to write [default: the program's name with .so, or with .aot.wasm]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write a program that is interpreted where it cannot run compiled
    #[arg(long)]
    universal: bool,
}

pub(super) fn run(args: Args, global: &Global) -> Result<i32> {
    let Args {
        program,
        output,
        universal,
    } = args;
    // As what `cargo wasmedge run` would take here.
    let cwd = std::env::current_dir().context("no current folder")?;
    let package = cwd.ancestors().find(|dir| dir.join("Cargo.toml").is_file());
    let config = global.config(package)?;
    let wasmedge = find_wasmedge(&global.dirs, config.wasmedge.as_deref())?;
    let form = if universal {
        Form::Universal
    } else {
        Form::Native
    };
    let extension = match form {
        Form::Universal => "aot.wasm",
        Form::Native => "so",
    };
    let output = output.unwrap_or_else(|| program.with_extension(extension));
    // By their real places: a program must not take its own.
    if let (Ok(program), Ok(output)) = (program.canonicalize(), output.canonicalize())
        && program == output
    {
        let message = format!(
            "{} would be overwritten: name another file with --output",
            program.display()
        );
        return Err(anyhow::anyhow!(message).into());
    }
    let folder = match output.parent() {
        Some(folder) if folder != OsStr::new("") => folder,
        _ => ".".as_ref(),
    };
    let failed = || format!("cannot write {}", output.display());
    // The file is there when it is whole.
    let work = tempfile::Builder::new()
        .prefix(".compiling-")
        .suffix(".so")
        .tempfile_in(folder)
        .with_context(failed)?
        .into_temp_path();
    let cannot = || format!("cannot compile {}", program.display());
    let cache = aot::Cache::new(global.dirs.aot());
    let plugged = plugged(&program, &config, &wasmedge, global)?;
    let source = plugged
        .as_ref()
        .map_or(&program, |plugged| &plugged.program);
    let compiled = cache.compiled_as(form, &wasmedge, source, &global.shell)?;
    let compiled = compiled.with_context(cannot)?;
    std::fs::copy(compiled, &work).with_context(failed)?;
    std::fs::rename(&work, &output).with_context(failed)?;
    let mode = match wasmedge.needs_run_mode_aot() {
        true => " --run-mode aot",
        false => "",
    };
    let file = quoted(&output.display().to_string());
    let variable = match &plugged {
        Some(plugged) => plugged.variable() + " ",
        None => String::new(),
    };
    let message = format!("{variable}{}{mode} … {file}", wasmedge.program.display());
    global.shell.status("Run with", message);
    Ok(0)
}

/// The program with the plugin's functions, where the settings insist on them. With `auto`
/// it has none: where it is brought to the plugin may be missing, and WasmEdge would not
/// start it.
fn plugged(
    program: &Path,
    config: &Config,
    wasmedge: &WasmEdge,
    global: &Global,
) -> Result<Option<Plugged>> {
    match config.plugin {
        Plugin::Never => Ok(None),
        Plugin::Auto => {
            if would_be_plugged(program, &global.dirs) {
                global.shell.note(
                    "it is compiled without the plugin, and starts anywhere\n  \
                     help: with `plugin = \"require\"` it has the plugin, and starts where that is",
                );
            }
            Ok(None)
        }
        Plugin::Require | Plugin::Library(_) => {
            Plugged::new(program, config, wasmedge, &global.dirs, &global.shell)
        }
    }
}
