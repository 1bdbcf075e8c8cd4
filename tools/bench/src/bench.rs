//! `cargo xtask bench`: how close to native.
//!
//! The programs of `tests-integration/bench` are built natively and for WasmEdge,
//! from the same sources. A round measures everything in every place, one place
//! right after the other, and only ratios within a round are kept: figures of
//! a shared machine swing, ratios of neighbours much less.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use semver::VersionReq;
use tools_common::setup::versions;
use tools_common::{Repo, Tools};

use crate::measure::{Bench, check_speed};
use crate::page;
use crate::place::{self, Beside};
use crate::results::Results;
use crate::rows::{Row, rows};

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Sets up what is missing; the load tools come with ci/install-tools.sh. The table
says which of the targets hold. What could not be measured is listed and makes
the exit code 1; a target that is missed does not.")]
pub(crate) struct Args {
    /// Two short rounds: a first impression in a few minutes
    #[arg(long)]
    quick: bool,

    /// Rounds; five unless this is given
    #[arg(long, value_name = "NUMBER")]
    rounds: Option<usize>,

    /// Only rows whose name contains this (may be repeated)
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,

    /// A version of WasmEdge to measure, such as 0.17.1 (may be repeated)
    #[arg(long, value_name = "VERSION")]
    wasmedge: Vec<VersionReq>,

    /// Beside each WasmEdge the same program with the setting `unwind`, and no plugin
    #[arg(long, conflicts_with = "write")]
    unwind: bool,

    /// Write the results as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Keep the results in docs/benchmarks.md, with the plots
    #[arg(long, conflicts_with = "quick")]
    write: bool,
}

/// Gives whether everything was measured.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let repo = Repo::open()?;
    let tools = Tools::set_up(&repo, &versions(&args.wasmedge))?;
    let beside = match args.unwind {
        true => Beside::Unwinding,
        false => Beside::Plugin,
    };
    let places = place::build(&repo, &tools, beside)?;
    let rows: Vec<Row> = rows()?
        .into_iter()
        .filter(|row| args.only.is_empty() || args.only.iter().any(|text| row.name.contains(text)))
        .collect();
    ensure!(!rows.is_empty(), "no row has such a name");
    let rounds = args.rounds.unwrap_or(if args.quick { 2 } else { 5 });
    let bench = Bench {
        seconds: if args.quick { 1.0 } else { 3.0 },
        bulk: if args.quick { 256 << 20 } else { 1 << 30 },
    };

    check_speed(&places)?;
    let mut results = Results::new(&places, rows, rounds, bench.seconds);
    for missing in &tools.missing {
        results.left_out.push(missing.clone());
    }
    for round in 1..=rounds {
        for work in results.works() {
            repo.shell
                .status("Measuring", format!("{} ({round} of {rounds})", work));
            for place in &places {
                match bench.measure(&work, place) {
                    Ok(values) => results.add(round - 1, &work, place, values),
                    Err(error) => {
                        let left_out = format!("{} on {place}: {error:#}", work);
                        repo.shell.warn(&left_out);
                        results.left_out.push(left_out);
                    }
                }
            }
        }
    }

    anstream::print!("{}", results.table());
    if args.unwind {
        anstream::print!("\n{}", results.unwinding());
    }
    let json = serde_json::to_string_pretty(&results.json())?;
    if let Some(file) = &args.json {
        fs::write(file, &json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if args.write {
        page::write(&repo, &results, &json)?;
    }
    Ok(results.left_out.is_empty())
}
