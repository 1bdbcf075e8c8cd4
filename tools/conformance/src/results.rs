//! What became of each test of a suite: run by nextest, or kept from an earlier run.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use tools_common::Repo;
use tools_common::junit::{Junit, Outcome};

/// Tests by `program::module::test`; those of the library are in `lib`.
pub(crate) type Results = BTreeMap<String, Outcome>;

/// Where results are kept: of each suite, and under `tests` of each test.
pub(crate) fn results_folder(repo: &Repo) -> PathBuf {
    repo.target.join("conformance/results")
}

/// Keeps the results of a run.
pub(crate) fn keep(path: &Path, results: &Results) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    std::fs::write(path, serde_json::to_string_pretty(results)?).with_context(failed)
}

/// The results of a run that were kept.
pub(crate) fn kept(path: &Path) -> Result<Results> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "no results of a whole run are kept in {}; leave --kept out",
            path.display()
        )
    })?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// The tests that are left out because root runs them.
pub(crate) fn not_for_root(not_as_root: &[String]) -> &[String] {
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

/// nextest's exit code when the tests do not build.
const NOT_BUILT: i32 = 101;

/// nextest's exit code when tests failed.
const TESTS_FAILED: i32 = 100;

/// Runs the tests of a crate in its folder. `command` starts nextest with the word `run`
/// and what chooses the tests.
pub(crate) fn run(krate: &str, folder: &Path, command: &mut Command) -> Result<Results> {
    let junit = Junit::of_next_run(folder)?;
    let status = command
        .args([
            "--profile=default",
            "--no-fail-fast",
            "--show-progress=none",
        ])
        .args(["--status-level=none", "--final-status-level=none"])
        .args(["--failure-output=never", "--success-output=never"])
        .arg("--no-tests=pass")
        .stdin(Stdio::null())
        .status()
        .context("cannot start cargo nextest")?;
    match status.code() {
        Some(0 | TESTS_FAILED) => {}
        Some(NOT_BUILT) => bail!("the tests of {krate} do not build (above)"),
        _ => bail!("cargo nextest ended with {status}"),
    }
    let cases = junit.read()?.unwrap_or_default();
    let named = cases.into_iter().map(|case| {
        let name = format!("{}::{}", program(krate, &case.binary), case.test);
        (name, case.outcome)
    });
    Ok(named.collect())
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
    fn what_nextest_reports_is_named_as_in_the_expectations() {
        const REPORT: &str = r#"
            <testsuites name="r" tests="3" skipped="1" failures="1" errors="0">
            <testsuite name="tokio" tests="2" skipped="1" errors="0" failures="0">
                <testcase name="task::a" classname="tokio"/>
                <testcase name="task::b" classname="tokio"><skipped/></testcase>
            </testsuite>
            <testsuite name="tokio::udp" tests="1" skipped="0" errors="0" failures="1">
                <testcase name="c" classname="tokio::udp"><failure message="no"/></testcase>
            </testsuite></testsuites>"#;
        let run = |code: i32, script: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(folder.path().join("target/nextest/default")).unwrap();
            let script = format!("{script}\nexit {code}");
            let mut command = Command::new("sh");
            command
                .args(["-c", &script])
                .env("REPORT", REPORT)
                .current_dir(folder.path());
            super::run("tokio", folder.path(), &mut command)
        };
        let write = "echo \"$REPORT\" > target/nextest/default/junit.xml";
        let expected = Results::from([
            ("lib::task::a".to_owned(), Outcome::Passed),
            ("lib::task::b".to_owned(), Outcome::Ignored),
            ("udp::c".to_owned(), Outcome::Failed("no".to_owned())),
        ]);
        assert_eq!(run(TESTS_FAILED, write).unwrap(), expected);
        // A filter that chooses none is no error.
        assert_eq!(run(0, "").unwrap(), Results::new());
        let said = |code, script| run(code, script).unwrap_err().to_string();
        assert_eq!(
            said(NOT_BUILT, ""),
            "the tests of tokio do not build (above)"
        );
        assert_eq!(said(96, write), "cargo nextest ended with exit status: 96");
    }

    #[test]
    fn results_of_a_whole_run_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tests/tokio 1.54.1 native.json");
        assert!(
            kept(&path)
                .unwrap_err()
                .to_string()
                .contains("leave --kept out")
        );
        let results = Results::from([
            ("a::x".to_owned(), Outcome::Passed),
            ("a::y".to_owned(), Outcome::Failed("said so".to_owned())),
            ("a::z".to_owned(), Outcome::Ignored),
        ]);
        keep(&path, &results).unwrap();
        assert_eq!(kept(&path).unwrap(), results);
    }
}
