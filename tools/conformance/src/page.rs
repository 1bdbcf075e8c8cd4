//! The results as a page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use tests_integration::Mode;

use crate::expectations::Reason;
use crate::judge::Sums;
use crate::section::{Column, Section};

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

/// What the page has of one suite.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    /// Its rows of the table on top.
    rows: String,
    /// Its section, from the heading on.
    section: String,
}

impl Part {
    fn of(section: &Section) -> Result<Part> {
        let mut rows = String::new();
        let native: usize = section.native.values().sum();
        for column in &section.columns {
            let total = column.total();
            let host = total
                .excused
                .get(&Reason::Host)
                .copied()
                .unwrap_or_default();
            writeln!(
                rows,
                "| {} | {native} | {} | {} | {} | {host} | {} | {} |",
                section.name,
                column.runtime,
                total.passed,
                total.failed,
                total.not_applicable(),
                share(&total)
            )?;
        }
        let mut text = String::new();
        section_text(&mut text, section)?;
        Ok(Part {
            rows,
            section: text,
        })
    }

    /// What an earlier page has of the suite `name`.
    fn of_page(page: &str, name: &str) -> Option<Part> {
        let heading = format!("\n## {name}\n");
        let start = page.find(&heading)?;
        let rest = &page[start + 1..];
        let end = rest.find("\n## ").unwrap_or(rest.len());
        let row = format!("| {name} |");
        let rows = page[..start].lines().filter(|line| line.starts_with(&row));
        Some(Part {
            rows: rows.map(|line| format!("{line}\n")).collect(),
            section: format!("\n{}", &rest[..end]),
        })
    }
}

/// Writes `docs/conformance.md` from the latest whole runs of these sections: suites in
/// their modes. One without a run in this checkout keeps what the page has of it: all of
/// them take hours.
///
/// # Errors
/// When there is neither, unless it is one with the plugin: that is left out.
pub(crate) fn write(path: &Path, folder: &Path, sections: &[(String, Mode)]) -> Result<()> {
    let before = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.with_context(|| path.display().to_string())?,
    };
    let mut parts = Vec::new();
    for (name, mode) in sections {
        let part = match Section::kept(folder, name)? {
            Some(section) => Some(Part::of(&section)?),
            None => Part::of_page(&before, name),
        };
        ensure!(
            part.is_some() || *mode == Mode::Plugin,
            "there is no result of a whole run of {name}; run cargo xtask conformance"
        );
        parts.extend(part);
    }
    let mut text = String::from(
        "# Conformance\n\nUpstream's own tests, out of the published packages, on the ported \
         crates. This page is written by `cargo xtask conformance --write`; tests that do not \
         pass, with reasons, are in the `expectations.toml` of each port. With the \
         [plugin](plugin.md) the name of WasmEdge ends in `+plugin`.\n\n",
    );
    text += "| suite | natively | runtime | passed | failed | host lacks it | not applicable | passed of applicable |\n|---|--:|---|--:|--:|--:|--:|--:|\n";
    text.extend(parts.iter().map(|part| part.rows.as_str()));
    text.extend(parts.iter().map(|part| part.section.as_str()));
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
    if section.has_plugin() {
        text.push_str("Files of which all tests pass are left out.\n\n");
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
        let natively = section.native.get(program).copied().unwrap_or_default();
        let has_all = |column: &Column| {
            (column.programs.get(program)).is_some_and(|sums| sums.passed == natively)
        };
        // Beside the section without the plugin, which has them all.
        if section.has_plugin() && section.columns.iter().all(has_all) {
            continue;
        }
        write!(text, "| {program} | {natively} |")?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::name;

    fn suite(of: &str, mode: Mode, passed: usize) -> Section {
        let sums = |passed| Sums {
            passed,
            ..Sums::default()
        };
        Section {
            name: name(of, mode),
            run: "2026-11-24".to_owned(),
            native: [("lib".to_owned(), passed), ("net".to_owned(), 7)].into(),
            gated: [].into(),
            fails_natively: Vec::new(),
            columns: vec![Column {
                runtime: format!("WasmEdge 0.17.1{}", mode.suffix()),
                programs: [
                    ("lib".to_owned(), sums(passed)),
                    ("net".to_owned(), sums(6)),
                ]
                .into(),
            }],
            entries: vec![("lib::x".to_owned(), "Unix only".to_owned(), "W.".to_owned())],
        }
    }

    #[test]
    fn suites_that_were_not_run_keep_what_the_page_has() {
        let folder = tempfile::tempdir().unwrap();
        let (results, page) = (folder.path().join("results"), folder.path().join("page.md"));
        let suites = ["a 1.5.1", "a 1.5.10", "b 0.1.0"];
        let names = suites.map(|of| Mode::ALL.map(|mode| (name(of, mode), mode)));
        let names = names.concat();
        let run = |of: &str, mode, passed| suite(of, mode, passed).keep(&results, true).unwrap();
        for (of, passed) in suites.into_iter().zip(1..) {
            run(of, Mode::Plain, passed);
        }
        // That of the plugin is left out where there is none.
        run(suites[0], Mode::Plugin, 4);
        write(&page, &results, &names).unwrap();
        let all = fs::read_to_string(&page).unwrap();
        let with_plugin: Vec<&str> = all.lines().filter(|line| line.contains("plugin")).collect();
        assert_eq!(
            with_plugin[1..],
            [
                "| a 1.5.1, with the plugin | 11 | WasmEdge 0.17.1+plugin | 10 | 0 | 0 | 0 | 100.0 % |",
                "## a 1.5.1, with the plugin",
                "| file | natively | WasmEdge 0.17.1+plugin |",
            ]
        );
        // Of its files those only that do not pass in full.
        assert_eq!(all.matches("| net | 7 | 6 |").count(), 4);
        assert_eq!(all.matches("| lib |").count(), 3);

        // Another checkout, in which one suite was run.
        fs::remove_dir_all(&results).unwrap();
        run(suites[1], Mode::Plain, 22);
        write(&page, &results, &names).unwrap();
        let expected = all
            .replace(
                "| a 1.5.10 | 9 | WasmEdge 0.17.1 | 8 |",
                "| a 1.5.10 | 29 | WasmEdge 0.17.1 | 28 |",
            )
            .replace("| lib | 2 | 2 |", "| lib | 22 | 22 |");
        assert_ne!(expected, all);
        assert_eq!(fs::read_to_string(&page).unwrap(), expected);

        // One that neither has.
        let missing = ("c 1.0.0".to_owned(), Mode::Plain);
        let error = write(&page, &results, &[missing]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no result of a whole run of c 1.0.0; run cargo xtask conformance"
        );
        assert_eq!(fs::read_to_string(&page).unwrap(), expected);
    }
}
