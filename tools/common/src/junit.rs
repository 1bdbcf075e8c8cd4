//! What became of each test: the JUnit report of cargo-nextest.
//!
//! A workspace has such a report when its `.config/nextest.toml` asks for one, in the
//! profile `default` and under the name `junit.xml`; with `report-skipped` tests that are
//! left out are in it too.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use quick_junit::{Report, TestCase, TestCaseStatus};
use serde::{Deserialize, Serialize};

use crate::report::Counts;

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It passed, at the first try or at a later one.
    Passed,
    /// It failed, or ran out of time; with the end of what it wrote.
    Failed(String),
    /// It was left out: by `#[ignore]`, by a filter, or as `#[should_panic]` without
    /// unwinding.
    Ignored,
}

/// A test and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// nextest's name of the program: `tokio::tcp_echo`, or `tokio` for the library.
    pub binary: String,
    /// The path of the test in its program.
    pub test: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// The place of a report. Whoever has one knows that what is found there is new: the
/// report of an earlier run was deleted.
#[derive(Debug)]
pub struct Junit {
    path: PathBuf,
}

impl Junit {
    /// Makes room for the report of the next run in a workspace.
    ///
    /// # Errors
    /// When the report of an earlier run cannot be deleted.
    pub fn of_next_run(workspace: &Path) -> Result<Junit> {
        // nextest's own folder: CARGO_TARGET_DIR does not move it.
        let path = workspace.join("target/nextest/default/junit.xml");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", path.display()))
            }
            _ => Ok(Junit { path }),
        }
    }

    /// Where the report will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The report; `None` when there is none, since nothing was built or run.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<Option<Vec<Case>>> {
        let failed = || format!("cannot read {}", self.path.display());
        match std::fs::read_to_string(&self.path) {
            Ok(text) => parse(&text).map(Some).with_context(failed),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(failed),
        }
    }
}

fn parse(text: &str) -> Result<Vec<Case>> {
    let report = Report::deserialize_from_str(text)?;
    let mut cases = Vec::new();
    for suite in &report.test_suites {
        for case in &suite.test_cases {
            cases.push(Case {
                binary: suite.name.as_str().to_owned(),
                test: case.name.as_str().to_owned(),
                outcome: outcome(case),
            });
        }
    }
    Ok(cases)
}

fn outcome(case: &TestCase) -> Outcome {
    match &case.status {
        TestCaseStatus::Success { .. } if harness_ignored(case) => Outcome::Ignored,
        TestCaseStatus::Success { .. } => Outcome::Passed,
        TestCaseStatus::Skipped { .. } => Outcome::Ignored,
        TestCaseStatus::NonSuccess { message, .. } => {
            let mut said = message
                .as_ref()
                .map(|message| message.as_str().to_owned())
                .unwrap_or_default();
            for text in [&case.system_out, &case.system_err].into_iter().flatten() {
                said.push('\n');
                said.push_str(text.as_str());
            }
            Outcome::Failed(tail(&said))
        }
    }
}

/// Whether libtest says that it ignored its one test. Without unwinding it does so when it
/// comes to a `#[should_panic]`, and ends well.
fn harness_ignored(case: &TestCase) -> bool {
    let said = case.system_out.as_ref().map(|text| text.as_str());
    said.is_some_and(|text| text.contains("test result: ok. 0 passed; 0 failed; 1 ignored;"))
}

/// The last lines that say something.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// How many tests went how.
pub fn counts<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Counts {
    let mut counts = Counts::default();
    for outcome in outcomes {
        match outcome {
            Outcome::Passed => counts.passed += 1,
            Outcome::Failed(_) => counts.failed += 1,
            Outcome::Ignored => counts.skipped += 1,
        }
    }
    counts
}

#[cfg(test)]
mod tests;
