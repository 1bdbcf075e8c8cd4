//! `cargo wasmedge vendor`

use std::io::Write as _;
use std::path::PathBuf;

use super::Global;
use crate::app::App;
use crate::embedded;
use crate::error::Result;
use crate::overlay::Context;
use crate::shell::quoted;
use crate::toolchain::{Env, rust};
use crate::vendor;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints a [patch.crates-io] table for Cargo.toml; README.md in the folder tells
how to use it, and how to do without. Run again to bring the folder up to date.
(For cargo's own `vendor`, call cargo.)")]
pub(super) struct Args {
    /// The folder: a new one, or one that this command made
    dir: PathBuf,

    /// These crates instead of those of the app; no app is needed (may be repeated)
    #[arg(long = "crate", value_name = "NAME[@VERSION]")]
    krate: Vec<String>,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
}

pub(super) fn run(args: Args, global: &Global) -> Result<i32> {
    let mut ports = embedded::ports()?;
    let peeked = global.peeked("vendor", args.manifest_path);
    let (upstreams, stand_in, root) = if args.krate.is_empty() {
        let cargo = global.cargo()?;
        let app = App::find(&cargo, &peeked, &global.shell)?;
        ports = app.ports()?;
        let context = Context {
            cargo: &cargo,
            peeked: &peeked,
            app: &app,
            dirs: &global.dirs,
            ports: &ports,
            shell: &global.shell,
        };
        let mut lockfiles = context.lockfiles()?;
        context.check_locked()?;
        let selection = context.select(&mut lockfiles)?;
        let all: Vec<_> = selection
            .selected
            .into_iter()
            .map(|each| each.upstream)
            .collect();
        (all, selection.stand_in, Some(app.root))
    } else {
        let cargo = plain_cargo(global)?;
        let fetch = |spec: &String| vendor::fetch(&cargo, spec, &ports, peeked.offline);
        let upstreams = args.krate.iter().map(fetch);
        (upstreams.collect::<Result<Vec<_>>>()?, false, None)
    };
    let ported = vendor::vendor(&args.dir, &upstreams, stand_in, &ports, &global.shell)?;
    if ported.is_empty() {
        global.shell.note("the app uses no crate that needs a port");
    }
    let mut out = anstream::stdout().lock();
    write!(
        out,
        "{}",
        vendor::patch_table(&args.dir, root.as_deref(), &ported)
    )?;
    let config = args.dir.join("config.toml").to_string_lossy().into_owned();
    global.shell.note(format_args!(
        "paste the table into the Cargo.toml of the workspace root, or leave that alone and use\n      \
         cargo --config {} build --target {}",
        quoted(&config),
        rust::TARGET
    ));
    Ok(0)
}

/// The cargo of the toolchain that is found, else any: to fetch a crate no
/// target is needed.
pub(super) fn plain_cargo(global: &Global) -> Result<PathBuf> {
    if let Ok(cargo) = global.cargo() {
        return Ok(cargo.program().to_owned());
    }
    let env = Env::of_process()?;
    Ok(env
        .var("CARGO")
        .map_or_else(|| PathBuf::from("cargo"), PathBuf::from))
}
