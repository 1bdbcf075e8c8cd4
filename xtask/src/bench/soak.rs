//! `cargo xtask soak`: whether a server keeps its memory and its speed.
//!
//! Connections come and go for millions of requests. What leaks with a request or
//! a connection, and what gets slower with their number, shows between the first
//! tenths and the last.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use semver::VersionReq;
use serde_json::{Value, json};
use tests_integration::guard::Guard;

use super::measure::{check_speed, cpu, memory};
use super::place::{self, Place};
use super::report::{between, machine, rounded};
use super::versions;
use crate::repo::Repo;
use crate::setup::Tools;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The exit code is 1 when a request failed, memory grew or the rate fell.")]
pub struct Args {
    /// How many requests
    #[arg(long, value_name = "MILLIONS", default_value_t = 10.0)]
    requests: f64,

    /// A version of WasmEdge, such as 0.17.1 (may be repeated)
    #[arg(long, value_name = "VERSION")]
    wasmedge: Vec<VersionReq>,

    /// Keep the results in docs/benchmarks/soak.json and docs/benchmarks.md
    #[arg(long)]
    write: bool,
}

/// Memory may grow by so much after the first tenth, in KiB: what allocators keep
/// moves by some hundred. In ten million requests it is a leak of a quarter of
/// a byte for each of them, or of 23 bytes for each connection.
const NOISE: f64 = 2048.0;

/// The rate at the end is at least this much of that at the start.
const KEPT: f64 = 0.9;

/// The start and the end are three tenths each, and the one in the middle counts: a
/// machine that is busy elsewhere for some seconds must not decide. The first tenth pays
/// for the start of the program.
const START: [usize; 3] = [2, 3, 4];
const END: [usize; 3] = [8, 9, 10];

/// Slower than this in a second, a server hangs.
const SLOWEST: f64 = 200.0;

/// Gives whether everything held.
pub fn run(args: &Args) -> Result<bool> {
    let requests = (args.requests * 1e6).round();
    ensure!(
        requests >= 1000.0,
        "fewer than a thousand requests say nothing"
    );
    let repo = Repo::open()?;
    let tools = Tools::set_up(&repo, &versions(&args.wasmedge)?)?;
    let places = place::build(&repo, &tools)?;
    check_speed(&places)?;
    let mut soaks = Vec::new();
    for place in places.iter().filter(|place| !place.is_native()) {
        let what = format!("{} million requests, WasmEdge {place}", requests / 1e6);
        repo.shell.status("Soaking", what);
        let soak = soak(&repo, place, requests as u64)?;
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

/// The server at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Since the start of the load.
    seconds: f64,
    /// Processor time so far, in seconds.
    cpu: f64,
    /// In KiB.
    memory: f64,
}

/// What came of a load.
#[derive(Debug)]
struct Soak {
    wasmedge: String,
    requests: u64,
    answered: u64,
    failed: u64,
    /// Of some failures, why.
    reasons: Vec<String>,
    /// At the start and after each tenth.
    samples: Vec<Sample>,
}

fn soak(repo: &Repo, place: &Place, requests: u64) -> Result<Soak> {
    let mut server = place.start(&["http"])?;
    let mut command = Command::new(place.load());
    command
        .args(["soak", &server.address()?.to_string()])
        .arg(requests.to_string());
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
    Ok(Soak {
        wasmedge: place.to_string(),
        requests,
        answered: number("answered")?,
        failed: number("failed")?,
        reasons,
        samples,
    })
}

impl Soak {
    /// Requests per second, and seconds of processor time for one, in a tenth.
    fn tenth(&self, tenth: usize) -> Option<(f64, f64)> {
        let (before, after) = (
            self.samples.get(tenth.checked_sub(1)?)?,
            self.samples.get(tenth)?,
        );
        let requests = self.requests as f64 / 10.0;
        Some((
            requests / (after.seconds - before.seconds),
            (after.cpu - before.cpu) / requests,
        ))
    }

    /// The medians of some tenths.
    fn median(&self, tenths: [usize; 3]) -> Option<(f64, f64)> {
        let mut rates = Vec::new();
        let mut cpus = Vec::new();
        for tenth in tenths {
            let (rate, cpu) = self.tenth(tenth)?;
            rates.push(rate);
            cpus.push(cpu);
        }
        rates.sort_by(f64::total_cmp);
        cpus.sort_by(f64::total_cmp);
        Some((rates[1], cpus[1]))
    }

    /// What did not hold.
    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.failed > 0 || self.answered != self.requests {
            complaints.push(format!(
                "{} of {} requests were answered, {} failed: {}",
                self.answered,
                self.requests,
                self.failed,
                self.reasons.join("; ")
            ));
        }
        let ends = (self.samples.get(1), self.samples.get(10));
        let rates = (self.median(START), self.median(END));
        let ((Some(first), Some(last)), (Some(start), Some(end))) = (ends, rates) else {
            complaints.push("it ended too early to judge memory and rate".to_owned());
            return complaints;
        };
        let grown = last.memory - first.memory;
        if grown > NOISE {
            complaints.push(format!(
                "memory grew by {grown:.0} KiB after the first tenth; {NOISE:.0} are allowed"
            ));
        }
        if end.0 < KEPT * start.0 {
            // With as much processor time as before it is the machine that is slow.
            complaints.push(format!(
                "the rate fell from {:.0} at the start to {:.0} at the end; \
                 processor time for a request went from {:.1} to {:.1} µs",
                start.0,
                end.0,
                start.1 * 1e6,
                end.1 * 1e6
            ));
        }
        complaints
    }

    /// For people.
    fn table(&self) -> String {
        let mut text = String::from("tenth  requests/s  CPU per request, µs  memory, MiB\n");
        for (at, sample) in self.samples.iter().enumerate().skip(1) {
            if let Some((rate, cpu)) = self.tenth(at) {
                let (cpu, memory) = (cpu * 1e6, sample.memory / 1024.0);
                let _ = writeln!(text, "{at:5}  {rate:10.0}  {cpu:19.1}  {memory:11.2}");
            }
        }
        let _ = writeln!(text, "{}", self.line());
        text
    }

    /// In a sentence or two.
    fn line(&self) -> String {
        let mut text = format!(
            "WasmEdge {}: {} million requests, {} failed",
            self.wasmedge,
            self.requests as f64 / 1e6,
            self.failed
        );
        if let (Some(first), Some(last)) = (self.samples.get(1), self.samples.get(10)) {
            let (first, last) = (first.memory / 1024.0, last.memory / 1024.0);
            let _ = write!(
                text,
                "; memory {first:.2} MiB after a tenth and {last:.2} at the end"
            );
        }
        if let (Some(start), Some(end)) = (self.median(START), self.median(END)) {
            let _ = write!(
                text,
                "; {} requests/s at the start and {} at the end, with {} and {} µs of \
                 processor time for each",
                rounded(start.0),
                rounded(end.0),
                rounded(start.1 * 1e6),
                rounded(end.1 * 1e6)
            );
        }
        let complaints = self.complaints();
        if complaints.is_empty() {
            text.push_str(". It holds.");
        } else {
            let _ = write!(text, ". It does not hold: {}.", complaints.join(", and "));
        }
        text
    }

    fn json(&self) -> Value {
        let samples = self.samples.iter().map(|sample| {
            json!({
                "seconds": sample.seconds,
                "cpu_seconds": sample.cpu,
                "memory_kib": sample.memory,
            })
        });
        json!({
            "wasmedge": self.wasmedge, "requests": self.requests, "answered": self.answered,
            "failed": self.failed, "reasons": self.reasons,
            "samples": samples.collect::<Vec<_>>(), "complaints": self.complaints(),
        })
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
    let page = repo.root.join("docs/benchmarks.md");
    let old =
        fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    fs::write(&page, between(&old, "soak", &text)?)
        .with_context(|| format!("cannot write {}", page.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A load that went well: 1000 requests a second, 1 ms of processor time each.
    fn good() -> Soak {
        let sample = |at: u32| Sample {
            seconds: f64::from(at) * 100.0,
            cpu: f64::from(at) * 100.0,
            memory: 50_000.0,
        };
        Soak {
            wasmedge: "0.17.1".to_owned(),
            requests: 1_000_000,
            answered: 1_000_000,
            failed: 0,
            reasons: Vec::new(),
            samples: (0..=10).map(sample).collect(),
        }
    }

    /// The only complaint.
    fn complaint(soak: &Soak) -> String {
        let complaints = soak.complaints();
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(soak.line().contains("It does not hold: "));
        complaints[0].clone()
    }

    #[test]
    fn what_stays_as_it_is_holds() {
        let soak = good();
        assert_eq!(soak.complaints(), Vec::<String>::new());
        assert_eq!(
            soak.line(),
            "WasmEdge 0.17.1: 1 million requests, 0 failed; memory 48.83 MiB after a tenth and \
             48.83 at the end; 1000 requests/s at the start and 1000 at the end, with 1000 \
             and 1000 µs of processor time for each. It holds."
        );
    }

    #[test]
    fn one_failed_request_is_too_many() {
        let mut soak = good();
        (soak.answered, soak.failed) = (999_999, 1);
        soak.reasons.push("connection reset".to_owned());
        let said = complaint(&soak);
        assert!(said.ends_with("1 failed: connection reset"), "{said}");
    }

    #[test]
    fn memory_may_move_but_not_grow() {
        let mut soak = good();
        // What the start and the first tenth take is not growth.
        soak.samples[0].memory = 20_000.0;
        soak.samples[10].memory += NOISE;
        assert!(soak.complaints().is_empty());
        soak.samples[10].memory += 1.0;
        let said = complaint(&soak);
        assert!(said.starts_with("memory grew by 2049 KiB"), "{said}");
    }

    #[test]
    fn the_end_is_as_fast_as_the_start() {
        let mut soak = good();
        // The first may be slow, and one of the last.
        soak.samples[0].seconds = -1000.0;
        soak.samples[10].seconds += 1000.0;
        assert!(soak.complaints().is_empty());
        // So may two be, a little.
        for late in [9, 10] {
            soak.samples[late].seconds += 100.0 / 9.0;
        }
        assert!(soak.complaints().is_empty());
        for late in [9, 10] {
            soak.samples[late].seconds += 1.0;
        }
        let said = complaint(&soak);
        assert!(
            said.starts_with("the rate fell from 1000 at the start to 892"),
            "{said}"
        );
    }

    #[test]
    fn a_server_that_ended_is_not_judged_further() {
        let mut soak = good();
        soak.samples.truncate(4);
        (soak.answered, soak.failed) = (350_000, 1000);
        let complaints = soak.complaints();
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        assert!(complaints[1].contains("too early"));
        assert_eq!(soak.table().lines().count(), 5);
    }
}
