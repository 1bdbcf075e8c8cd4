//! `docs/ecosystem.md`, from the latest result of each row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use tools_common::Repo;

use crate::cause::Cause;
use crate::results::{Class, Kept, Outcome, Results};
use crate::rows::{FOLDER, Row};

/// The page, in the checkout.
const PAGE: &str = "docs/ecosystem.md";

/// Writes the page.
///
/// # Errors
/// When results cannot be read, or the page not be written.
pub(crate) fn write(repo: &Repo, rows: &[Row], results: &Results) -> Result<()> {
    let mut kept = Vec::new();
    for row in rows {
        kept.push((row, results.kept(&row.name)?.unwrap_or_default()));
    }
    fs::write(repo.root.join(PAGE), text(&kept)?).context(PAGE)
}

fn text(rows: &[(&Row, Kept)]) -> Result<String> {
    let versions: BTreeSet<&str> = rows
        .iter()
        .flat_map(|(_, kept)| kept.outcomes.keys().map(String::as_str))
        .collect();
    let mut page = format!(
        "# What people add\n\n\
         Written by `cargo xtask sweep --write`. Every row is a new app in `{FOLDER}`: what\n\
         `cargo add` writes, tokio with `full`, and a few lines that use it. It is built alone,\n\
         by `cargo wasmedge` with no setting but the defaults, and has to print what it prints\n\
         natively; a server has to answer the same. Numbers of errors do not count. Peers are\n\
         real servers on loopback; \"closed\" in a program is a port where nobody listens.\n\n"
    );
    for version in &versions {
        writeln!(page, "* WasmEdge {version}: {}", sums(rows, version))?;
    }
    let heads: Vec<String> = versions.iter().map(|v| format!("WasmEdge {v}")).collect();
    writeln!(page, "\n| row | crates | {} | day |", heads.join(" | "))?;
    writeln!(page, "|---|---|{}---|", "---|".repeat(versions.len()))?;
    let mut failures = String::new();
    let (tried, not_tried): (Vec<_>, Vec<_>) =
        rows.iter().partition(|(_, kept)| !kept.outcomes.is_empty());
    for (row, kept) in tried {
        let crates = kept.crates.iter();
        let crates: Vec<String> = crates
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let cells: Vec<String> = versions
            .iter()
            .map(|version| {
                kept.outcomes
                    .get(*version)
                    .map_or("not tried".to_owned(), cell)
            })
            .collect();
        if let Some(line) = failure(row, kept) {
            writeln!(failures, "{line}")?;
        }
        writeln!(
            page,
            "| [{}](../{FOLDER}/{}/src/main.rs) | {} | {} | {} |",
            row.name,
            row.name,
            crates.join(", "),
            cells.join(" | "),
            kept.day
        )?;
    }
    if !not_tried.is_empty() {
        let names: Vec<&str> = not_tried.iter().map(|(row, _)| row.name.as_str()).collect();
        writeln!(page, "\nNot tried yet: {}.", names.join(", "))?;
    }
    if !failures.is_empty() {
        write!(
            page,
            "\n## What does not work\n\n\
             | row | what happens | cause | what is seen | why |\n|---|---|---|---|---|\n{failures}"
        )?;
        write!(page, "\n{}", causes(rows))?;
    }
    Ok(page)
}

fn cell(outcome: &Outcome) -> String {
    match (outcome.class, &outcome.error) {
        (Class::RunsRight, _) => "runs right".to_owned(),
        (Class::Checks, Some(why)) => format!("passes check ({why})"),
        (class, _) => format!("**{}**", class.name()),
    }
}

/// Sums over all rows.
fn sums(rows: &[(&Row, Kept)], version: &str) -> String {
    let outcomes: Vec<&Outcome> = rows
        .iter()
        .filter_map(|(_, kept)| kept.outcomes.get(version))
        .collect();
    let count = |wanted: fn(Class) -> bool| {
        outcomes
            .iter()
            .filter(|outcome| wanted(outcome.class))
            .count()
    };
    let natively = count(|class| class == Class::FailsNatively);
    let mut text = format!(
        "of {} rows {} pass `check`, {} run right",
        outcomes.len() - natively,
        count(Class::checks),
        count(|class| class == Class::RunsRight)
    );
    let unknown = count(|class| class == Class::Checks);
    if unknown > 0 {
        write!(text, ", {unknown} were not run or not compared").expect("it is a string");
    }
    if natively > 0 {
        write!(text, "; {natively} fail natively, too").expect("it is a string");
    }
    let missing = rows.len() - outcomes.len();
    if missing > 0 {
        write!(text, "; {missing} were not tried").expect("it is a string");
    }
    text
}

/// The outcome that counts: under the newest WasmEdge.
fn latest(kept: &Kept) -> Option<&Outcome> {
    kept.outcomes.values().next_back()
}

fn fails(outcome: &Outcome) -> bool {
    !matches!(outcome.class, Class::RunsRight | Class::Checks)
}

/// What is known of the cause of a failure: what row.toml says, or else a guess.
fn cause(row: &Row, outcome: &Outcome) -> Cause {
    let said = row.cannot.as_ref().map(|cannot| cannot.cause);
    match outcome.class {
        Class::FailsNatively => Cause::NotOurs,
        _ => said.or(outcome.cause).unwrap_or(Cause::Unknown),
    }
}

fn failure(row: &Row, kept: &Kept) -> Option<String> {
    let outcome = latest(kept).filter(|outcome| fails(outcome))?;
    let words = |text: &str| {
        text.replace('|', "\\|")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    Some(format!(
        "| {} | {} | {} | {} | {} |",
        row.name,
        outcome.class.name(),
        cause(row, outcome).name(),
        code(&words(&without_folders(
            outcome.error.as_deref().unwrap_or_default()
        ))),
        words(row.cannot.as_ref().map_or("", |cannot| &cannot.why))
    ))
}

/// Paths without the folders of whose machine it was.
fn without_folders(text: &str) -> String {
    let is_end = |letter: char| letter.is_whitespace() || "`'\"()".contains(letter);
    text.split_inclusive(is_end)
        .map(|word| match word.strip_prefix('/') {
            // A division has a space behind it.
            Some(path) if !path.starts_with(is_end) => path.rsplit('/').next().unwrap_or_default(),
            _ => word,
        })
        .collect()
}

/// As it was printed, whatever Markdown takes it for.
fn code(text: &str) -> String {
    match text {
        "" => String::new(),
        text if text.contains('`') => format!("`` {text} ``"),
        text => format!("`{text}`"),
    }
}

/// How often each cause is met, the most frequent first.
fn causes(rows: &[(&Row, Kept)]) -> String {
    let mut counts: BTreeMap<Cause, usize> = BTreeMap::new();
    for (row, kept) in rows {
        if let Some(outcome) = latest(kept).filter(|outcome| fails(outcome)) {
            *counts.entry(cause(row, outcome)).or_default() += 1;
        }
    }
    let mut counts: Vec<(usize, &str)> =
        counts.iter().map(|(cause, n)| (*n, cause.name())).collect();
    counts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let lines = counts.iter().map(|(n, name)| format!("| {name} | {n} |\n"));
    format!("| cause | rows |\n|---|---|\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Row {
        Row {
            name: name.to_owned(),
            ..Row::default()
        }
    }

    fn kept(outcome: Outcome) -> Kept {
        Kept {
            outcomes: BTreeMap::from([("0.17.1".to_owned(), outcome)]),
            crates: BTreeMap::from([("pond".to_owned(), "1.2.3".to_owned())]),
            ..Kept::default()
        }
    }

    #[test]
    fn a_page_names_no_folder_of_a_machine() {
        for (printed, shown) in [
            ("`/home/me/bin/wasm-ld` failed", "`wasm-ld` failed"),
            ("`a v1` (/home/me/a-1)", "`a v1` (a-1)"),
            ("a/b.rs:1: u8 / u16", "a/b.rs:1: u8 / u16"),
        ] {
            assert_eq!(without_folders(printed), shown);
        }
    }

    #[test]
    fn rows_that_were_not_tried_or_fail_natively_are_in_no_sum() {
        let (a, b, c, d, e) = (row("a"), row("b"), row("c"), row("d"), row("e"));
        let mut fails = Outcome::new(Class::DoesNotBuild, "error: a|b");
        fails.cause = Some(Cause::Openssl);
        let rows = [
            (&a, kept(Outcome::right())),
            (&b, kept(fails)),
            (
                &c,
                kept(Outcome::new(Class::Checks, "nginx is not installed")),
            ),
            (&d, Kept::default()),
            (&e, kept(Outcome::new(Class::FailsNatively, "no"))),
        ];
        assert_eq!(
            sums(&rows, "0.17.1"),
            "of 3 rows 2 pass `check`, 1 run right, 1 were not run or not compared; \
             1 fail natively, too; 1 were not tried"
        );
        let page = text(&rows).unwrap();
        assert!(page.contains("| pond 1.2.3 | runs right |"), "{page}");
        assert!(
            page.contains("passes check (nginx is not installed)"),
            "{page}"
        );
        assert!(
            page.contains("| b | does not build | OpenSSL | `error: a\\|b` |  |"),
            "{page}"
        );
        assert!(page.contains("| OpenSSL | 1 |"), "{page}");
        assert!(page.contains("\nNot tried yet: d.\n"), "{page}");
    }
}
