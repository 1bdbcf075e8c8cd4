//! `cargo xtask sweep`: what people add to a new app, built and run as they would, natively
//! and under WasmEdge. With `--write` the latest result of each row becomes a page.
//!
//! * `rows`: the apps, and what is known of them;
//! * `app`: an app is locked and built, alone; `run`: it is started, against its peers;
//! * `results`: how rows went, kept from run to run; `cause`: why, out of a closed list;
//! * `judge`: whether that is as `row.toml` says; `page`: `docs/ecosystem.md`.

mod app;
mod cause;
mod judge;
mod page;
mod results;
mod rows;
mod run;

use std::process::ExitCode;

use anyhow::Result;
use cargo_wasmedge::toolchain::{self, Dirs, What};
use clap::Parser;
use semver::VersionReq;
use tools_common::{Repo, Tools, today};

use crate::app::Apps;
use crate::results::{Class, Kept, Outcome, Results};
use crate::rows::Row;
use crate::run::{Place, difference};

/// What people add to a new app
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Tool {
    /// Build and run what people add to a new app
    Sweep(Args),
}

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
A row is a folder in tests-integration/sweep. What is in target/sweep: how rows went
(results), what cargo said (logs), the apps with their lockfiles (apps).
Servers are those of `cargo xtask compat`; a row whose server is not installed is built
and not run.")]
struct Args {
    /// Only these rows
    #[arg(value_name = "CRATE")]
    rows: Vec<String>,

    /// The handful of rows that continuous integration runs
    #[arg(long)]
    quick: bool,

    /// A version of WasmEdge, such as 0.14.1 (may be repeated); without it the newest
    #[arg(long, value_name = "VERSION")]
    wasmedge: Vec<VersionReq>,

    /// Build and run nothing natively: compare with what was printed the last time
    #[arg(long)]
    wasm_only: bool,

    /// Only `cargo wasmedge check`, for much less time: tells what does not build
    #[arg(long, conflicts_with = "kept")]
    check: bool,

    /// Run nothing: judge the latest results again, and write the page from them
    #[arg(long)]
    kept: bool,

    /// Write docs/ecosystem.md from the latest result of each row
    #[arg(long)]
    write: bool,
}

fn main() -> ExitCode {
    let Tool::Sweep(args) = Tool::parse();
    tools_common::exit_code(run(&args))
}

/// Gives whether every row went as its `row.toml` says.
fn run(args: &Args) -> Result<bool> {
    let repo = Repo::open()?;
    let rows = rows::read(&repo.root)?;
    let chosen = rows::chosen(&rows, &args.rows, args.quick)?;
    let results = Results::of(&repo);
    let mut all_well = true;
    let mut ran = None;
    if !args.kept {
        ran = Some(sweep(&repo, args, &chosen, &results, &mut all_well)?);
    }
    for row in chosen {
        let mut outcomes = results.kept(&row.name)?.unwrap_or_default().outcomes;
        if let Some(ran) = &ran {
            outcomes.retain(|version, _| ran.contains(version));
        }
        for (version, outcome) in &outcomes {
            if let Some(complaint) = judge::complaint(row, outcome) {
                let name = &row.name;
                repo.shell
                    .warn(format_args!("{name} (WasmEdge {version}): {complaint}"));
                all_well = false;
            }
        }
    }
    if args.write {
        page::write(&repo, &rows, &results)?;
    }
    Ok(all_well)
}

/// Builds and runs rows, and keeps how they went. Gives the versions of WasmEdge. A row
/// that cannot be tried, since a server does not start, say, does not end the others.
fn sweep(
    repo: &Repo,
    args: &Args,
    chosen: &[&Row],
    results: &Results,
    all_well: &mut bool,
) -> Result<Vec<String>> {
    let newest = [VersionReq::STAR];
    let wanted = match &*args.wasmedge {
        [] => &newest,
        named => named,
    };
    let tools = Tools::set_up(repo, wanted)?;
    // Many crates bring C.
    let c = What {
        c: true,
        ..What::default()
    };
    toolchain::setup(&Dirs::new()?, &c, &repo.shell)?;
    for missing in &tools.missing {
        repo.shell.warn(missing);
    }
    let mut sweep = Sweep {
        apps: Apps::new(repo, &tools),
        tools: &tools,
        place: Place::new()?,
        wasm_only: args.wasm_only || args.check,
        check: args.check,
    };
    for row in chosen {
        repo.shell.status("Sweeping", &row.name);
        let mut kept = results.kept(&row.name)?.unwrap_or_default();
        if let Err(error) = sweep.row(row, &mut kept) {
            repo.shell.warn(format_args!("{}: {error:#}", row.name));
            *all_well = false;
            continue;
        }
        for edge in &tools.wasmedge {
            if let Some(outcome) = kept.outcomes.get(&edge.version.to_string()) {
                let line = format!(
                    "{} (WasmEdge {}): {} {}",
                    row.name,
                    edge.version,
                    outcome.class.name(),
                    outcome.error.as_deref().unwrap_or_default()
                );
                repo.shell.status("Swept", line.trim_end());
            }
        }
        results.keep(&row.name, &kept)?;
    }
    let versions = tools.wasmedge.iter();
    Ok(versions.map(|edge| edge.version.to_string()).collect())
}

/// What rows are built and run with.
struct Sweep<'a> {
    apps: Apps<'a>,
    tools: &'a Tools,
    place: Place,
    wasm_only: bool,
    check: bool,
}

impl Sweep<'_> {
    fn row(&mut self, row: &Row, kept: &mut Kept) -> Result<()> {
        kept.day = today()?;
        match self.apps.lock(row)? {
            Ok(locked) => (kept.crates, kept.graph) = (locked.releases, locked.graph),
            Err(outcome) => {
                self.everywhere(kept, &outcome);
                return Ok(());
            }
        }
        let word = if self.check { "check" } else { "build" };
        let newest = Some(self.tools.newest());
        if let Err(outcome) = self.apps.build(row, newest, word)? {
            let is_known = judge::complaint(row, &outcome).is_none();
            let outcome = match is_known || self.wasm_only {
                true => outcome,
                false => self.unless_natively(row, outcome)?,
            };
            self.everywhere(kept, &outcome);
            return Ok(());
        }
        if self.check {
            let outcome = Outcome::new(Class::Checks, "not built");
            for edge in &self.tools.wasmedge {
                let kept = kept.outcomes.entry(edge.version.to_string());
                let kept = kept.or_insert_with(|| outcome.clone());
                // What is known of how it runs says more.
                if !kept.class.checks() {
                    *kept = outcome.clone();
                }
            }
            return Ok(());
        }
        if let Some(missing) = self.place.start(row)? {
            let outcome = Outcome::new(Class::Checks, format!("{missing} is not installed"));
            self.everywhere(kept, &outcome);
            return Ok(());
        }
        if !self.wasm_only {
            kept.native = None;
            let printed = match self.apps.build(row, None, "build")? {
                Ok(()) => self.place.printed(&self.apps, row, None)?,
                Err(outcome) => Err(outcome),
            };
            match printed {
                Ok(printed) => kept.native = Some(printed),
                Err(outcome) => {
                    let error = outcome.error.unwrap_or_default();
                    self.everywhere(kept, &Outcome::new(Class::FailsNatively, error));
                    return Ok(());
                }
            }
        }
        for edge in &self.tools.wasmedge {
            let printed = self.place.printed(&self.apps, row, Some(edge))?;
            let outcome = match (printed, &kept.native) {
                (Err(outcome), _) => outcome,
                (Ok(_), None) => {
                    Outcome::new(Class::Checks, "runs; its native output is not known")
                }
                (Ok(printed), Some(native)) if printed == *native => Outcome::right(),
                (Ok(printed), Some(native)) => Outcome {
                    cause: Some(cause::Cause::guess(&printed)),
                    ..Outcome::new(Class::Differs, difference(native, &printed))
                },
            };
            kept.outcomes.insert(edge.version.to_string(), outcome);
        }
        Ok(())
    }

    /// The outcome of a build that failed, unless it fails natively, too.
    fn unless_natively(&self, row: &Row, outcome: Outcome) -> Result<Outcome> {
        Ok(match self.apps.build(row, None, "build")? {
            Ok(()) => outcome,
            Err(native) => Outcome::new(Class::FailsNatively, native.error.unwrap_or_default()),
        })
    }

    fn everywhere(&self, kept: &mut Kept, outcome: &Outcome) {
        for edge in &self.tools.wasmedge {
            let version = edge.version.to_string();
            kept.outcomes.insert(version, outcome.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Tool::command().debug_assert();
    }
}
