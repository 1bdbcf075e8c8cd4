//! `cargo wasmedge setup`

use semver::VersionReq;

use super::global::Global;
use crate::config::Plugin;
use crate::error::Result;
use crate::shell::Shell;
use crate::toolchain::{self, Env, Reporter, What, c, plugin};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is installed already is used: a rustc with the target's standard library,
wasmedge on PATH or in ~/.wasmedge/bin. Else it is added with rustup, or, on
Debian-like systems, downloaded with apt into the user's cache folder. Nothing
needs root. An interrupted set-up is resumed.

On Linux it builds WasmEdge's plugin (docs/plugin.md), with the user's own cargo,
into the cache folder. Programs that are run by `cargo wasmedge` then use it: they
have the system's own sockets, one epoll for all, signals and random numbers.
Where it cannot be built they run without. It is built anew when this command's
sources of it or rustc have changed, and left out if the setting `plugin` is `never`.")]
pub(super) struct Args {
    /// A WasmEdge version to have, such as 0.17 (may be repeated)
    #[arg(long, value_name = "VERSION")]
    wasmedge: Vec<VersionReq>,

    /// Set up only WasmEdge, without the plugin
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
    let env = global.flags.env()?;
    let done = toolchain::setup_in(&global.dirs, &env, &what, &global.shell)?;
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
    if what.rust {
        set_up_plugin(global, &env)?;
        tell_of_c(global, &env);
    }
    Ok(0)
}

/// Nothing needs it, so that there is none is no error.
fn set_up_plugin(global: &Global, env: &Env) -> Result<()> {
    if global.config(None)?.plugin == Plugin::Never {
        let message = "the plugin: the setting `plugin` is `never`";
        global.shell.status("Skipping", message);
        return Ok(());
    }
    match plugin::set_up(&global.dirs, env, &global.shell) {
        Ok(built) => {
            let (gain, fits) = (plugin::GAIN, built.about.wasmedges());
            let file = built.library.display();
            let message = format!("plugin, which gives programs {gain}, for {fits} ({file})");
            global.shell.status("Ready", message);
        }
        Err(why) => global.shell.warn(format_args!(
            "programs run without WasmEdge's plugin, which cannot be built: {why:#}"
        )),
    }
    Ok(())
}

/// Who adds such a crate later has no reason to look here again.
fn tell_of_c(global: &Global, env: &Env) {
    if c::chosen(env).is_none() && c::find_in(&global.dirs, env).is_err() {
        global.shell.note(format_args!(
            "crates with C parts (TLS by ring, aws-lc or OpenSSL, SQLite) need: {}",
            c::MEND
        ));
    }
}
