//! A run, compared with the native one and with the expectations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tools_common::junit::Outcome;

use crate::expectations::{Expectations, Instead, Reason};
use crate::results::Results;

/// How one run compares with the native one and with the expectations.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Per program.
    pub(crate) programs: BTreeMap<String, Sums>,
    /// Tests that are not as expected, with a line that says how.
    pub(crate) unexpected: Vec<String>,
}

/// Sums over tests that pass natively.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sums {
    pub(crate) passed: usize,
    /// Without an entry, or for want of something in the host.
    pub(crate) failed: usize,
    /// With an entry, by reason.
    pub(crate) excused: BTreeMap<Reason, usize>,
}

impl Sums {
    /// Adds another program's.
    pub(crate) fn add(&mut self, other: &Sums) {
        self.passed += other.passed;
        self.failed += other.failed;
        for (reason, count) in &other.excused {
            *self.excused.entry(*reason).or_default() += count;
        }
    }

    /// Tests that this target could have: what the host lacks among them.
    pub(crate) fn applicable(&self) -> usize {
        let host = self.excused.get(&Reason::Host).copied().unwrap_or_default();
        self.passed + self.failed + host
    }

    /// Tests with an entry that says that no port could make them pass.
    pub(crate) fn not_applicable(&self) -> usize {
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
pub(crate) fn judge(
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
    use semver::Version;
    use tests_integration::Mode;

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
        Expectations::parse(&text, &VERSION, Mode::Plain, false).unwrap()
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
}
