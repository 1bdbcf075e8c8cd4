//! What runs tests: cargo-nextest where it is installed, else `cargo test`.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use cargo_wasmedge::shell::printed;

use crate::junit::{self, Junit};
use crate::libtest;
use crate::repo::Repo;
use crate::report::Counts;

/// What runs tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// Every test in a process of its own.
    Nextest,
    /// All tests of a program in one process.
    CargoTest,
}

impl Runner {
    /// cargo-nextest where it is installed.
    pub fn find(repo: &Repo) -> Runner {
        let answer = repo.cargo(["nextest", "--version"]).output();
        match answer.is_ok_and(|answer| answer.status.success()) {
            true => Runner::Nextest,
            false => Runner::CargoTest,
        }
    }

    /// The words behind `cargo` that run tests, and say little of those that pass.
    pub fn args(self) -> &'static [&'static str] {
        match self {
            Runner::Nextest => &[
                "nextest",
                "run",
                // Whatever NEXTEST_PROFILE says: its report is where we look.
                "--profile=default",
                "--no-fail-fast",
                "--status-level=slow",
                "--final-status-level=slow",
                "--show-progress=none",
            ],
            Runner::CargoTest => &["test", "--no-fail-fast"],
        }
    }

    /// Runs a test command, which starts with [`Runner::args`], at the root of a workspace.
    /// Its output is the user's.
    ///
    /// # Errors
    /// When it cannot be started, or is to start in no folder; when tests ran and nextest
    /// left no report of them.
    pub fn run(self, command: &mut Command) -> Result<Counts> {
        let (succeeded, mut counts) = match self {
            Runner::Nextest => nextest(command)?,
            Runner::CargoTest => libtest::run(command)?,
        };
        // It did not build, or was ended: no test says so.
        if !succeeded && counts.failed == 0 {
            counts.failed = 1;
        }
        // A filter or a broken runner that ran nothing is no success.
        if succeeded && counts.passed == 0 {
            counts.failed += 1;
        }
        Ok(counts)
    }
}

fn nextest(command: &mut Command) -> Result<(bool, Counts)> {
    let workspace = command.get_current_dir().context("no workspace")?;
    let junit = Junit::of_next_run(workspace)?;
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", printed(command)))?;
    let counts = match junit.read()? {
        Some(cases) => junit::counts(cases.iter().map(|case| &case.outcome)),
        // It did not build, which the exit status tells.
        None if !status.success() => Counts::default(),
        None => anyhow::bail!(
            "nextest left no report at {}\n  help: `.config/nextest.toml` of this workspace \
             must have `junit.path = \"junit.xml\"` in the profile `default`",
            junit.path().display()
        ),
    };
    Ok((status.success(), counts))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn ran(runner: Runner, script: &str) -> Result<Counts> {
        let workspace = tempfile::tempdir().unwrap();
        let reports = workspace.path().join("target/nextest/default");
        std::fs::create_dir_all(&reports).unwrap();
        // Of an earlier run.
        std::fs::write(reports.join("junit.xml"), report(7)).unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", script])
            .env("REPORT", report(4))
            .current_dir(workspace.path());
        runner.run(&mut command)
    }

    fn report(passed: usize) -> String {
        let case = r#"<testcase name="t" classname="a"/>"#.repeat(passed);
        format!(
            r#"<testsuites name="r" tests="{passed}" skipped="0" failures="0" errors="0">
               <testsuite name="a" tests="{passed}" skipped="0" errors="0" failures="0">{case}
               </testsuite></testsuites>"#
        )
    }

    #[test]
    fn a_command_that_fails_or_tests_nothing_is_a_failure() {
        let ran = |script| ran(Runner::CargoTest, script).unwrap();
        assert_eq!(ran("exit 3"), Counts::new(0, 1, 0));
        assert_eq!(ran("true"), Counts::new(0, 1, 0));
        let passing = "echo 'test result: ok. 4 passed; 0 failed; 0 ignored' >&2";
        assert_eq!(ran(passing), Counts::new(4, 0, 0));
    }

    #[test]
    fn nextest_is_judged_by_the_report_of_this_run_and_its_exit_code() {
        let write = "echo \"$REPORT\" > target/nextest/default/junit.xml";
        let ran = |script: &str| ran(Runner::Nextest, script);
        assert_eq!(ran(write).unwrap(), Counts::new(4, 0, 0));
        // Ended early: what ran passed, and still it failed.
        let ended = format!("{write}; exit 1");
        assert_eq!(ran(&ended).unwrap(), Counts::new(4, 1, 0));
        // It did not build: the report of an earlier run is none.
        assert_eq!(ran("exit 101").unwrap(), Counts::new(0, 1, 0));
        let missing = ran("true").unwrap_err().to_string();
        assert!(
            missing.contains("\n  help: `.config/nextest.toml`"),
            "{missing}"
        );
    }
}
