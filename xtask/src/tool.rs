//! The tools that are packages of their own: `cargo run` builds and starts them.
//!
//! xtask does not depend on them, so that `cargo demo` need not compile them.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use tools_common::repo::quiet_environment;

/// A package in the folder `tools`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `bench`, `soak` and `instances`.
    Bench,
    /// `book`.
    Book,
    /// `compat`.
    Compat,
    /// `conformance`.
    Conformance,
    /// `ports`.
    Ports,
    /// `release`.
    Release,
    /// `sweep`.
    Sweep,
    /// `unwinding`.
    Unwinding,
}

impl Tool {
    fn package(self) -> &'static str {
        match self {
            Tool::Bench => "tools-bench",
            Tool::Book => "tools-book",
            Tool::Compat => "tools-compat",
            Tool::Conformance => "tools-conformance",
            Tool::Ports => "tools-ports",
            Tool::Release => "tools-release",
            Tool::Sweep => "tools-sweep",
            Tool::Unwinding => "tools-unwinding",
        }
    }

    /// The command that builds the tool and starts it with these words, of which the first
    /// is the chore's name.
    pub(crate) fn command<S: Into<OsString>>(self, words: impl IntoIterator<Item = S>) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        quiet_environment(&mut command);
        // In the user's folder, which names of files among the words refer to. Not quiet:
        // the first time it is built.
        command
            .args(["run", "--package", self.package(), "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
            .arg("--")
            .args(words.into_iter().map(Into::into));
        command
    }
}

/// What the command line has for a tool. It is read there: a tool gets the command line of
/// xtask as it is, and its help and its errors say `cargo xtask`.
#[derive(Debug, clap::Args)]
pub(crate) struct Passed {
    #[arg(
        value_name = "ARGUMENTS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    words: Vec<OsString>,
}

impl Passed {
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// Becomes the tool, whose exit code is then ours.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn replace_with(tool: Tool) -> Result<bool> {
    let command = tool.command(std::env::args_os().skip(1));
    std::process::exit(cargo_wasmedge::process::replace(command)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_a_package() {
        for tool in [
            Tool::Bench,
            Tool::Book,
            Tool::Compat,
            Tool::Conformance,
            Tool::Ports,
            Tool::Release,
            Tool::Sweep,
            Tool::Unwinding,
        ] {
            let name = tool.package();
            let folder = name.replace('-', "/");
            let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("..")
                .join(folder)
                .join("Cargo.toml");
            let manifest: toml::Table = std::fs::read_to_string(manifest).unwrap().parse().unwrap();
            assert_eq!(manifest["package"]["name"].as_str(), Some(name));
        }
    }
}
