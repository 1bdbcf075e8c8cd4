//! `docs/benchmarks.md` and what is beside it.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use tools_common::Repo;

use crate::plot;
use crate::results::Results;
use crate::work::{Load, Quantity, Server, Work};

/// Keeps the results in `docs`: as JSON, as plots, and in the page.
///
/// # Errors
/// When a file cannot be written, or the page lacks a mark.
pub(crate) fn write(repo: &Repo, results: &Results, json: &str) -> Result<()> {
    let folder = repo.root.join("docs/benchmarks");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    };
    write("results.json", &format!("{json}\n"))?;
    write("cpu-by-idle.svg", &cpu_by_idle(results))?;
    write("latency.svg", &latency(results))?;

    let (rounds, seconds) = (results.rounds, results.seconds);
    let machine = format!("{rounds} rounds of {seconds} s; {}.\n", machine());
    replace(repo, &[("results", &table(results)), ("machine", &machine)])
}

/// Puts texts between the marks of `docs/benchmarks.md` that have these names.
///
/// # Errors
/// When the page cannot be read or written, or lacks a mark.
pub(crate) fn replace(repo: &Repo, texts: &[(&str, &str)]) -> Result<()> {
    let page = repo.root.join("docs/benchmarks.md");
    let mut text =
        fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    for (mark, new) in texts {
        text = between(&text, mark, new)?;
    }
    fs::write(&page, text).with_context(|| format!("cannot write {}", page.display()))
}

fn table(results: &Results) -> String {
    let mut table = String::new();
    let header = results.header();
    let _ = writeln!(table, "| {} |", header.join(" | "));
    let _ = writeln!(table, "|{}", "---|".repeat(header.len()));
    for row in &results.rows {
        let _ = writeln!(table, "| {} |", results.cells(row).join(" | "));
    }
    table
}

fn cpu_by_idle(results: &Results) -> String {
    let lines = lines(results, |place| {
        let points = [0, 1000, 4000, 10_000].iter().filter_map(|&count| {
            let micros = results.median(http(count), Quantity::Cpu, place)? * 1e6;
            Some((count as f64, micros))
        });
        points.collect()
    });
    let title = "CPU per request, 50 active connections";
    plot::svg(title, "idle connections", "µs", &lines)
}

fn latency(results: &Results) -> String {
    let percentiles = [
        (Quantity::P50, 50.0),
        (Quantity::P90, 90.0),
        (Quantity::P99, 99.0),
        (Quantity::P999, 99.9),
    ];
    let lines = lines(results, |place| {
        let points = percentiles.iter().filter_map(|&(value, percentile)| {
            let millis = results.median(http(1000), value, place)? / 1000.0;
            // So that the tail has room: 90, 99 and 99.9 are as far apart.
            Some((-(100.0f64 - percentile).log10() + 2.0, millis))
        });
        points.collect()
    });
    let title = "Latency, 50 active and 1000 idle connections";
    plot::svg(title, "percentile: 50, 90, 99, 99.9", "ms", &lines)
}

/// The HTTP server with 50 active connections and so many idle ones.
fn http(idle: usize) -> Work {
    Work::Serve {
        server: Server::Http,
        load: Load::Http,
        active: 50,
        idle,
        size: 0,
        beside: 0,
    }
}

/// A line of a plot for every place.
fn lines(results: &Results, points: impl Fn(&str) -> Vec<(f64, f64)>) -> Vec<plot::Line> {
    let line = |place: &String| plot::Line {
        name: match place.as_str() {
            "native" => place.clone(),
            version => format!("WasmEdge {version}"),
        },
        points: points(place),
    };
    results.places.iter().map(line).collect()
}

/// What measures.
pub(crate) fn machine() -> String {
    let file = |name: &str| fs::read_to_string(name).unwrap_or_default();
    let cpus = file("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let count = cpus
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let kernel = file("/proc/sys/kernel/osrelease");
    let load = file("/proc/loadavg");
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    });
    format!(
        "{count} × {model}, Linux {}, load at the end {}; native by {rustc}",
        kernel.trim(),
        load.split_whitespace().next().unwrap_or_default(),
    )
}

/// Puts `new` between the marks of that name.
fn between(text: &str, mark: &str, new: &str) -> Result<String> {
    let (begin, end) = (
        format!("<!-- {mark} -->\n"),
        format!("<!-- end of {mark} -->"),
    );
    let (before, rest) = text
        .split_once(&begin)
        .with_context(|| format!("no mark {mark}"))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("no end of {mark}"))?;
    Ok(format!("{before}{begin}{new}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_what_is_outside_of_the_marks() {
        let page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
        let expected = "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n";
        assert_eq!(between(page, "x", "new\n").unwrap(), expected);
        assert!(between(page, "y", "new\n").is_err());
    }
}
