//! `cargo wasmedge vendor`

use std::io::Write as _;
use std::path::PathBuf;

use super::global::Global;
use crate::embedded;
use crate::error::Result;
use crate::resolve::Resolver;
use crate::shell::quoted;
use crate::toolchain::rust;
use crate::vendor;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints a [patch.crates-io] table for Cargo.toml; README.md in the folder tells
how to use it, and how to do without. Run again to bring the folder up to date.
(For cargo's own `vendor`, call cargo.)")]
pub(super) struct Args {
    /// The folder: a new one, or one that this command made
    dir: PathBuf,

    /// These crates instead of those of the app; no app is needed (may be repeated).
    /// A folder is a copy of your own: ./NAME
    #[arg(long = "crate", value_name = "NAME[@VERSION]|FOLDER")]
    krate: Vec<String>,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
}

pub(super) fn run(args: Args, global: &Global) -> Result<i32> {
    let mut ports = embedded::ports()?;
    let invocation = global.invocation("vendor", args.manifest_path);
    let (upstreams, stand_in, root) = if args.krate.is_empty() {
        let cargo = global.cargo()?;
        let (app, config) = global.app(&cargo, &invocation)?;
        let of_app = app.ports(&config)?;
        let resolver = Resolver {
            cargo: &cargo,
            invocation: &invocation,
            app: &app,
            dirs: &global.dirs,
            ports: &of_app,
            std_facade: &config.std_facade,
            weak_random: config.weak_random,
            browser_gates: &config.browser_gates,
            shell: &global.shell,
        };
        let mut lockfiles = resolver.lockfiles()?;
        resolver.check_locked()?;
        let selection = resolver.select(&mut lockfiles)?;
        for notice in &selection.notices {
            notice.tell(&global.shell);
        }
        let (upstreams, stand_in) = (selection.upstreams, selection.stand_in);
        ports = selection.ports;
        (upstreams, stand_in, Some(app.root))
    } else {
        let cargo = global.any_cargo()?;
        let fetch = |spec: &String| vendor::fetch(&*cargo, spec, &ports, invocation.offline);
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
