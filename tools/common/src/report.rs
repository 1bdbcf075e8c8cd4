//! The table of everything that was run, what was left out, and the sums.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::table::table;

/// How many tests went how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// They passed.
    pub passed: usize,
    /// They failed, ran out of time, or could not be started.
    pub failed: usize,
    /// They were left out.
    pub skipped: usize,
}

impl Counts {
    /// So many passed, failed and were left out.
    pub fn new(passed: usize, failed: usize, skipped: usize) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// A line of the table: one run of a suite, or a check.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    suite: String,
    runtime: String,
    counts: Counts,
    time: Duration,
}

/// All runs, and what was left out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    rows: Vec<Row>,
    left_out: Vec<String>,
    not_asked_for: Vec<String>,
}

impl Report {
    /// Runs tests, and notes how they went and how long they took.
    ///
    /// # Errors
    /// Those of `test`.
    pub fn run(
        &mut self,
        suite: &str,
        runtime: &str,
        test: impl FnOnce() -> Result<Counts>,
    ) -> Result<Counts> {
        let started = Instant::now();
        let counts = test()?;
        self.push(suite, runtime, counts, started.elapsed());
        Ok(counts)
    }

    /// Notes how a run went whose tests the caller judged.
    pub fn note(&mut self, suite: &str, runtime: &str, counts: Counts, time: Duration) {
        let ran_nothing = counts.passed == 0 && counts.failed == 0;
        let counts = Counts {
            // A run of nothing is no success.
            failed: counts.failed + usize::from(ran_nothing),
            ..counts
        };
        self.push(suite, runtime, counts, time);
    }

    /// Notes how a check went that is one by itself.
    pub fn check(&mut self, name: &str, passed: bool, time: Duration) {
        let counts = Counts::new(usize::from(passed), usize::from(!passed), 0);
        self.push(name, "check", counts, time);
    }

    fn push(&mut self, suite: &str, runtime: &str, counts: Counts, time: Duration) {
        self.rows.push(Row {
            suite: suite.to_owned(),
            runtime: runtime.to_owned(),
            counts,
            time,
        });
    }

    /// Notes that something was not tested. It counts as one skipped test, or as
    /// a failed one where nothing may be left out.
    pub fn left_out(&mut self, what: impl Into<String>) {
        self.left_out.push(what.into());
    }

    /// Notes that a flag asks to leave something out. It counts as one skipped
    /// test everywhere.
    pub fn not_asked_for(&mut self, what: impl Into<String>) {
        self.not_asked_for.push(what.into());
    }

    /// Keeps the report in a file, for a program that goes on with it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, path: &Path) -> Result<()> {
        fs::write(path, serde_json::to_string(self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Goes on with the report that another program kept.
    ///
    /// # Errors
    /// When there is none.
    pub fn take_over(&mut self, path: &Path) -> Result<()> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let other: Report = serde_json::from_str(&text)
            .with_context(|| format!("{} is no report", path.display()))?;
        self.rows.extend(other.rows);
        self.left_out.extend(other.left_out);
        self.not_asked_for.extend(other.not_asked_for);
        Ok(())
    }

    /// Prints the table, what was left out, and as the last line the sums.
    /// Gives whether all went well.
    pub fn print(&self, may_leave_out: bool) -> bool {
        let mut out = anstream::stdout().lock();
        // With stdout closed nobody reads it.
        let _ = out.write_all(self.text(may_leave_out).as_bytes());
        self.total(may_leave_out).failed == 0
    }

    fn text(&self, may_leave_out: bool) -> String {
        let (table, list) = (self.table(), self.list(may_leave_out));
        format!("\n{table}{list}{}\n", self.total(may_leave_out))
    }

    fn total(&self, may_leave_out: bool) -> Counts {
        let mut total = Counts::default();
        for row in &self.rows {
            total.add(row.counts);
        }
        total.skipped += self.not_asked_for.len();
        match may_leave_out {
            true => total.skipped += self.left_out.len(),
            false => total.failed += self.left_out.len(),
        }
        total
    }

    fn table(&self) -> String {
        let head = ["suite", "runtime", "passed", "failed", "skipped", "seconds"];
        let mut rows = vec![head.map(str::to_owned)];
        for row in &self.rows {
            let Counts {
                passed,
                failed,
                skipped,
            } = row.counts;
            rows.push([
                row.suite.clone(),
                row.runtime.clone(),
                passed.to_string(),
                failed.to_string(),
                skipped.to_string(),
                format!("{:.1}", row.time.as_secs_f32()),
            ]);
        }
        table(&rows, 2)
    }

    fn list(&self, may_leave_out: bool) -> String {
        let mut text = String::new();
        if !self.left_out.is_empty() {
            text += match may_leave_out {
                true => "left out:\n",
                false => "left out, which is a failure with CI=true:\n",
            };
        }
        for what in &self.left_out {
            text += &format!("  {}\n", what.replace('\n', "\n  "));
        }
        if !self.not_asked_for.is_empty() {
            text += "not asked for:\n";
        }
        for what in &self.not_asked_for {
            text += &format!("  {what}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_flag_leaves_out_never_fails() {
        let mut report = Report::default();
        report.not_asked_for("older releases (--quick)");
        assert_eq!(report.total(true), Counts::new(0, 0, 1));
        assert_eq!(report.total(false), Counts::new(0, 0, 1));
        assert!(
            report
                .text(false)
                .contains("not asked for:\n  older releases")
        );
    }

    #[test]
    fn what_is_left_out_fails_only_where_it_must_not_be() {
        let mut report = Report::default();
        report.left_out("redis-cli: not installed");
        assert_eq!(report.total(true), Counts::new(0, 0, 1));
        assert_eq!(report.total(false), Counts::new(0, 1, 0));
        let text = report.text(true);
        assert!(text.contains("\n  redis-cli: not installed\n"), "{text}");
        assert_eq!(text.lines().last(), Some("0 passed, 0 failed, 1 skipped"));
    }

    #[test]
    fn a_run_of_nothing_is_no_success() {
        let mut report = Report::default();
        report.note("a", "native", Counts::default(), Duration::ZERO);
        report.note("b", "native", Counts::new(1, 0, 2), Duration::ZERO);
        assert_eq!(report.total(true), Counts::new(1, 1, 2));
    }

    #[test]
    fn a_report_goes_on_in_another_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let mut first = Report::default();
        first.note(
            "a",
            "native",
            Counts::new(3, 0, 1),
            Duration::from_millis(1500),
        );
        first.left_out("WasmEdge 0.14.1");
        first.not_asked_for("b");
        first.keep(&path).unwrap();

        let mut second = Report::default();
        assert!(second.take_over(&folder.path().join("none")).is_err());
        second.check("fmt", true, Duration::ZERO);
        second.take_over(&path).unwrap();
        assert_eq!(second.total(false), Counts::new(4, 1, 2));
        let text = second.text(true);
        assert!(
            text.contains("a      native        3       0        1      1.5"),
            "{text}"
        );
    }
}
