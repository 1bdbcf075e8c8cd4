//! `cargo xtask soak`: whether a server keeps its memory and its speed.
//!
//! Connections come and go for millions of requests. What leaks with a request or
//! a connection, and what gets slower with their number, shows between the first
//! tenths and the last.

mod verdict;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use semver::VersionReq;
use serde_json::{Value, json};
use tests_integration::guard::Guard;
use tools_common::setup::versions;
use tools_common::{Repo, Tools};

use crate::measure::check_speed;
use crate::page::{self, machine};
use crate::place::{self, Beside, Place};
use crate::process::{cpu, memory, open_files};
use verdict::{Sample, Soak};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The exit code is 1 when a request failed, memory grew or the rate fell.")]
pub(crate) struct Args {
    /// How many requests
    #[arg(long, value_name = "MILLIONS", default_value_t = 10.0)]
    requests: f64,

    /// A version of WasmEdge, such as 0.17.1 (may be repeated)
    #[arg(long, value_name = "VERSION")]
    wasmedge: Vec<VersionReq>,

    /// An axum server with the setting `unwind`, of which every hundredth request panics
    #[arg(long, conflicts_with = "write")]
    unwind: bool,

    /// Keep the results in docs/benchmarks/soak.json and docs/benchmarks.md
    #[arg(long)]
    write: bool,
}

/// Slower than this in a second, a server hangs.
const SLOWEST: f64 = 200.0;

/// Gives whether everything held.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let requests = (args.requests * 1e6).round();
    ensure!(
        requests >= 1000.0,
        "fewer than a thousand requests say nothing"
    );
    let repo = Repo::open()?;
    let tools = Tools::set_up(&repo, &versions(&args.wasmedge))?;
    let places = match args.unwind {
        true => place::panicking(&repo, &tools)?,
        false => {
            let places = place::build(&repo, &tools, Beside::Plugin)?;
            check_speed(&places)?;
            places
        }
    };
    let mut soaks = Vec::new();
    for place in places.iter().filter(|place| !place.is_native()) {
        let what = format!("{} million requests, WasmEdge {place}", requests / 1e6);
        repo.shell.status("Soaking", what);
        let soak = soak(&repo, place, requests as u64, args.unwind)?;
        anstream::print!("{}", soak.table());
        soaks.push(soak);
    }
    for missing in &tools.missing {
        repo.shell.warn(missing);
    }
    if args.write {
        write(&repo, &soaks)?;
    }
    let held = soaks.iter().all(|soak| soak.complaints().is_empty());
    Ok(held && tools.missing.is_empty())
}

/// Puts a load on the server of a place, and looks at it after each tenth.
fn soak(repo: &Repo, place: &Place, requests: u64, panics: bool) -> Result<Soak> {
    let word = if panics { "serve" } else { "http" };
    let mut server = place.start(&[word])?;
    let mut command = Command::new(place.load());
    command
        .args(["soak", &server.address()?.to_string()])
        .arg(requests.to_string())
        .args(panics.then_some("panics"));
    let files_before = open_files(&server)?;
    let mut load = Guard::start(command)?;
    load.line("start")?;
    let sample = |server: &Guard, seconds: f64| -> Result<Sample> {
        Ok(Sample {
            seconds,
            cpu: cpu(server)?,
            memory: memory(server)?,
        })
    };
    let mut samples = vec![sample(&server, 0.0)?];
    let limit = Duration::from_secs_f64(120.0 + requests as f64 / 10.0 / SLOWEST);
    for tenth in 1..=10 {
        let line = match load.expect_within(limit, &format!("tenth {tenth} ")) {
            Ok(line) => line,
            Err(error) if load.is_running()? => return Err(error),
            // It gave up, and says so below.
            Err(_) => break,
        };
        let seconds = line.rsplit(' ').next().unwrap_or_default().parse()?;
        if !server.is_running()? {
            break;
        }
        samples.push(sample(&server, seconds)?);
        repo.shell
            .status("Soaking", format!("{tenth} of 10 after {seconds:.0} s"));
    }
    let said: Value = serde_json::from_str(&load.expect_within(limit, "{")?)?;
    let number = |name: &str| said[name].as_u64().context("no number from the load");
    let reasons = said["reasons"].as_array().into_iter().flatten();
    let mut reasons: Vec<String> = reasons
        .filter_map(|reason| Some(reason.as_str()?.to_owned()))
        .collect();
    if !server.is_running()? {
        reasons.push(
            format!("the server ended {}", server.stderr())
                .trim()
                .to_owned(),
        );
    }
    drop(load);
    let files = match server.is_running()? {
        true => Some((files_before, files_left(&server, files_before)?)),
        false => None,
    };
    Ok(Soak {
        wasmedge: place.to_string(),
        files,
        requests,
        answered: number("answered")?,
        failed: number("failed")?,
        reasons,
        samples,
    })
}

/// How many files the server has open once the load has ended: what it had before, unless
/// it keeps some of them for longer than it takes to notice that peers are gone.
fn files_left(server: &Guard, before: usize) -> Result<usize> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let left = open_files(server)?;
        if left <= before || Instant::now() > deadline {
            return Ok(left);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Keeps the results in `docs`.
fn write(repo: &Repo, soaks: &[Soak]) -> Result<()> {
    let machine = machine();
    let json = json!({
        "machine": machine,
        "soaks": soaks.iter().map(Soak::json).collect::<Vec<_>>(),
    });
    let file = repo.root.join("docs/benchmarks/soak.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&json)?);
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;

    let mut text = String::new();
    for soak in soaks {
        let _ = writeln!(text, "- {}", soak.line());
    }
    let _ = writeln!(text, "\n{machine}.");
    page::replace(repo, &[("soak", &text)])
}
