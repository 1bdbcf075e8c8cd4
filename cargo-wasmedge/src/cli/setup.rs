//! `cargo wasmedge setup`

use semver::VersionReq;

use super::global::Global;
use crate::error::Result;
use crate::shell::Shell;
use crate::toolchain::{self, Reporter, What};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is installed already is used: a rustc with the target's standard library,
wasmedge on PATH or in ~/.wasmedge/bin. Else it is added with rustup, or, on
Debian-like systems, downloaded with apt into the user's cache folder. Nothing
needs root. An interrupted set-up is resumed.")]
pub(super) struct Args {
    /// A WasmEdge version to have, such as 0.17 (may be repeated)
    #[arg(long, value_name = "VERSION")]
    wasmedge: Vec<VersionReq>,

    /// Set up only WasmEdge
    #[arg(long)]
    no_rust: bool,

    /// Set up a clang too, for crates with C parts such as ring
    #[arg(long)]
    c: bool,

    /// Set up a standard library whose panics unwind, for the setting `unwind`
    #[arg(long)]
    unwind: bool,
}

impl Reporter for Shell {
    fn status(&self, verb: &str, message: &str) {
        Shell::status(self, verb, message);
    }

    fn draws_bars(&self) -> bool {
        self.shows_progress()
    }
}

pub(super) fn run(args: Args, global: &Global) -> Result<i32> {
    let mut what = What::everything();
    what.rust = !args.no_rust;
    what.c = args.c;
    what.unwinding = args.unwind;
    if !args.wasmedge.is_empty() {
        what.wasmedge = args.wasmedge;
    } else if let Some(wanted) = global.config(None)?.wasmedge
        && let Ok(wanted) = wanted.parse()
    {
        // As with `cargo wasmedge --wasmedge 0.17 setup`.
        what.wasmedge = vec![wanted];
    }
    let done = toolchain::setup_in(&global.dirs, &global.flags.env()?, &what, &global.shell)?;
    if let Some(rust) = done.rust {
        let message = format!(
            "rustc {} for {} ({})",
            rust.rustc_version,
            toolchain::rust::TARGET,
            rust.rustc.display()
        );
        global.shell.status("Ready", message);
    }
    if let Some(c) = done.c {
        let message = format!(
            "clang for {} ({})",
            toolchain::rust::TARGET,
            c.clang.display()
        );
        global.shell.status("Ready", message);
    }
    if let Some(unwinding) = done.unwinding {
        let message = format!("panics that unwind ({})", unwinding.sysroot.display());
        global.shell.status("Ready", message);
    }
    for wasmedge in done.wasmedge {
        let message = format!(
            "WasmEdge {} ({})",
            wasmedge.version,
            wasmedge.program.display()
        );
        global.shell.status("Ready", message);
    }
    Ok(0)
}
