//! What became of each test: nextest's list and its JUnit report.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use quick_junit::{Report, TestCase, TestCaseStatus};
use serde::{Deserialize, Serialize};

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed, or ran out of time; with the end of what it wrote.
    Failed(String),
    /// Its harness leaves it out: `#[ignore]`, or `#[should_panic]` without unwinding.
    Ignored,
}

/// Tests by `program::module::test`; those of the library are in `lib`.
pub type Results = BTreeMap<String, Outcome>;

/// Keeps the results of a run.
pub fn keep(path: &Path, results: &Results) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    std::fs::write(path, serde_json::to_string_pretty(results)?).with_context(failed)
}

/// The results of a run that were kept.
pub fn kept(path: &Path) -> Result<Results> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "no results of a whole run are kept in {}; leave --kept out",
            path.display()
        )
    })?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct List {
    rust_suites: BTreeMap<String, Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    testcases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Case {
    ignored: bool,
    filter_match: Match,
}

#[derive(Deserialize)]
struct Match {
    status: String,
    #[serde(default)]
    reason: String,
}

/// The tests that are left out because root runs them.
pub fn not_for_root(not_as_root: &[String]) -> &[String] {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if is_root { not_as_root } else { &[] }
}

/// `tokio::tcp_echo` as `tcp_echo`, `axum` as `lib`.
fn program(krate: &str, binary_id: &str) -> String {
    match binary_id.strip_prefix(krate) {
        Some("") => "lib".to_owned(),
        Some(rest) => rest.trim_start_matches("::").to_owned(),
        None => binary_id.to_owned(),
    }
}

/// Lists and runs the tests. `command` starts nextest with a word (`list`, `run`).
pub fn run(krate: &str, junit: &Path, command: impl Fn(&str) -> Command) -> Result<Results> {
    let mut list = command("list");
    list.args(["--message-format", "json"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = list.output().context("cannot start cargo nextest")?;
    ensure!(
        output.status.success(),
        "the tests of {krate} do not build (above)"
    );
    let list: List = serde_json::from_slice(&output.stdout)
        .context("cargo nextest gave a list that we cannot read")?;
    let mut results = Results::new();
    for (binary, listed) in &list.rust_suites {
        for (test, case) in &listed.testcases {
            if case.ignored {
                // Left out by a filter is not ignored.
                if case.filter_match.status == "matches" || case.filter_match.reason == "ignored" {
                    let name = format!("{}::{test}", program(krate, binary));
                    results.insert(name, Outcome::Ignored);
                }
            }
        }
    }
    match std::fs::remove_file(junit) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let status = command("run")
        .args([
            "--no-fail-fast",
            "--show-progress=none",
            "--status-level=none",
        ])
        .args(["--final-status-level=none", "--failure-output=never"])
        .args(["--success-output=never", "--no-tests=pass"])
        .stdin(Stdio::null())
        .status()
        .context("cannot start cargo nextest")?;
    // 100: some tests failed.
    if !status.success() && status.code() != Some(100) {
        bail!("cargo nextest ended with {status}");
    }
    let text = match std::fs::read_to_string(junit) {
        Ok(text) => text,
        // Nothing was run.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(results),
        Err(error) => return Err(error.into()),
    };
    let report = Report::deserialize_from_str(&text)
        .with_context(|| format!("cannot read {}", junit.display()))?;
    for suite in &report.test_suites {
        for case in &suite.test_cases {
            let name = format!(
                "{}::{}",
                program(krate, suite.name.as_str()),
                case.name.as_str()
            );
            let outcome = match &case.status {
                // Without unwinding the harness leaves `#[should_panic]` out when it
                // comes to it, and ends well.
                TestCaseStatus::Success { .. } if is_left_out(case) => Outcome::Ignored,
                TestCaseStatus::Success { .. } => Outcome::Passed,
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
                TestCaseStatus::Skipped { .. } => Outcome::Ignored,
            };
            results.insert(name, outcome);
        }
    }
    Ok(results)
}

/// Whether the harness says that it left its one test out.
fn is_left_out(case: &TestCase) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_named_without_the_crate() {
        assert_eq!(program("tokio", "tokio::tcp_echo"), "tcp_echo");
        assert_eq!(program("axum", "axum"), "lib");
    }

    #[test]
    fn the_end_of_an_output_is_kept() {
        let text: String = (0..20).map(|n| format!("line {n}\n\n")).collect();
        assert_eq!(tail(&text).lines().count(), 12);
        assert!(tail(&text).ends_with("line 19"));
    }
}
