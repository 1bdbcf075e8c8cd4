//! `expectations.toml` beside a port: the tests that cannot pass, and why.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use globset::{Glob, GlobMatcher};
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use tests_integration::Mode;

/// Why a test cannot pass. The list is closed: 'flaky' and 'slow' are no reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// It needs a second thread.
    Thread,
    /// It needs unwinding: `catch_unwind`, `#[should_panic]`.
    Unwinding,
    /// It is about Unix only, such as its sockets and pipes.
    Unix,
    /// It needs child processes.
    Processes,
    /// It needs signals.
    Signals,
    /// It asserts sizes of a 64-bit target, and upstream builds it for those only.
    #[serde(rename = "64-bit")]
    Bits64,
    /// The host lacks what the key `lacks` names.
    Host,
}

impl Reason {
    /// Whether such a test can be had on this target at all. What the host lacks
    /// is ours to count.
    pub(crate) fn is_applicable(self) -> bool {
        self == Reason::Host
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Thread => "needs a second thread",
            Reason::Unwinding => "needs unwinding",
            Reason::Unix => "Unix only",
            Reason::Processes => "needs processes",
            Reason::Signals => "needs signals",
            Reason::Bits64 => "64-bit only",
            Reason::Host => "the host lacks it",
        })
    }
}

/// How a test does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Instead {
    /// It fails.
    Fails,
    /// It waits, or spins, for ever. Such a test is ended early.
    Hangs,
    /// The harness leaves it out.
    Ignored,
    /// It is not compiled for the target.
    NotBuilt,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    expect: Vec<Raw>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    tests: Vec<String>,
    instead: Instead,
    reason: Reason,
    lacks: Option<String>,
    why: String,
    versions: Option<VersionReq>,
    mode: Option<In>,
    #[serde(default)]
    unwind: bool,
}

/// The key `mode`: the modes that an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum In {
    /// Both, as without the key.
    All,
    /// WasmEdge without the plugin.
    Plain,
    /// WasmEdge with the plugin.
    Plugin,
}

impl In {
    fn has(self, mode: Mode) -> bool {
        match self {
            In::All => true,
            In::Plain => mode == Mode::Plain,
            In::Plugin => mode == Mode::Plugin,
        }
    }
}

/// One entry.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Names of tests, `*` for any text.
    pub(crate) tests: Vec<(String, GlobMatcher)>,
    pub(crate) instead: Instead,
    pub(crate) reason: Reason,
    /// What the host lacks.
    pub(crate) lacks: Option<String>,
    pub(crate) why: String,
}

impl Entry {
    /// Whether it excuses a test that went this way. One that hangs is seen to fail.
    pub(crate) fn is_for(&self, instead: Instead) -> bool {
        self.instead == instead || self.instead == Instead::Hangs && instead == Instead::Fails
    }
}

/// The entries for one release in one mode.
#[derive(Debug, Default)]
pub(crate) struct Expectations {
    pub(crate) entries: Vec<Entry>,
}

impl Expectations {
    /// Reads the file; without one every test is expected to pass. `unwinds`: as the setting
    /// of that name has it.
    pub(crate) fn load(
        path: &Path,
        version: &Version,
        mode: Mode,
        unwinds: bool,
    ) -> Result<Expectations> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Expectations::default());
            }
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        Expectations::parse(&text, version, mode, unwinds)
            .with_context(|| path.display().to_string())
    }

    pub(crate) fn parse(
        text: &str,
        version: &Version,
        mode: Mode,
        unwinds: bool,
    ) -> Result<Expectations> {
        let file: File = toml::from_str(text)?;
        let mut entries = Vec::new();
        for raw in file.expect {
            let first = raw.tests.first().context("an entry without tests")?.clone();
            ensure!(!raw.why.trim().is_empty(), "{first}: `why` is empty");
            ensure!(
                raw.lacks.is_some() == (raw.reason == Reason::Host),
                "{first}: `lacks` belongs to reason \"host\", and is needed there"
            );
            ensure!(
                raw.mode.is_some() || raw.reason != Reason::Host,
                "{first}: reason \"host\" needs `mode`: with the plugin the host has more"
            );
            ensure!(
                !(raw.unwind && raw.reason == Reason::Unwinding),
                "{first}: with `unwind` it is no reason that a test needs unwinding"
            );
            let is_other = |versions: VersionReq| !versions.matches(version);
            if unwinds && raw.reason == Reason::Unwinding || !unwinds && raw.unwind {
                continue;
            }
            if raw.versions.is_some_and(is_other) || raw.mode.is_some_and(|only| !only.has(mode)) {
                continue;
            }
            let compiled = raw.tests.iter().map(|text| {
                Ok((
                    text.clone(),
                    Glob::new(text).context("in `tests`")?.compile_matcher(),
                ))
            });
            entries.push(Entry {
                tests: compiled.collect::<Result<_>>()?,
                instead: raw.instead,
                reason: raw.reason,
                lacks: raw.lacks,
                why: raw.why,
            });
        }
        Ok(Expectations { entries })
    }

    /// The entry for a test that went this way.
    pub(crate) fn entry(&self, test: &str, instead: Instead) -> Option<&Entry> {
        self.entries.iter().find(|entry| {
            entry.is_for(instead) && entry.tests.iter().any(|(_, glob)| glob.is_match(test))
        })
    }

    /// The tests with this reason.
    pub(crate) fn with_reason(
        &self,
        reason: Reason,
    ) -> impl Iterator<Item = &(String, GlobMatcher)> {
        let entries = self.entries.iter();
        let entries = entries.filter(move |entry| entry.reason == reason);
        entries.flat_map(|entry| &entry.tests)
    }

    /// The tests that wait for ever.
    pub(crate) fn hanging(&self) -> impl Iterator<Item = &str> {
        let hanging = self
            .entries
            .iter()
            .filter(|entry| entry.instead == Instead::Hangs);
        hanging.flat_map(|entry| entry.tests.iter().map(|(text, _)| text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version::new(1, 54, 1);

    #[test]
    fn reasons_are_a_closed_list_and_the_host_s_says_what() {
        let parse = |reason: &str| {
            let text = format!("[[expect]]\ntests = ['a']\ninstead = 'fails'\nwhy = 'w'\n{reason}");
            Expectations::parse(&text, &VERSION, Mode::Plain, false)
        };
        assert!(parse("reason = 'flaky'").is_err());
        assert!(parse("reason = 'host'\nmode = 'plain'").is_err());
        assert!(parse("reason = 'host'\nlacks = 'IP_TTL'\nmode = 'plain'").is_ok());
        assert!(parse("reason = 'thread'\nlacks = 'IP_TTL'").is_err());
        let older = parse("reason = 'thread'\nversions = '<1.52'").unwrap();
        assert!(older.entries.is_empty());
    }

    #[test]
    fn entries_are_for_the_modes_that_they_name_and_the_host_s_name_them() {
        let entries = |more: &str, mode| {
            let text = format!(
                "[[expect]]\ntests = ['a']\ninstead = 'fails'\nreason = 'host'\nlacks = 'x'\n\
                 why = 'w'\n{more}"
            );
            Expectations::parse(&text, &VERSION, mode, false).map(|found| found.entries.len())
        };
        for (more, counts) in [
            ("mode = 'all'", [1, 1]),
            ("mode = 'plain'", [1, 0]),
            ("mode = 'plugin'", [0, 1]),
        ] {
            let found = Mode::ALL.map(|mode| entries(more, mode).unwrap());
            assert_eq!(found, counts, "{more}");
        }
        let error = entries("", Mode::Plain).unwrap_err().to_string();
        assert!(error.contains("needs `mode`"), "{error}");
    }

    #[test]
    fn with_unwinding_other_entries_hold() {
        let text = "[[expect]]\ntests = ['a', 'b::*']\ninstead = 'not-built'\n\
                    reason = 'unwinding'\nwhy = 'w'\n\
                    [[expect]]\ntests = ['b::c']\ninstead = 'fails'\nreason = 'thread'\n\
                    why = 'w'\nunwind = true\n";
        let tests = |unwinds| {
            let found = Expectations::parse(text, &VERSION, Mode::Plain, unwinds).unwrap();
            let tests = found.entries.iter().flat_map(|entry| &entry.tests);
            tests.map(|(text, _)| text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(tests(false), ["a", "b::*"]);
        assert_eq!(tests(true), ["b::c"]);
        let text = text.replace("'thread'", "'unwinding'");
        assert!(Expectations::parse(&text, &VERSION, Mode::Plain, true).is_err());
    }
}
