//! What test runners say at the end, and the table made of it.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use cargo_wasmedge::shell::printed;

/// How many tests went how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Counts {
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

/// One run of a suite.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub suite: String,
    pub runtime: String,
    pub counts: Counts,
    pub time: Duration,
}

/// All runs, and what was left out.
#[derive(Debug, Default)]
pub struct Report {
    outcomes: Vec<Outcome>,
    left_out: Vec<String>,
    not_asked_for: Vec<String>,
}

impl Report {
    /// Runs a test command, shows what it writes, and notes how it went.
    pub fn run(&mut self, suite: &str, runtime: &str, command: &mut Command) -> Result<Counts> {
        let started = Instant::now();
        let (succeeded, text) = watch(command)?;
        let mut counts = counts_in(&text);
        // It did not build, or was ended: no test says so.
        if !succeeded && counts.failed == 0 {
            counts.failed = 1;
        }
        // A filter or a broken runner that ran nothing is no success.
        if succeeded && counts.passed == 0 {
            counts.failed += 1;
        }
        self.outcomes.push(Outcome {
            suite: suite.to_owned(),
            runtime: runtime.to_owned(),
            counts,
            time: started.elapsed(),
        });
        Ok(counts)
    }

    /// Notes how a run went whose tests the caller judged: passed, failed, skipped.
    pub fn note(
        &mut self,
        suite: &str,
        runtime: &str,
        (passed, failed, skipped): (usize, usize, usize),
        time: Duration,
    ) {
        self.outcomes.push(Outcome {
            suite: suite.to_owned(),
            runtime: runtime.to_owned(),
            counts: Counts {
                passed,
                // A run of nothing is no success.
                failed: failed + usize::from(passed == 0 && failed == 0),
                skipped,
            },
            time,
        });
    }

    /// Notes how a check went that is one by itself.
    pub fn check(&mut self, name: &str, passed: bool, time: Duration) {
        self.outcomes.push(Outcome {
            suite: name.to_owned(),
            runtime: "check".to_owned(),
            counts: Counts {
                passed: usize::from(passed),
                failed: usize::from(!passed),
                skipped: 0,
            },
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
        for outcome in &self.outcomes {
            total.add(outcome.counts);
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
        for outcome in &self.outcomes {
            let Counts {
                passed,
                failed,
                skipped,
            } = outcome.counts;
            rows.push([
                outcome.suite.clone(),
                outcome.runtime.clone(),
                passed.to_string(),
                failed.to_string(),
                skipped.to_string(),
                format!("{:.1}", outcome.time.as_secs_f32()),
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

/// Aligned columns: the first `left` to the left, the others to the right.
pub fn table<const N: usize>(rows: &[[String; N]], left: usize) -> String {
    let widths: Vec<usize> = (0..N)
        .map(|at| rows.iter().map(|row| row[at].chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            line += &match at < left {
                true => format!("{cell:<width$}  "),
                false => format!("{cell:>width$}  "),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Runs a command, shows what it writes as it comes, and gives all of it without
/// colours.
fn watch(command: &mut Command) -> Result<(bool, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", printed(command)))?;
    let stdout = child.stdout.take().expect("it is piped");
    let stderr = child.stderr.take().expect("it is piped");
    let text = std::thread::scope(|scope| {
        let errors = scope.spawn(|| show(stderr, &mut anstream::stderr()));
        let mut text = show(stdout, &mut anstream::stdout());
        text += &errors.join().unwrap_or_default();
        text
    });
    let status = child.wait().context("cannot wait for a child process")?;
    Ok((status.success(), text))
}

fn show(from: impl Read, to: &mut impl std::io::Write) -> String {
    let mut text = String::new();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match from.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return text,
            Ok(_) => {
                let _ = to.write_all(&line);
                let shown = String::from_utf8_lossy(&line);
                text += &anstream::adapter::strip_str(&shown).to_string();
            }
        }
    }
}

/// Adds up what cargo-nextest (`Summary [  1.0s] 3 tests run: 2 passed, 1 timed
/// out, 0 skipped`) or libtest (`test result: ok. 3 passed; 0 failed; 1
/// ignored; …`) say. Where nextest does, libtest's lines are in what it shows of
/// a test that failed, which its own sum has already.
fn counts_in(text: &str) -> Counts {
    let sums = |head: &'static str, before: &'static str| {
        text.lines()
            .filter_map(move |line| line.trim().strip_prefix(head))
            .filter_map(move |rest| rest.split_once(before))
            .map(|(_, parts)| parts)
    };
    let mut lines: Vec<_> = sums("Summary [", "run: ").collect();
    if lines.is_empty() {
        lines = sums("test result: ", ". ").collect();
    }
    let mut counts = Counts::default();
    for parts in lines {
        for part in parts.split([',', ';']) {
            // A remark in parentheses (`3 passed (1 slow, 1 leaky)`) may be cut
            // by the comma; what is behind counts nothing of its own.
            let mut words = part.split_whitespace();
            let number = words.next().and_then(|word| word.parse::<usize>().ok());
            match (number, words.next()) {
                (Some(number), Some("passed")) => counts.passed += number,
                (Some(number), Some("skipped" | "ignored")) => counts.skipped += number,
                (Some(number), Some("failed" | "timed" | "exec")) => counts.failed += number,
                _ => {}
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: usize, failed: usize, skipped: usize) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn sums_of_nextest() {
        let text = "   Summary [ 138.255s] 330 tests run: 327 passed (2 slow, 1 leaky), \
                    1 failed, 1 timed out, 1 exec failed, 4 skipped\n";
        assert_eq!(counts_in(text), counts(327, 3, 4));
        let cut = "     Summary [   0.004s] 1/3 tests run: 1 passed, 0 skipped";
        assert_eq!(counts_in(cut), counts(1, 0, 0));
    }

    #[test]
    fn sums_of_libtest() {
        let text = "running 2 tests\ntest a ... ok\n\ntest result: ok. 2 passed; 0 failed; \
                    1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(counts_in(text), counts(5, 1, 1));
    }

    #[test]
    fn a_test_that_nextest_shows_counts_once() {
        let text = "test result: FAILED. 0 passed; 1 failed; 0 ignored; 45 filtered out\n\
                    Summary [ 835.364s] 223 tests run: 222 passed (1 slow), 1 failed, 0 skipped\n";
        assert_eq!(counts_in(text), counts(222, 1, 0));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(
            counts_in("7 passed, 1 failed\nerror: 3 failed\n"),
            counts(0, 0, 0)
        );
    }

    #[test]
    fn columns_are_aligned() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let rows = [row(["suite", "passed", "s"]), row(["a", "12", "3.5"])];
        assert_eq!(table(&rows, 1), "suite  passed    s\na          12  3.5\n");
    }

    #[test]
    fn what_a_flag_leaves_out_never_fails() {
        let mut report = Report::default();
        report.not_asked_for("older releases (--quick)");
        assert_eq!(report.total(true), counts(0, 0, 1));
        assert_eq!(report.total(false), counts(0, 0, 1));
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
        assert_eq!(report.total(true), counts(0, 0, 1));
        assert_eq!(report.total(false), counts(0, 1, 0));
        let text = report.text(true);
        assert!(text.contains("\n  redis-cli: not installed\n"), "{text}");
        assert_eq!(text.lines().last(), Some("0 passed, 0 failed, 1 skipped"));
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_fails_or_tests_nothing_is_a_failure() {
        let sh = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let mut report = Report::default();
        let ran = |report: &mut Report, script| report.run("s", "r", &mut sh(script)).unwrap();
        assert_eq!(ran(&mut report, "exit 3"), counts(0, 1, 0));
        assert_eq!(ran(&mut report, "true"), counts(0, 1, 0));
        let passing = "echo 'test result: ok. 4 passed; 0 failed; 0 ignored' >&2";
        assert_eq!(ran(&mut report, passing), counts(4, 0, 0));
        assert_eq!(report.total(true), counts(4, 2, 0));
    }
}
