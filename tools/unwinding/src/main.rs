//! `cargo xtask unwinding`: random programs that panic, built natively and with the setting
//! `unwind`, which have to do the same.
//!
//! * `generate`: the programs, from seeds; `prelude.rs` is a part of each;
//! * `batch`: a few of them are built, at every level of optimization;
//! * `compare`: they are run natively and under each WasmEdge, interpreted and compiled.

mod batch;
mod compare;
mod generate;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use semver::VersionReq;
use tools_common::setup::versions;
use tools_common::{Repo, Tools};

use crate::batch::Batch;
use crate::compare::Comparison;

/// Random programs whose panics unwind
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Tool {
    /// Compare random programs whose panics unwind with what they do natively
    Unwinding(Args),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each program has a seed; the first is --seed, the next one more. One that does something
else than natively ends the run. It stays in target/unwinding, and is had again with
--seed SEED --minutes 0.")]
struct Args {
    /// How long; what was begun is finished
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,

    /// The first program's seed; without it a random one
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// A version of WasmEdge, such as 0.17.1 (may be repeated)
    #[arg(long, value_name = "VERSION")]
    wasmedge: Vec<VersionReq>,
}

fn main() -> ExitCode {
    let Tool::Unwinding(args) = Tool::parse();
    tools_common::exit_code(run(&args))
}

/// Gives whether all programs did as they do natively.
fn run(args: &Args) -> Result<bool> {
    ensure!(args.minutes.is_finite() && args.minutes >= 0.0, "no time");
    let repo = Repo::open()?;
    let tools = Tools::set_up(&repo, &versions(&args.wasmedge))?;
    tools.set_up_unwinding(&repo)?;
    let first = args.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    let mut comparison = Comparison::new(&tools)?;
    let end = Instant::now() + Duration::from_secs_f64(args.minutes * 60.0);
    let at_once = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let (mut next, mut differences) = (first, Vec::new());
    loop {
        let count = if args.minutes == 0.0 { 1 } else { at_once };
        let batch = Batch::build(&repo, &tools, next..next + count)?;
        differences.extend(comparison.compare(&batch, &repo.shell)?);
        next += count;
        let line = format!("{} programs, seeds from {first} on", next - first);
        repo.shell.status("Compared", line);
        if Instant::now() >= end || !differences.is_empty() {
            break;
        }
    }
    anstream::println!("{comparison}");
    for difference in &differences {
        repo.shell.warn(difference);
    }
    for missing in &tools.missing {
        repo.shell.warn(missing);
    }
    Ok(differences.is_empty())
}
