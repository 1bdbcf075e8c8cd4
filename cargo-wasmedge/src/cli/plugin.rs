//! `cargo wasmedge plugin`

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use semver::VersionReq;

use super::global::Global;
use crate::error::{Error, Result};
use crate::fs::write_atomically;
use crate::shell::quoted;
use crate::toolchain::plugin::{self, About, LIBRARY, PATH_VARIABLE};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Builds the library first, if `cargo wasmedge setup` has not. One library serves
every WasmEdge from 0.14 to 0.17, on this kind of processor, with the C library
of this machine or a newer one. Programs that are to use it are compiled with
`CARGO_WASMEDGE_PLUGIN=require cargo wasmedge compile`.")]
pub(super) struct Args {
    /// The folder, which is made if it is not there
    dir: PathBuf,

    /// The WasmEdge that is to load it: refuse one that it does not fit
    #[arg(long, value_name = "VERSION")]
    wasmedge: Option<VersionReq>,
}

pub(super) fn run(args: Args, global: &Global) -> Result<i32> {
    let built = plugin::set_up(&global.dirs, &global.flags.env()?, &global.shell);
    let built = built.map_err(|why| Error::NotSetUp {
        what: format!("WasmEdge's plugin cannot be built here: {why:#}"),
        mend: "build it on Linux, with cargo 1.95 or newer and a C compiler".to_owned(),
    })?;
    if let Some(wanted) = args.wasmedge {
        check(&built.about, &wanted)?;
    }
    let content = std::fs::read(&built.library)
        .with_context(|| format!("cannot read {}", built.library.display()))?;
    write_atomically(&args.dir.join(LIBRARY), &content)?;
    let dir = std::path::absolute(&args.dir).unwrap_or(args.dir);
    let file = dir.join(LIBRARY);
    let fits = built.about.wasmedges();
    global
        .shell
        .status("Written", format_args!("{} (for {fits})", file.display()));
    let dir = quoted(&dir.display().to_string());
    // For whoever pastes it: it is all that goes to stdout.
    writeln!(
        anstream::stdout(),
        "{PATH_VARIABLE}={dir} wasmedge …   # or put the file into WasmEdge's own folder \
         (lib/wasmedge of /usr, or `plugin` beside its lib); in a container: ENV {PATH_VARIABLE}=FOLDER"
    )?;
    Ok(0)
}

/// Refuses a WasmEdge that would not load it.
fn check(about: &About, wanted: &VersionReq) -> Result<()> {
    let first = wanted.comparators.first();
    let Some((major, Some(minor))) = first.map(|first| (first.major, first.minor)) else {
        return Ok(());
    };
    if about.fits_minor((major, minor)) {
        return Ok(());
    }
    let fits = about.wasmedges();
    Err(anyhow!("the plugin is for {fits}, and not for {major}.{minor}").into())
}
