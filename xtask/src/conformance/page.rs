//! The result as a page and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::expectations::{Expectations, Reason, Sums};
use super::results::{Outcome, Results};
use super::suite::Suite;
use crate::setup::Tools;

/// The results of one suite.
#[derive(Debug)]
pub struct Section {
    name: String,
    /// The ported crate natively.
    pub native: Results,
    /// Tests that are not built natively, by gate.
    pub gated: BTreeMap<String, usize>,
    /// Tests that fail natively, as published too.
    pub fails_natively: Vec<String>,
    /// One per runtime.
    pub columns: Vec<Column>,
    entries: Vec<(String, String, String)>,
}

/// The result under one runtime.
#[derive(Debug)]
pub struct Column {
    pub runtime: String,
    pub programs: BTreeMap<String, Sums>,
}

impl Column {
    fn total(&self) -> Sums {
        let mut total = Sums::default();
        for sums in self.programs.values() {
            total.add(sums);
        }
        total
    }
}

impl Section {
    pub fn new(suite: &Suite) -> Section {
        Section {
            name: suite.name(),
            native: Results::new(),
            gated: BTreeMap::new(),
            fails_natively: Vec::new(),
            columns: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Takes over what the page says about tests that do not pass.
    pub fn take_entries(&mut self, expectations: &Expectations) {
        for entry in &expectations.entries {
            let tests: Vec<&str> = entry.tests.iter().map(|(text, _)| text.as_str()).collect();
            let reason = match &entry.lacks {
                Some(lacks) => format!("{}: {lacks}", entry.reason),
                None => entry.reason.to_string(),
            };
            let why = entry.why.split_whitespace().collect::<Vec<_>>().join(" ");
            self.entries.push((tests.join(", "), reason, why));
        }
    }

    fn native_in(&self, program: &str) -> usize {
        let prefix = format!("{program}::");
        let passed = self
            .native
            .iter()
            .filter(|(test, outcome)| test.starts_with(&prefix) && **outcome == Outcome::Passed);
        passed.count()
    }
}

/// Passed tests as a share of those that apply, rounded down.
fn share(sums: &Sums) -> String {
    match sums.applicable() {
        0 => "–".to_owned(),
        all => {
            let tenths = sums.passed * 1000 / all;
            format!("{}.{} %", tenths / 10, tenths % 10)
        }
    }
}

/// Writes `docs/conformance.md`.
pub fn write(path: &Path, tools: &Tools, sections: &[Section]) -> Result<()> {
    let mut text = String::from(
        "# Conformance\n\nUpstream's own tests, out of the published packages, on the ported \
         crates. This page is written by `cargo xtask conformance --write`; tests that do not \
         pass, with reasons, are in the `expectations.toml` of each port.\n\n",
    );
    writeln!(
        text,
        "Run on {}, {}, with rustc {}.\n",
        today()?,
        std::env::consts::ARCH,
        tools.rust.rustc_version
    )?;
    text += "| suite | natively | runtime | passed | failed | host lacks it | not applicable | passed of applicable |\n|---|--:|---|--:|--:|--:|--:|--:|\n";
    for section in sections {
        let native = section
            .native
            .values()
            .filter(|how| **how == Outcome::Passed)
            .count();
        for column in &section.columns {
            let total = column.total();
            let host = total
                .excused
                .get(&Reason::Host)
                .copied()
                .unwrap_or_default();
            writeln!(
                text,
                "| {} | {native} | {} | {} | {} | {host} | {} | {} |",
                section.name,
                column.runtime,
                total.passed,
                total.failed,
                total.not_applicable(),
                share(&total)
            )?;
        }
    }
    for section in sections {
        section_text(&mut text, section)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn section_text(text: &mut String, section: &Section) -> Result<()> {
    writeln!(text, "\n## {}\n", section.name)?;
    if let Some(column) = section.columns.last() {
        let reasons: Vec<String> = column
            .total()
            .excused
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        if !reasons.is_empty() {
            writeln!(text, "Tests with a reason: {}.\n", reasons.join(", "))?;
        }
    }
    if !section.gated.is_empty() {
        let gates: Vec<String> = section
            .gated
            .iter()
            .map(|(gate, count)| format!("{gate} {count}"))
            .collect();
        writeln!(text, "Not built natively either: {}.\n", gates.join(", "))?;
    }
    if !section.fails_natively.is_empty() {
        let tests = section.fails_natively.join("`, `");
        writeln!(
            text,
            "Left out, since they fail natively as published too or need the internet: `{tests}`.\n"
        )?;
    }
    text.push_str("| file | natively |");
    for column in &section.columns {
        write!(text, " {} |", column.runtime)?;
    }
    text.push_str("\n|---|--:|");
    text.push_str(&"--:|".repeat(section.columns.len()));
    text.push('\n');
    let programs: BTreeSet<&String> = section
        .columns
        .iter()
        .flat_map(|column| column.programs.keys())
        .collect();
    for program in programs {
        write!(text, "| {program} | {} |", section.native_in(program))?;
        for column in &section.columns {
            let sums = column.programs.get(program).cloned().unwrap_or_default();
            let mut cell = sums.passed.to_string();
            if sums.failed > 0 {
                write!(cell, ", {} failed", sums.failed)?;
            }
            let excused: usize = sums.excused.values().sum();
            if excused > 0 {
                write!(cell, ", {excused} n/a")?;
            }
            write!(text, " {cell} |")?;
        }
        text.push('\n');
    }
    if !section.entries.is_empty() {
        text.push_str("\n| tests that do not pass | reason | |\n|---|---|---|\n");
        for (tests, reason, why) in &section.entries {
            writeln!(
                text,
                "| `{}` | {reason} | {why} |",
                tests.replace(", ", "`, `")
            )?;
        }
    }
    Ok(())
}

/// Writes all results for programs to read.
pub fn write_json(path: &Path, sections: &[Section]) -> Result<()> {
    let sums = |sums: &Sums| {
        let excused: BTreeMap<String, usize> = sums
            .excused
            .iter()
            .map(|(reason, count)| (reason.to_string(), *count))
            .collect();
        json!({"passed": sums.passed, "failed": sums.failed, "excused": excused})
    };
    let all: Vec<serde_json::Value> = sections
        .iter()
        .map(|section| {
            let runtimes: BTreeMap<&String, BTreeMap<&String, serde_json::Value>> = section
                .columns
                .iter()
                .map(|column| {
                    let programs = column.programs.iter();
                    (
                        &column.runtime,
                        programs.map(|(name, each)| (name, sums(each))).collect(),
                    )
                })
                .collect();
            json!({
                "suite": section.name,
                "native": section.native.len(),
                "not_built_natively": section.gated,
                "runtimes": runtimes,
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&all)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The day, for people.
fn today() -> Result<String> {
    let output = std::process::Command::new("date").arg("+%F").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
