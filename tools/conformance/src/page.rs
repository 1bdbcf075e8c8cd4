//! The results as a page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::expectations::Reason;
use crate::judge::Sums;
use crate::section::Section;

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
pub(crate) fn write(path: &Path, folder: &Path, suites: &[String]) -> Result<()> {
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
