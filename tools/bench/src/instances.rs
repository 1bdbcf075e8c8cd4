//! `cargo xtask instances`: what a second instance brings, beside native tokio's threads.
//!
//! The HTTP server under the load of wrk: one instance and two of it, which share a port by
//! the plugin, and natively a runtime of one thread and one of two. A round measures all of
//! them, one right after the other. The server says hello, with which wrk is busier than the
//! server, and does some work before it says hello, as servers that need instances do.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use semver::VersionReq;
use tests_integration::{Guard, free_port};
use tokio_wasmedge_plugin::REUSEPORT;
use tools_common::setup::versions;
use tools_common::{Repo, Tools};

use crate::figures::{rounded, spread};
use crate::measure::check_speed;
use crate::page::{self, machine};
use crate::place::{self, Beside, Place};
use crate::process::cpu;
use crate::wrk;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often all is measured
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    rounds: usize,

    /// A version of WasmEdge, such as 0.17.1 (may be repeated)
    #[arg(long, value_name = "VERSION")]
    wasmedge: Vec<VersionReq>,

    /// Keep the results in docs/benchmarks.md
    #[arg(long)]
    write: bool,
}

/// What is asked, and what it is called.
const PATHS: [(&str, &str); 2] = [("/", "hello"), ("/compute", "hello after some work")];

/// Connections that ask again and again.
const ACTIVE: usize = 50;

/// How long a server is kept busy.
const SECONDS: f64 = 3.0;

/// What is measured in one place: this many instances, or threads natively.
struct Line<'a> {
    path: &'static str,
    place: &'a Place,
    count: usize,
    /// Of each round.
    rates: Vec<f64>,
    cpus: Vec<f64>,
}

/// Gives whether everything was measured.
pub(crate) fn run(args: &Args) -> Result<bool> {
    ensure!(args.rounds > 0, "no round says nothing");
    let repo = Repo::open()?;
    let tools = Tools::set_up(&repo, &versions(&args.wasmedge))?;
    let places = place::build(&repo, &tools, Beside::Plugin)?;
    check_speed(&places)?;
    let share = |place: &&Place| place.is_native() || place::has_plugin(&place.to_string());
    let line = |path, place, count| Line {
        path,
        place,
        count,
        rates: Vec::new(),
        cpus: Vec::new(),
    };
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (path, _) in PATHS {
        for place in places.iter().filter(share) {
            lines.extend([1, 2].map(|count| line(path, place, count)));
        }
    }
    for round in 1..=args.rounds {
        for line in &mut lines {
            let (rate, cpu) = line.measure()?;
            line.rates.push(rate);
            line.cpus.push(cpu);
        }
        let what = format!("round {round} of {}", args.rounds);
        repo.shell.status("Measured", what);
    }
    let table = table(&lines)?;
    anstream::print!("{table}");
    for missing in &tools.missing {
        repo.shell.warn(missing);
    }
    if args.write {
        let text = format!("{table}{}.\n", machine());
        page::replace(&repo, &[("instances", &text)])?;
    }
    Ok(tools.missing.is_empty())
}

impl Line<'_> {
    /// Requests per second, and the processor time of one.
    fn measure(&self) -> Result<(f64, f64)> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let word = address.to_string();
        let mut servers = Vec::new();
        match self.place.is_native() {
            true => {
                let threads = self.count.to_string();
                servers.push(self.place.start(&["http", &word, &threads])?);
            }
            false => {
                for _ in 0..self.count {
                    let mut command = self.place.command(&["http", &word]);
                    command.env(REUSEPORT, "1");
                    servers.push(Guard::start(command)?);
                }
            }
        }
        for server in &mut servers {
            let listens = server.address()?;
            ensure!(listens == address, "listens on {listens}");
        }
        let all = |servers: &[Guard]| servers.iter().map(cpu).sum::<Result<f64>>();
        let before = all(&servers)?;
        let asked = wrk::ask(address, self.path, ACTIVE, SECONDS)?;
        let used = all(&servers)? - before;
        Ok((asked.rate, used / asked.requests))
    }

    fn name(&self) -> String {
        let (what, count) = match self.place.is_native() {
            true => ("thread", self.count),
            false => ("instance", self.count),
        };
        let s = if count == 1 { "" } else { "s" };
        format!("{}, {count} {what}{s}", self.place)
    }
}

/// Medians, and their ratios to those of native's single thread.
fn table(lines: &[Line<'_>]) -> Result<String> {
    let median = |values: &[f64]| {
        let (median, ..) = spread(values.to_vec()).context("no value")?;
        anyhow::Ok(median)
    };
    let ratios = |values: &[f64], native: &[f64]| {
        let ratios: Vec<f64> = values.iter().zip(native).map(|(a, b)| a / b).collect();
        median(&ratios)
    };
    let mut text = String::new();
    for (path, what) in PATHS {
        writeln!(
            text,
            "| {what} | requests/s | to native's one thread | CPU of a request, µs | to native's \
             one thread |\n|---|---|---|---|---|"
        )?;
        let lines: Vec<_> = lines.iter().filter(|line| line.path == path).collect();
        let native = lines.first().context("no place")?;
        for line in &lines {
            writeln!(
                text,
                "| {} | {:.0} | {} | {} | {} |",
                line.name(),
                median(&line.rates)?,
                rounded(ratios(&line.rates, &native.rates)?),
                rounded(median(&line.cpus)? * 1e6),
                rounded(ratios(&line.cpus, &native.cpus)?),
            )?;
        }
        text.push('\n');
    }
    Ok(text)
}
