//! cargo's subcommands, and what becomes of each.

/// What becomes of a subcommand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It resolves or builds the app: it gets the ported crates. So does every
    /// subcommand that is not known: aliases, and other programs.
    Builds,
    /// It has nothing to do with the target: cargo is started as it is.
    Plain,
    /// It would build for this machine, from crates without their ports: it is refused.
    Native,
}

/// cargo's own subcommands that build, and their built-in aliases. All take `--target`.
const BUILDING: [&str; 16] = [
    "b", "bench", "build", "c", "check", "d", "doc", "fetch", "fix", "r", "run", "rustc",
    "rustdoc", "t", "test", "tree",
];

/// Subcommands that build nothing of the app: they look at its graph, or fetch it.
/// `diff` and `env` are ours.
const LOOKING: [&str; 5] = ["diff", "env", "fetch", "metadata", "tree"];

/// Subcommands that need dev-dependencies only where a flag selects such a target.
const WITHOUT_DEV: [&str; 13] = [
    "b", "build", "c", "check", "clippy", "d", "doc", "doctor", "env", "r", "run", "rustc",
    "rustdoc",
];

/// Subcommands that start the built programs.
const RUNNING: [&str; 6] = ["bench", "r", "run", "t", "test", "nextest"];

/// Subcommands that write manifests, talk to registries or print about cargo itself.
pub(super) const PLAIN: [&str; 24] = [
    "add",
    "clean",
    "config",
    "fmt",
    "generate-lockfile",
    "help",
    "info",
    "init",
    "locate-project",
    "login",
    "logout",
    "new",
    "owner",
    "pkgid",
    "read-manifest",
    "remove",
    "report",
    "rm",
    "search",
    "uninstall",
    "update",
    "verify-project",
    "version",
    "yank",
];

/// Subcommands that build for this machine: a program to install, a package to verify.
pub(super) const NATIVE: [&str; 3] = ["install", "package", "publish"];

/// What becomes of the subcommand `name`.
pub(super) fn of(name: &str) -> Kind {
    if NATIVE.contains(&name) {
        Kind::Native
    } else if PLAIN.contains(&name) {
        Kind::Plain
    } else {
        Kind::Builds
    }
}

/// Whether it takes `--target` right behind its name.
pub(super) fn takes_target(name: &str) -> bool {
    BUILDING.contains(&name)
}

/// Whether it compiles nothing of the app.
pub(super) fn only_looks(name: &str) -> bool {
    LOOKING.contains(&name)
}

/// Whether it compiles tests, examples or benchmarks even if no flag selects one. Of
/// subcommands that are not known, it is taken for granted.
pub(super) fn needs_dev_dependencies(name: &str) -> bool {
    !WITHOUT_DEV.contains(&name)
}

/// Whether it starts built programs, so that WasmEdge will be needed.
pub(super) fn runs_programs(name: &str) -> bool {
    RUNNING.contains(&name)
}
