//! The command line.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use semver::{Version, VersionReq};
use tests_integration::Mode;
use tools_common::Modes;
use tools_common::setup::versions;

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Tests that cannot pass, and why, are in the expectations.toml of each port. A test
that fails without an entry, and an entry whose test passes, both fail the run.")]
pub(crate) struct Args {
    /// Only the suites of these crates
    #[arg(value_name = "CRATE")]
    pub(crate) crates: Vec<String>,

    /// A version of WasmEdge to test, such as 0.17.1, or `all` (may be repeated)
    #[arg(long, value_name = "VERSION", default_value = "all")]
    pub(crate) wasmedge: Vec<String>,

    /// Without WasmEdge's plugin, with it, or both: `plain`, `plugin`, `all`
    #[arg(long, value_name = "MODE", default_value_t)]
    pub(crate) mode: Modes,

    /// Compile the tests ahead of time instead of interpreting them
    #[arg(long)]
    pub(crate) aot: bool,

    /// Only the tests that need unwinding, with the setting `unwind`
    #[arg(long, conflicts_with_all = ["filter", "kept", "write"])]
    pub(crate) unwind: bool,

    /// Only the tests that match this filter of cargo-nextest's
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) filter: Option<String>,

    /// Only this release of the crates, or those of a range such as `<1.52`
    #[arg(long, value_name = "VERSION", value_parser = release)]
    pub(crate) release: Option<VersionReq>,

    /// The quick selection: its test programs, the newest releases, not natively
    #[arg(long)]
    pub(crate) quick: bool,

    /// Run nothing: judge the latest whole runs again, by the expectations of now
    #[arg(long, conflicts_with_all = ["filter", "quick", "no_upstream"])]
    pub(crate) kept: bool,

    /// Leave out the crates as published. With the plugin alone they are left out anyway
    #[arg(long)]
    pub(crate) no_upstream: bool,

    /// Write docs/conformance.md from the latest whole run of each suite, and
    /// lockfiles where there are none
    #[arg(long)]
    pub(crate) write: bool,

    /// Keep the table in this file instead of printing it, for `cargo xtask ci`
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) report: Option<PathBuf>,
}

impl Args {
    /// Whether no test is left out.
    pub(crate) fn is_whole(&self) -> bool {
        self.filter.is_none() && !self.quick && !self.unwind
    }

    /// Whether the crate as published is run as well: it has nothing to do with the plugin.
    pub(crate) fn has_upstream(&self) -> bool {
        !self.no_upstream && self.mode.has(Mode::Plain)
    }

    /// The versions of WasmEdge to test.
    ///
    /// # Errors
    /// For a text that is no version.
    pub(crate) fn versions(&self) -> Result<Vec<VersionReq>> {
        let mut wanted = Vec::new();
        for text in &self.wasmedge {
            match text.as_str() {
                "all" => wanted.extend(versions(&[])),
                text => wanted.push(text.parse().with_context(|| format!("--wasmedge {text}"))?),
            }
        }
        Ok(wanted)
    }
}

/// What `--release` means: a whole version is that release, and no later one, as
/// cargo would have it. A suite runs for hours.
fn release(text: &str) -> Result<VersionReq, semver::Error> {
    match Version::parse(text) {
        Ok(_) => VersionReq::parse(&format!("={text}")),
        Err(_) => VersionReq::parse(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_version_is_that_release_only() {
        let is_run = |text: &str, version: &str| {
            let version = version.parse().unwrap();
            release(text).unwrap().matches(&version)
        };
        assert!(is_run("1.53.3", "1.53.3"));
        assert!(!is_run("1.53.3", "1.53.4"));
        assert!(!is_run("1.53.3", "1.54.1"));
        assert!(is_run("~1.53", "1.53.4"));
        assert!(is_run("<1.52", "1.51.6"));
        assert!(!is_run("<1.52", "1.54.1"));
        assert!(release("newest").is_err());
    }

    #[test]
    fn all_are_the_versions_of_a_full_run() {
        let versions = |texts: &[&str]| {
            let wasmedge = texts.iter().map(|text| (*text).to_owned()).collect();
            let args = Args {
                wasmedge,
                ..Args::default()
            };
            args.versions()
        };
        assert_eq!(
            versions(&["all"]).unwrap(),
            tools_common::setup::versions(&[])
        );
        assert_eq!(versions(&["0.17.1", "all"]).unwrap().len(), 3);
        let error = versions(&["newest"]).unwrap_err();
        assert_eq!(error.to_string(), "--wasmedge newest");
    }
}
