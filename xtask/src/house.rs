//! The check that files stay small enough to be read at one go.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use tools_common::Repo;

use crate::files;

/// No file of ours has more lines than this.
const LONGEST: usize = 700;

/// Half of the files have fewer lines than this.
const MEDIAN: usize = 200;

/// So many are named when there is something to complain of.
const NAMED: usize = 5;

/// Looks at all files of Rust that are not tests.
///
/// # Errors
/// Files that are too long, a median that is, and I/O.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    let mut files = Vec::new();
    for name in files::ours(repo)? {
        if is_counted(&name) {
            let path = repo.root.join(&name);
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.push((text.lines().count(), name));
        }
    }
    let judged = judge(files);
    repo.shell.status("Measured", judged.summary);
    ensure!(judged.complaints.is_empty(), "{}", judged.complaints);
    Ok(())
}

/// Whether it is a file of Rust that is not a test.
fn is_counted(name: &str) -> bool {
    let mut folders = name.split('/');
    let file = folders.next_back().unwrap_or_default();
    file.ends_with(".rs")
        && file != "tests.rs"
        && !name.starts_with("tests-integration/")
        && !folders.any(|folder| folder == "tests")
}

struct Judged {
    summary: String,
    complaints: String,
}

fn judge(mut files: Vec<(usize, String)>) -> Judged {
    files.sort_by(|a, b| b.cmp(a));
    let longest = files.first().map_or(0, |(lines, _)| *lines);
    let median = files.get(files.len() / 2).map_or(0, |(lines, _)| *lines);
    let mut complaints = Vec::new();
    if longest > LONGEST {
        complaints.push(format!("no file may have more than {LONGEST} lines"));
    }
    if median >= MEDIAN {
        complaints.push(format!(
            "half of the files must have fewer than {MEDIAN} lines; the median is {median}"
        ));
    }
    let mut complaints = complaints.join("; ");
    if !complaints.is_empty() {
        complaints += "; the longest are:";
        for (lines, name) in files.iter().take(NAMED) {
            complaints += &format!("\n  {lines} {name}");
        }
    }
    Judged {
        summary: format!(
            "{} files that are not tests: the longest has {longest} lines, the median is {median}",
            files.len()
        ),
        complaints,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_not_counted() {
        assert!(is_counted("cargo-wasmedge/src/main.rs"));
        assert!(is_counted("build.rs"));
        assert!(is_counted("xtask/src/test.rs"));
        for test in [
            "cargo-wasmedge/tests/cli.rs",
            "cargo-wasmedge/tests/common/mod.rs",
            "cargo-wasmedge/src/port/tests.rs",
            "tests-integration/src/lib.rs",
            "README.md",
        ] {
            assert!(!is_counted(test), "{test}");
        }
    }

    #[test]
    fn a_long_file_and_a_high_median_are_named() {
        let files = |lines: &[usize]| -> Vec<(usize, String)> {
            let named = lines.iter().map(|lines| (*lines, format!("{lines}.rs")));
            named.collect()
        };
        assert_eq!(judge(files(&[700, 199, 1])).complaints, "");
        let long = judge(files(&[1, 701, 199]));
        assert!(
            long.complaints
                .starts_with("no file may have more than 700 lines")
        );
        assert!(long.complaints.contains("\n  701 701.rs"));
        assert!(
            long.summary
                .ends_with("the longest has 701 lines, the median is 199")
        );
        let median = judge(files(&[200, 200, 1])).complaints;
        assert!(median.contains("the median is 200"), "{median}");
    }
}
