//! The sums that libtest prints, for `cargo test`.
//!
//! libtest has a format for programs, but only on nightly. Its summary has kept its form
//! for years, and is all that is needed where cargo-nextest is not installed.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use cargo_wasmedge::shell::printed;

use crate::report::Counts;

/// Runs `cargo test`, shows what it writes as it comes, and adds up what the test programs
/// say. Gives whether the command succeeded.
pub(crate) fn run(command: &mut Command) -> Result<(bool, Counts)> {
    if anstream::ColorChoice::global() == anstream::ColorChoice::Auto
        && std::io::IsTerminal::is_terminal(&std::io::stderr())
    {
        // What we show comes to cargo's notice as a pipe.
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", printed(command)))?;
    let stdout = child.stdout.take().context("its output is piped")?;
    let stderr = child.stderr.take().context("its output is piped")?;
    let text = std::thread::scope(|scope| {
        let errors = scope.spawn(|| show(stderr, &mut anstream::stderr()));
        let mut text = show(stdout, &mut anstream::stdout());
        text += &errors.join().unwrap_or_default();
        text
    });
    let status = child.wait().context("cannot wait for a child process")?;
    Ok((status.success(), counts_in(&text)))
}

/// Copies a stream to the user, and gives it without colours.
fn show(from: impl Read, to: &mut impl std::io::Write) -> String {
    let mut text = String::new();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match from.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return text,
            Ok(_) => {
                // With the terminal gone nobody reads it; the sums still count.
                let _ = to.write_all(&line);
                let shown = String::from_utf8_lossy(&line);
                text += &anstream::adapter::strip_str(&shown).to_string();
            }
        }
    }
}

/// Adds up lines such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`, one for each
/// test program.
fn counts_in(text: &str) -> Counts {
    let mut counts = Counts::default();
    let sums = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("test result: "))
        .filter_map(|rest| rest.split_once(". "));
    for (_, parts) in sums {
        for part in parts.split(';') {
            let mut words = part.split_whitespace();
            let number = words.next().and_then(|word| word.parse::<usize>().ok());
            match (number, words.next()) {
                (Some(number), Some("passed")) => counts.passed += number,
                (Some(number), Some("ignored")) => counts.skipped += number,
                (Some(number), Some("failed")) => counts.failed += number,
                _ => {}
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_libtest() {
        let text = "running 2 tests\ntest a ... ok\n\ntest result: ok. 2 passed; 0 failed; \
                    1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(counts_in(text), Counts::new(5, 1, 1));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(
            counts_in("7 passed, 1 failed\nerror: 3 failed\n"),
            Counts::default()
        );
    }
}
