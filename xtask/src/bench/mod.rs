//! `cargo xtask bench`: how close to native.
//!
//! The programs of `tests-integration/bench` are built natively and for WasmEdge,
//! from the same sources. A round measures everything in every place, one place
//! right after the other, and only ratios within a round are kept: figures of
//! a shared machine swing, ratios of neighbours much less.

mod measure;
mod place;
mod plot;
mod processor;
mod report;
pub mod soak;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use semver::VersionReq;

use crate::repo::Repo;
use crate::setup::Tools;
use measure::Bench;
use place::Place;
use report::{Results, Row};

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Sets up what is missing; the load tools come with ci/install-tools.sh. The table
says which of the targets hold. What could not be measured is listed and makes
the exit code 1; a target that is missed does not.")]
pub struct Args {
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

    /// Write the results as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Keep the results in docs/benchmarks.md, with the plots
    #[arg(long, conflicts_with = "quick")]
    write: bool,
}

/// The WasmEdge versions that are measured unless others are named.
const WASMEDGE: [&str; 2] = ["~0.14.1", "~0.17.1"];

/// Those that are named, or else ours.
fn versions(named: &[VersionReq]) -> Result<Vec<VersionReq>> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let ours = WASMEDGE.iter().map(|text| text.parse());
    Ok(ours.collect::<Result<_, _>>()?)
}

/// Gives whether everything was measured.
pub fn run(args: &Args) -> Result<bool> {
    let repo = Repo::open()?;
    let tools = Tools::set_up(&repo, &versions(&args.wasmedge)?)?;
    let places = place::build(&repo, &tools)?;
    let rows: Vec<Row> = report::rows()
        .into_iter()
        .filter(|row| args.only.is_empty() || args.only.iter().any(|text| row.name.contains(text)))
        .collect();
    ensure!(!rows.is_empty(), "no row has such a name");
    let rounds = args.rounds.unwrap_or(if args.quick { 2 } else { 5 });
    let bench = Bench {
        seconds: if args.quick { 1.0 } else { 3.0 },
        bulk: if args.quick { 256 << 20 } else { 1 << 30 },
    };

    measure::check_speed(&places)?;
    let mut results = Results::new(&places, rows, rounds, bench.seconds);
    for missing in &tools.missing {
        results.left_out.push(missing.clone());
    }
    for round in 1..=rounds {
        for work in results.works() {
            repo.shell.status(
                "Measuring",
                format!("{} ({round} of {rounds})", work.name()),
            );
            for place in &places {
                match bench.measure(&work, place) {
                    Ok(values) => results.add(round - 1, &work, place, values),
                    Err(error) => {
                        let left_out = format!("{} on {place}: {error:#}", work.name());
                        repo.shell.warn(&left_out);
                        results.left_out.push(left_out);
                    }
                }
            }
        }
    }

    anstream::print!("{}", results.table());
    let json = serde_json::to_string_pretty(&results.json())?;
    if let Some(file) = &args.json {
        fs::write(file, &json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if args.write {
        results.write_page(&repo, &json)?;
    }
    Ok(results.left_out.is_empty())
}

impl Place {
    /// Whether this is what the others are compared with.
    fn is_native(&self) -> bool {
        self.wasmedge.is_none()
    }
}
