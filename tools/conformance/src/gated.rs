//! Tests that upstream's own gates leave out natively: for other systems, or
//! for builds with special cfgs. They are counted apart.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Result;

use crate::results::Results;
use crate::suite::Suite;

/// What the gate of a file names, in the order in which it is looked for.
const GATES: [(&str, &str); 8] = [
    ("emscripten", "Emscripten"),
    ("io-uring", "io_uring"),
    ("io_uring", "io_uring"),
    ("windows", "Windows"),
    ("freebsd", "FreeBSD"),
    ("loom", "loom"),
    ("tokio_unstable", "`tokio_unstable`"),
    ("taskdump", "task dumps"),
];

/// Tests by the gate that leaves them out, for programs without any native test.
pub(crate) fn count(suite: &Suite, native: &Results) -> Result<BTreeMap<String, usize>> {
    let mut gated = BTreeMap::new();
    for program in suite.programs()? {
        let prefix = format!("{program}::");
        if native.keys().any(|test| test.starts_with(&prefix)) {
            continue;
        }
        let text = fs::read_to_string(suite.upstream.join(format!("tests/{program}.rs")))?;
        let tests = tests_in(&text);
        if tests > 0 {
            *gated.entry(gate_of(&text).to_owned()).or_default() += tests;
        }
    }
    Ok(gated)
}

/// The functions that an attribute makes tests.
fn tests_in(text: &str) -> usize {
    let is_test = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("#[test]") || line.starts_with("#[tokio::test")
    };
    text.lines().filter(is_test).count()
}

/// What the gates on top of a file name.
fn gate_of(text: &str) -> &'static str {
    let head: String = text
        .lines()
        .take_while(|line| !line.starts_with("use ") && !line.starts_with("mod "))
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let found = GATES.iter().find(|(word, _)| {
        // `not(target_os = "emscripten")` is no gate for it.
        head.match_indices(word).any(|(at, _)| {
            let before = &head[..at];
            let open = before.rfind("not(").map(|not| &before[not..]);
            open.is_none_or(|inside| inside.contains(')'))
        })
    });
    found.map_or("other systems", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_named() {
        assert_eq!(gate_of("#![cfg(windows)]\nuse a;"), "Windows");
        assert_eq!(
            gate_of("#![cfg(all(\n  tokio_unstable,\n))]\nuse a;"),
            "`tokio_unstable`"
        );
        let not = "#![cfg(all(not(target_os = \"emscripten\"), windows))]\n";
        assert_eq!(gate_of(not), "Windows");
        assert_eq!(
            gate_of("// windows\n#![cfg(target_os = \"x\")]"),
            "other systems"
        );
    }

    #[test]
    fn tests_are_counted() {
        assert_eq!(
            tests_in("#[test]\nfn a() {}\n  #[tokio::test(x)]\n#[cfg(test)]"),
            2
        );
    }
}
