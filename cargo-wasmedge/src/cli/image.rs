//! `cargo wasmedge image`

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow};
use indicatif::DecimalBytes;

use super::global::Global;
use crate::config::{Config, Plugin};
use crate::error::{Error, Result};
use crate::run::image::Image;
use crate::run::plugin::Plugged;
use crate::run::{aot, find_wasmedge};
use crate::shell::printed;
use crate::toolchain::plugin;

/// What makes images, in the order in which they are looked for.
const BUILDERS: [&str; 3] = ["podman", "buildah", "docker"];

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The image holds the program, compiled ahead of time, WasmEdge with the libraries
that it needs, and the plugin. Every container runtime runs it; nodes need nothing.
It is for this kind of processor. The settings count: `dirs`, `env`, `plugin` and
the others that `cargo wasmedge run` goes by.

The folder has a Containerfile, and is written anew each time: what is to be added
goes into one of your own, `FROM` the image. With --tag the image is built, by the
first of podman, buildah and docker that is here.")]
pub(super) struct Args {
    /// The program, such as target/wasm32-wasip1/release/app.wasm
    program: PathBuf,

    /// The folder to write [default: the program's name with .image]
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,

    /// Build the image, under this name
    #[arg(short, long, value_name = "NAME")]
    tag: Option<String>,
}

pub(super) fn run(args: Args, global: &Global) -> Result<i32> {
    let Args {
        program,
        output,
        tag,
    } = args;
    let shell = &global.shell;
    // As what `cargo wasmedge run` would take here.
    let env = global.flags.env()?;
    let package = env.cwd().ancestors();
    let package = package
        .into_iter()
        .find(|dir| dir.join("Cargo.toml").is_file());
    let config = global.config(package)?;
    let wasmedge = find_wasmedge(&global.dirs, config.wasmedge.as_deref())?;
    let output = output.unwrap_or_else(|| program.with_extension("image"));
    let name = program.file_name().and_then(OsStr::to_str);
    let name = name.with_context(|| format!("{} is no file's name", program.display()))?;

    set_up_plugin(&config, global)?;
    let plugged = Plugged::new(&program, &config, &wasmedge, &global.dirs, shell)?;
    let source = plugged
        .as_ref()
        .map_or(&program, |plugged| &plugged.program);
    let compiled = aot::Cache::new(global.dirs.aot()).compiled(&wasmedge, source, shell)?;
    let compiled = compiled.with_context(|| format!("cannot compile {}", program.display()))?;
    let image = Image {
        name,
        compiled: &compiled,
        wasmedge: &wasmedge,
        plugin: plugged.as_ref().map(|plugged| &*plugged.library),
        config: &config,
    };
    let size = image.write(&output, &env, shell)?;
    let with = if plugged.is_some() {
        " and the plugin"
    } else {
        ""
    };
    shell.status(
        "Written",
        format_args!(
            "{} ({}, with WasmEdge {}{with})",
            output.display(),
            DecimalBytes(size),
            wasmedge.version
        ),
    );
    let builder = BUILDERS.into_iter().find(|name| env.which(name).is_some());
    let Some(tag) = tag else {
        let build = build(builder.unwrap_or(BUILDERS[0]), "NAME", &output);
        // For whoever pastes it: it is all that goes to stdout.
        writeln!(anstream::stdout(), "{}", printed(&build))?;
        return Ok(0);
    };
    let Some(builder) = builder else {
        return Err(Error::NotSetUp {
            what: format!(
                "the image cannot be built here: none of {} is on PATH",
                BUILDERS.join(", ")
            ),
            mend: format!(
                "install one of them, or take {} to where there is one",
                output.display()
            ),
        });
    };
    let mut build = build(builder, &tag, &output);
    shell.status("Building", format_args!("{tag} ({builder})"));
    shell.command(&build);
    let status = build.status();
    let status = status.with_context(|| format!("cannot start {builder}"))?;
    match status.code() {
        Some(code) => Ok(code),
        None => Err(anyhow!("{builder}: {status}").into()),
    }
}

/// With `auto` an image has the plugin where it can be built: both come to its place
/// together.
fn set_up_plugin(config: &Config, global: &Global) -> Result<()> {
    if config.plugin != Plugin::Auto {
        return Ok(());
    }
    if let Err(why) = plugin::set_up(&global.dirs, &global.flags.env()?, &global.shell) {
        global.shell.note(format_args!(
            "the image has no plugin, which cannot be built here: {why:#}"
        ));
    }
    Ok(())
}

/// All three have these options.
fn build(builder: &str, tag: &str, folder: &Path) -> Command {
    let mut command = Command::new(builder);
    command.args(["build", "--tag", tag, "--file"]);
    command.arg(folder.join("Containerfile")).arg(folder);
    command
}
