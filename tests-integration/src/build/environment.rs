//! What the programs that are started find in their environment.

use std::process::Command;

use crate::host::{Host, Mode};

/// Tells the runner where to run.
pub(super) fn select(command: &mut Command, host: &Host) {
    if let Host::WasmEdge(edge, mode) = host {
        let aot = match mode {
            Mode::Interpreted => "never",
            Mode::Compiled => "always",
        };
        command
            .env("CARGO_WASMEDGE_WASMEDGE", &edge.program)
            .env("CARGO_WASMEDGE_AOT", aot)
            // Whether or not this machine has it.
            .env("CARGO_WASMEDGE_PLUGIN", "never");
    }
}

/// Programs built without optimisation are slow to interpret and to compile
/// ahead of time.
pub(super) fn quick_to_load(command: &mut Command) {
    command
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "3")
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
}

/// Takes away what cargo tells the tests that it runs, which would not be there
/// in a shell.
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
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use cargo_wasmedge::toolchain::Origin;
    use cargo_wasmedge::toolchain::wasmedge::WasmEdge;

    /// Where it is set up, programs have it: a test that says nothing of it has no way to
    /// know whether they do.
    #[test]
    fn programs_run_without_the_plugin_unless_a_test_says_otherwise() {
        let edge = WasmEdge {
            program: "/wasmedge".into(),
            version: "0.17.1".parse().unwrap(),
            origin: Origin::Private,
        };
        for mode in [Mode::Interpreted, Mode::Compiled] {
            let mut command = Command::new("true");
            select(&mut command, &Host::WasmEdge(edge.clone(), mode));
            let mut set = command.get_envs();
            let plugin = set.find(|(name, _)| *name == "CARGO_WASMEDGE_PLUGIN");
            assert_eq!(plugin.unwrap().1, Some("never".as_ref()));
        }
    }
}
