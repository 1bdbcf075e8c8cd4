//! `expectations.toml` beside a port: the tests that cannot pass, and why.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use globset::{Glob, GlobMatcher};
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use super::results::{Outcome, Results};

/// Why a test cannot pass. The list is closed: 'flaky' and 'slow' are no reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
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
    pub fn is_applicable(self) -> bool {
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
pub enum Instead {
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
}

/// One entry.
#[derive(Debug)]
pub struct Entry {
    /// Names of tests, `*` for any text.
    pub tests: Vec<(String, GlobMatcher)>,
    pub instead: Instead,
    pub reason: Reason,
    /// What the host lacks.
    pub lacks: Option<String>,
    pub why: String,
}

impl Entry {
    /// Whether it excuses a test that went this way. One that hangs is seen to fail.
    fn is_for(&self, instead: Instead) -> bool {
        self.instead == instead || self.instead == Instead::Hangs && instead == Instead::Fails
    }
}

/// The entries for one release.
#[derive(Debug, Default)]
pub struct Expectations {
    pub entries: Vec<Entry>,
}

impl Expectations {
    /// Reads the file; without one every test is expected to pass.
    pub fn load(path: &Path, version: &Version) -> Result<Expectations> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Expectations::default());
            }
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        Expectations::parse(&text, version).with_context(|| path.display().to_string())
    }

    fn parse(text: &str, version: &Version) -> Result<Expectations> {
        let file: File = toml::from_str(text)?;
        let mut entries = Vec::new();
        for raw in file.expect {
            let first = raw.tests.first().context("an entry without tests")?.clone();
            ensure!(!raw.why.trim().is_empty(), "{first}: `why` is empty");
            ensure!(
                raw.lacks.is_some() == (raw.reason == Reason::Host),
                "{first}: `lacks` belongs to reason \"host\", and is needed there"
            );
            if raw
                .versions
                .is_some_and(|versions| !versions.matches(version))
            {
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
    pub fn entry(&self, test: &str, instead: Instead) -> Option<&Entry> {
        self.entries.iter().find(|entry| {
            entry.is_for(instead) && entry.tests.iter().any(|(_, glob)| glob.is_match(test))
        })
    }

    /// The tests that wait for ever.
    pub fn hanging(&self) -> impl Iterator<Item = &str> {
        let hanging = self
            .entries
            .iter()
            .filter(|entry| entry.instead == Instead::Hangs);
        hanging.flat_map(|entry| entry.tests.iter().map(|(text, _)| text.as_str()))
    }
}

/// How one run compares with the native one and with the expectations.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Per program.
    pub programs: BTreeMap<String, Sums>,
    /// Tests that are not as expected, with a line that says how.
    pub unexpected: Vec<String>,
}

/// Sums over tests that pass natively.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    pub passed: usize,
    /// Without an entry, or for want of something in the host.
    pub failed: usize,
    /// With an entry, by reason.
    pub excused: BTreeMap<Reason, usize>,
}

impl Sums {
    /// Adds another program's.
    pub fn add(&mut self, other: &Sums) {
        self.passed += other.passed;
        self.failed += other.failed;
        for (reason, count) in &other.excused {
            *self.excused.entry(*reason).or_default() += count;
        }
    }

    /// Tests that this target could have: what the host lacks among them.
    pub fn applicable(&self) -> usize {
        let host = self.excused.get(&Reason::Host).copied().unwrap_or_default();
        self.passed + self.failed + host
    }

    /// Tests with an entry that says that no port could mend them.
    pub fn not_applicable(&self) -> usize {
        let not = self
            .excused
            .iter()
            .filter(|(reason, _)| !reason.is_applicable());
        not.map(|(_, count)| count).sum()
    }
}

/// Judges a run. `native` has the tests that the run could have had; without it
/// (the quick selection) tests that are not built are not seen. A whole run also
/// finds entries that no test needs.
pub fn judge(
    expectations: &Expectations,
    run: &Results,
    native: Option<&Results>,
    is_whole: bool,
) -> Verdict {
    let mut verdict = Verdict::default();
    let names: Vec<&String> = match native {
        Some(native) => {
            let passing = native
                .iter()
                .filter(|(_, outcome)| **outcome == Outcome::Passed);
            passing.map(|(name, _)| name).collect()
        }
        None => run.keys().collect(),
    };
    let mut used: Vec<Vec<bool>> = expectations
        .entries
        .iter()
        .map(|entry| vec![false; entry.tests.len()])
        .collect();
    for name in names {
        let program = name.split("::").next().unwrap_or(name).to_owned();
        let sums = verdict.programs.entry(program).or_default();
        let (instead, said) = match run.get(name) {
            Some(Outcome::Passed) => {
                sums.passed += 1;
                // Natively ignored tests are in no list of ours.
                for entry in &expectations.entries {
                    if entry.tests.iter().any(|(_, glob)| glob.is_match(name)) {
                        verdict.unexpected.push(format!(
                            "{name}: passes, and has an entry ({})",
                            entry.reason
                        ));
                    }
                }
                continue;
            }
            Some(Outcome::Failed(said)) => (Instead::Fails, said.as_str()),
            // Without the native list it may be upstream that ignores it.
            Some(Outcome::Ignored) if native.is_none() => continue,
            Some(Outcome::Ignored) => (Instead::Ignored, ""),
            None => (Instead::NotBuilt, ""),
        };
        match expectations.entry(name, instead) {
            Some(entry) => *sums.excused.entry(entry.reason).or_default() += 1,
            None => {
                sums.failed += 1;
                let how = match instead {
                    Instead::Fails | Instead::Hangs => "fails",
                    Instead::Ignored => "is left out by its harness",
                    Instead::NotBuilt => "is not built",
                };
                let said = said.replace('\n', "\n      ");
                verdict.unexpected.push(match said.is_empty() {
                    true => format!("{name}: {how}"),
                    false => format!("{name}: {how}\n      {said}"),
                });
            }
        }
        for (entry, used) in expectations.entries.iter().zip(&mut used) {
            if entry.is_for(instead) {
                for ((_, glob), used) in entry.tests.iter().zip(used) {
                    *used |= glob.is_match(name);
                }
            }
        }
    }
    if is_whole {
        for (entry, used) in expectations.entries.iter().zip(&used) {
            for ((text, _), used) in entry.tests.iter().zip(used) {
                if !used {
                    verdict.unexpected.push(format!(
                        "{text}: an entry that no test needs ({})",
                        entry.reason
                    ));
                }
            }
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version::new(1, 54, 1);

    fn results(list: &[(&str, Outcome)]) -> Results {
        let owned = list
            .iter()
            .map(|(name, how)| ((*name).to_owned(), how.clone()));
        owned.collect()
    }

    fn failed() -> Outcome {
        Outcome::Failed("said so".to_owned())
    }

    fn entry(tests: &str, instead: &str) -> Expectations {
        let text = format!(
            "[[expect]]\ntests = ['{tests}']\ninstead = '{instead}'\nreason = 'thread'\nwhy = 'w'"
        );
        Expectations::parse(&text, &VERSION).unwrap()
    }

    #[test]
    fn a_failure_without_an_entry_is_named() {
        let native = results(&[("a::x", Outcome::Passed), ("a::y", Outcome::Passed)]);
        let run = results(&[("a::x", failed()), ("a::y", Outcome::Passed)]);
        let verdict = judge(&Expectations::default(), &run, Some(&native), true);
        assert_eq!(verdict.unexpected, ["a::x: fails\n      said so"]);
        assert_eq!(
            (verdict.programs["a"].passed, verdict.programs["a"].failed),
            (1, 1)
        );
    }

    #[test]
    fn an_entry_whose_test_passes_is_named() {
        let run = results(&[("a::x", Outcome::Passed)]);
        let verdict = judge(&entry("a::*", "fails"), &run, Some(&run), false);
        assert_eq!(verdict.unexpected.len(), 1);
        assert!(verdict.unexpected[0].starts_with("a::x: passes"));
    }

    #[test]
    fn an_entry_excuses_only_what_it_says() {
        let native = results(&[("a::x", Outcome::Passed)]);
        let fails = results(&[("a::x", failed())]);
        let excused = judge(&entry("a::x", "fails"), &fails, Some(&native), true);
        assert_eq!(excused.unexpected, [""; 0]);
        assert_eq!(excused.programs["a"].not_applicable(), 1);
        // It is not even built, and the entry is for nothing.
        let missing = judge(
            &entry("a::x", "fails"),
            &Results::new(),
            Some(&native),
            true,
        );
        assert_eq!(missing.unexpected.len(), 2);
    }

    #[test]
    fn entries_without_tests_are_found_in_whole_runs_only() {
        let run = results(&[("a::x", Outcome::Passed)]);
        let stale = entry("b::*", "not-built");
        assert_eq!(judge(&stale, &run, Some(&run), true).unexpected.len(), 1);
        assert_eq!(judge(&stale, &run, Some(&run), false).unexpected.len(), 0);
    }

    #[test]
    fn reasons_are_a_closed_list_and_the_host_s_says_what() {
        let parse = |reason: &str| {
            let text = format!("[[expect]]\ntests = ['a']\ninstead = 'fails'\nwhy = 'w'\n{reason}");
            Expectations::parse(&text, &VERSION)
        };
        assert!(parse("reason = 'flaky'").is_err());
        assert!(parse("reason = 'host'").is_err());
        assert!(parse("reason = 'host'\nlacks = 'IP_TTL'").is_ok());
        assert!(parse("reason = 'thread'\nlacks = 'IP_TTL'").is_err());
        let older = parse("reason = 'thread'\nversions = '<1.52'").unwrap();
        assert!(older.entries.is_empty());
    }
}
