//! The result as a page and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::expectations::{Expectations, Reason, Sums};
use super::results::{Outcome, Results};
use super::suite::Suite;
use crate::setup::Tools;

/// The results of one suite.
#[derive(Debug, Serialize, Deserialize)]
pub struct Section {
    name: String,
    /// The day and the compiler.
    run: String,
    /// Tests that pass natively, per program.
    pub native: BTreeMap<String, usize>,
    /// Tests that are not built natively, by gate.
    pub gated: BTreeMap<String, usize>,
    /// Tests that fail natively, as published too.
    pub fails_natively: Vec<String>,
    /// One per runtime.
    pub columns: Vec<Column>,
    entries: Vec<(String, String, String)>,
}

/// The result under one runtime.
#[derive(Debug, Serialize, Deserialize)]
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
    pub fn new(suite: &Suite, tools: &Tools) -> Result<Section> {
        let (day, rustc) = (today()?, &tools.rust.rustc_version);
        Ok(Section {
            name: suite.name(),
            run: format!("{day}, {}, rustc {rustc}", std::env::consts::ARCH),
            native: BTreeMap::new(),
            gated: BTreeMap::new(),
            fails_natively: Vec::new(),
            columns: Vec::new(),
            entries: Vec::new(),
        })
    }

    /// Takes over which tests pass natively.
    pub fn take_native(&mut self, native: &Results) {
        for (test, outcome) in native {
            if *outcome == Outcome::Passed {
                let program = test.split("::").next().unwrap_or(test);
                *self.native.entry(program.to_owned()).or_default() += 1;
            }
        }
    }

    /// Keeps the result in a folder, for programs to read, and one of a whole run
    /// for the page.
    pub fn keep(&self, folder: &Path, is_whole: bool) -> Result<()> {
        fs::create_dir_all(folder)?;
        let part = if is_whole { "" } else { ".part" };
        let path = folder.join(format!("{}{part}.json", self.name));
        fs::write(&path, serde_json::to_string_pretty(self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The latest result of a whole run.
    fn kept(folder: &Path, name: &str) -> Result<Section> {
        let text = fs::read_to_string(folder.join(format!("{name}.json"))).with_context(|| {
            format!("there is no result of a whole run of {name}; run cargo xtask conformance")
        })?;
        Ok(serde_json::from_str(&text)?)
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

/// Writes `docs/conformance.md` from the latest whole runs of these suites.
pub fn write(path: &Path, folder: &Path, suites: &[String]) -> Result<()> {
    let sections = suites.iter().map(|name| Section::kept(folder, name));
    let sections: Vec<Section> = sections.collect::<Result<_>>()?;
    let mut text = String::from(
        "# Conformance\n\nUpstream's own tests, out of the published packages, on the ported \
         crates. This page is written by `cargo xtask conformance --write`; tests that do not \
         pass, with reasons, are in the `expectations.toml` of each port.\n\n",
    );
    text += "| suite | natively | runtime | passed | failed | host lacks it | not applicable | passed of applicable |\n|---|--:|---|--:|--:|--:|--:|--:|\n";
    for section in &sections {
        let native: usize = section.native.values().sum();
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
    for section in &sections {
        section_text(&mut text, section)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn section_text(text: &mut String, section: &Section) -> Result<()> {
    writeln!(text, "\n## {}\n\nRun on {}.\n", section.name, section.run)?;
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
        write!(
            text,
            "| {program} | {} |",
            section.native.get(program).copied().unwrap_or_default()
        )?;
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

/// The day, for people.
fn today() -> Result<String> {
    let output = std::process::Command::new("date").arg("+%F").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
