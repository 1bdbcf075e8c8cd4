//! Has cargo compile packages with the facade, to see whether they do.
//!
//! It is done as the user's subcommand would do it, in the same folder, with the same
//! features and the same profile: what is compiled here, the subcommand finds ready. So a
//! trial costs what it finds out, and hardly more.

use std::collections::BTreeSet;
use std::ffi::OsString;

use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{Message, PackageId};

use super::instance::{ANCHOR, Prebuild, name, ways};
use super::rustc::CRATE;
use crate::build::lockfiles::Lockfile;
use crate::error::Result;
use crate::toolchain::rust::TARGET;

/// A crate that does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The crate.
    pub name: String,
    /// What the compiler says first: `error[E0308]: mismatched types`.
    pub why: String,
}

/// What came of a trial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The crates that do not compile, without members of the workspace.
    pub failures: Vec<Failure>,
    /// The crates that do.
    pub compiled: BTreeSet<String>,
}

impl Outcome {
    /// Whether cargo did not come to compile anything: that says nothing of any crate.
    pub fn is_none(&self) -> bool {
        self.failures.is_empty() && self.compiled.is_empty()
    }
}

impl Prebuild<'_> {
    /// Compiles `packages`, as cargo's `-p` takes them. The user sees cargo's progress and
    /// no error: a crate that fails here is built in another way.
    ///
    /// # Errors
    /// cargo cannot be started, or is ended by a signal.
    pub fn try_packages(
        &mut self,
        packages: &[String],
        variables: &[(String, OsString)],
    ) -> Result<Outcome> {
        // One way tells of both, and checking is the faster one.
        let checks = ways(&self.invocation.subcommand).contains(&true);
        let mut command = self
            .cargo
            .nested(self.invocation, name(checks), self.config);
        command.args(["--target", TARGET, "--keep-going", "--lib"]);
        for package in packages.iter().cloned().chain(self.selected()) {
            command.args(["--package", &package]);
        }
        // With the features of dev-dependencies, where the subcommand has them.
        if self.invocation.needs_dev_dependencies() {
            command.args(["--package", CRATE, "--example", ANCHOR]);
        }
        if let Some(profile) = self.invocation.profile() {
            command.args(["--profile", profile]);
        }
        command.args(self.invocation.feature_args());
        command.arg("--message-format=json");
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.env("CARGO_TERM_COLOR", "always");
        let shell = self.shell;
        let progress = |line: &str| {
            if is_progress(line) {
                shell.pass_on(line);
            }
        };
        let stdout = self
            .lockfiles
            .attempt(Lockfile::Ported, &mut command, shell, &progress)?;
        Ok(self.outcome(&stdout))
    }

    fn outcome(&self, stdout: &[u8]) -> Outcome {
        let is_member = |name: &str| {
            let mut members = self.members.iter();
            members.any(|member| member.split('@').next() == Some(name))
        };
        let mut outcome = Outcome::default();
        // What is not cargo's is a build script's own.
        for message in Message::parse_stream(stdout).flatten() {
            match message {
                Message::CompilerArtifact(artifact) => {
                    outcome.compiled.insert(name_in(&artifact.package_id));
                }
                Message::CompilerMessage(message) => {
                    let name = name_in(&message.package_id);
                    let is_error = message.message.level == DiagnosticLevel::Error;
                    let mut failures = outcome.failures.iter();
                    // The first says most.
                    if is_error && !is_member(&name) && !failures.any(|each| each.name == name) {
                        let why = message.message.rendered.unwrap_or(message.message.message);
                        let why = why.lines().next().unwrap_or_default().to_owned();
                        outcome.failures.push(Failure { name, why });
                    }
                }
                _ => {}
            }
        }
        for failure in &outcome.failures {
            outcome.compiled.remove(&failure.name);
        }
        outcome
    }
}

/// The name in an id such as `registry+…#name@1.0.0`, or `path+file:///…/name#1.0.0`.
fn name_in(id: &PackageId) -> String {
    let (source, fragment) = id.repr.rsplit_once('#').unwrap_or(("", &id.repr));
    let name = match fragment.split_once('@') {
        Some((name, _)) => name,
        None => source.rsplit('/').next().unwrap_or_default(),
    };
    name.to_owned()
}

/// Whether a line of cargo's is one of its status lines, such as `   Compiling tokio …`.
fn is_progress(line: &str) -> bool {
    /// Where the verb ends, and the width of it and the space in front.
    const VERB: usize = 12;
    let plain = anstream::adapter::strip_str(line).to_string();
    let Some((verb, rest)) = plain.split_at_checked(VERB) else {
        return false;
    };
    let verb = verb.trim_start();
    let is_word = verb.starts_with(|c: char| c.is_ascii_uppercase())
        && verb.chars().all(|c| c.is_ascii_alphabetic());
    is_word && rest.starts_with(' ') && verb != "Finished"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_package_is_in_its_id() {
        for id in [
            "registry+https://github.com/rust-lang/crates.io-index#some-crate@1.2.3",
            "path+file:///cache/ported/some-crate-1.2.3-0123456789ab#some-crate@1.2.3",
            "path+file:///somewhere/some-crate#1.2.3",
        ] {
            let id = PackageId { repr: id.into() };
            assert_eq!(name_in(&id), "some-crate");
        }
    }

    #[test]
    fn only_progress_is_shown() {
        for line in [
            "   Compiling tokio v1.54.1",
            "    Checking tokio v1.54.1",
            "\u{1b}[1m\u{1b}[92m Downloading\u{1b}[0m 3 crates",
        ] {
            assert!(is_progress(line), "{line}");
        }
        for line in [
            "error: could not compile `tonic` (lib) due to 1 previous error",
            "warning: build failed, waiting for other jobs to finish...",
            "    Finished `dev` profile [unoptimized] target(s) in 0.10s",
            "Caused by:",
            "  process didn't exit successfully",
            "",
        ] {
            assert!(!is_progress(line), "{line}");
        }
    }
}
