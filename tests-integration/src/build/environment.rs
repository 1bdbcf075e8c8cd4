//! What the programs that are started find in their environment.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::host::{Execution, Host};
use crate::mode::SETTING;

/// Tells the runner where to run. `library` gives the plugin's library.
///
/// # Errors
/// Those of `library`.
pub(super) fn select(
    command: &mut Command,
    host: &Host,
    library: impl FnOnce() -> Result<PathBuf>,
) -> Result<()> {
    let Host::WasmEdge(edge, execution, mode) = host else {
        return Ok(());
    };
    let aot = match execution {
        Execution::Interpreted => "never",
        Execution::Compiled => "always",
    };
    command
        .env("CARGO_WASMEDGE_WASMEDGE", &edge.program)
        .env("CARGO_WASMEDGE_AOT", aot);
    mode.select(command, library)
}

/// Programs built without optimisation are slow to interpret and to compile
/// ahead of time.
pub(super) fn quick_to_load(command: &mut Command) {
    command
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "3")
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
}

/// Takes away what cargo tells the tests that it runs, which would not be there
/// in a shell. Unless a mode is selected, programs have no plugin, whatever is set up.
pub(super) fn shell_like(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let kept = [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_WASMEDGE_HOME",
            "CARGO_WASMEDGE_NO_RUSTUP",
        ];
        let ours = kept.contains(&&*name)
            || name.starts_with("CARGO_HTTP_")
            || name.starts_with("CARGO_REGISTR");
        let cargos = name == "CARGO" || name.starts_with("CARGO_") || name.starts_with("NEXTEST");
        if (cargos && !ours) || name == "RUST_RECURSION_COUNT" || name == "RUST_BACKTRACE" {
            command.env_remove(&*name);
        }
    }
    command.env(SETTING, "never");
    command
}
