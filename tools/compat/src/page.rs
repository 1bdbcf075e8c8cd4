//! `docs/compatibility.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand, PackageId};

use crate::rows::Row;
use crate::run::{Outcome, Run};

/// The page, from how every row went on every host.
///
/// # Errors
/// When the apps' lockfile does not fit, or an app is not in their workspace.
pub(crate) fn text(run: &Run<'_>, rows: &[Row], results: &[Vec<Outcome>]) -> Result<String> {
    let mut workspaces = BTreeMap::new();
    let mut page = String::from(
        "# Compatibility\n\n\
             Written by `cargo xtask compat --write`. Every row is an app in `tests-integration/compat`,\n\
             or one of the [examples](examples.md), made of published crates without a word about\n\
             WasmEdge. It runs natively and under each WasmEdge, against a real peer where one is\n\
             named, and has to print the same.\n\n",
    );
    let columns: Vec<String> = run.hosts.iter().map(ToString::to_string).collect();
    writeln!(
        page,
        "| crates | exercised | peer | ports | {} |",
        columns.join(" | ")
    )?;
    writeln!(page, "|{}", "---|".repeat(4 + columns.len()))?;
    let (mut notes, mut passed) = (String::new(), 0);
    for (row, outcomes) in rows.iter().zip(results) {
        let Workspace { metadata, ported } = workspace(run, row, &mut workspaces)?;
        let crates: Vec<String> = row
            .crates
            .iter()
            .map(|krate| versions(metadata, krate))
            .collect::<Result<_>>()?;
        let mut cells = Vec::new();
        for (host, outcome) in run.hosts.iter().zip(outcomes) {
            cells.push(match outcome {
                Outcome::Passed => "passes",
                Outcome::Failed(why) => {
                    let first = why.lines().next().unwrap_or_default();
                    let first = row.cannot.as_deref().unwrap_or(first);
                    writeln!(
                        notes,
                        "* {} ({}), {host}: {first}",
                        row.crates.join(", "),
                        row.what
                    )?;
                    "**fails**"
                }
                Outcome::LeftOut(_) => "not run",
            });
        }
        passed += usize::from(outcomes.iter().all(|outcome| *outcome == Outcome::Passed));
        let used = closure(metadata, &row.package())?;
        let used: Vec<&str> = ported
            .iter()
            .filter(|name| used.contains(*name))
            .map(String::as_str)
            .collect();
        writeln!(
            page,
            "| {} | {}{}{} | {} | {} | {} |",
            crates.join(", "),
            if row.example {
                format!("example `{}`: ", row.app)
            } else {
                String::new()
            },
            row.what,
            if row.compiled {
                " (compiled ahead of time)"
            } else {
                ""
            },
            row.peer.as_deref().unwrap_or_default(),
            used.join(", "),
            cells.join(" | ")
        )?;
    }
    let summary = format!("{passed} of {} rows pass everywhere", rows.len());
    run.repo.shell.status("Finished", &summary);
    writeln!(page, "\n{summary}.")?;
    if !notes.is_empty() {
        write!(page, "\n## What fails\n\n{notes}")?;
    }
    Ok(page)
}

/// A workspace that rows are built from.
struct Workspace {
    metadata: Metadata,
    /// The crates in its graph that have a port.
    ported: BTreeSet<String>,
}

/// The workspace of a row, which is looked at once.
fn workspace<'a>(
    run: &Run<'_>,
    row: &Row,
    known: &'a mut BTreeMap<PathBuf, Workspace>,
) -> Result<&'a Workspace> {
    let manifest = run.manifest(row);
    if !known.contains_key(&manifest) {
        let found = look(run, &manifest).with_context(|| manifest.display().to_string())?;
        known.insert(manifest.clone(), found);
    }
    Ok(&known[&manifest])
}

fn look(run: &Run<'_>, manifest: &Path) -> Result<Workspace> {
    let mut command = MetadataCommand::new();
    command
        .manifest_path(manifest)
        .other_options(["--locked".to_owned()]);
    Ok(Workspace {
        metadata: command.exec()?,
        ported: run.ported(manifest)?,
    })
}

fn versions(metadata: &Metadata, krate: &str) -> Result<String> {
    let mut found: Vec<String> = metadata
        .packages
        .iter()
        .filter(|package| package.name == krate && package.source.is_some())
        .map(|package| package.version.to_string())
        .collect();
    ensure!(!found.is_empty(), "no app depends on {krate}");
    found.sort();
    Ok(format!("{krate} {}", found.join(", ")))
}

/// Names of all crates that are built into a package.
fn closure(metadata: &Metadata, package: &str) -> Result<BTreeSet<String>> {
    let resolve = metadata.resolve.as_ref().context("nothing is resolved")?;
    let nodes: BTreeMap<&PackageId, _> =
        resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let root = metadata
        .packages
        .iter()
        .find(|candidate| *candidate.name == package);
    let mut todo = vec![&root.with_context(|| format!("no app {package}"))?.id];
    let mut seen = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if seen.insert(id) {
            todo.extend(nodes.get(id).iter().flat_map(|node| &node.dependencies));
        }
    }
    let packages = metadata
        .packages
        .iter()
        .filter(|package| seen.contains(&package.id));
    Ok(packages.map(|package| package.name.to_string()).collect())
}
