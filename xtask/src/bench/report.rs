//! What is compared, and what came of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::measure::{Values, Work};
use super::place::Place;
use super::plot;
use crate::repo::Repo;

/// How a row's figure comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// The value divided by native's of the same round.
    Ratio,
    /// Native's value divided by this one: for rates, of which more is better.
    Inverse,
    /// The value itself.
    Value,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: &'static str,
    pub work: Work,
    /// Which of the measurement's values.
    pub value: &'static str,
    pub figure: Figure,
    /// The figure may not be larger than this, to hold.
    pub reach: Option<f64>,
    /// The same, further ahead.
    pub stretch: Option<f64>,
}

/// Everything that is measured, with its targets.
pub fn rows() -> Vec<Row> {
    use Figure::{Inverse, Ratio, Value};
    let row = |name, work, value, figure, reach, stretch| Row {
        name,
        work,
        value,
        figure,
        reach,
        stretch,
    };
    let serve = |server, load, active, idle, size| Work::Serve {
        server,
        load,
        active,
        idle,
        size,
    };
    let http = |idle| serve("http", "http", 50, idle, 0);
    let echo = |size| serve("echo", "echo", 50, 0, size);
    let wrk = |active| Work::Wrk { active };
    let some = Some;
    let mut rows = vec![
        row(
            "hyper, 50 active: CPU per request",
            wrk(50),
            "cpu",
            Ratio,
            some(1.3),
            some(1.15),
        ),
        row(
            "hyper, 50 active: native rate / rate",
            wrk(50),
            "rate",
            Inverse,
            some(1.0 / 0.75),
            some(1.0 / 0.9),
        ),
        row(
            "hyper, 200 active: CPU per request",
            wrk(200),
            "cpu",
            Ratio,
            some(1.3),
            some(1.15),
        ),
        row(
            "hyper, 200 active: native rate / rate",
            wrk(200),
            "rate",
            Inverse,
            some(1.0 / 0.75),
            some(1.0 / 0.9),
        ),
        row(
            "hyper, 50 active, 0 idle: CPU per request",
            http(0),
            "cpu",
            Ratio,
            None,
            None,
        ),
    ];
    for (idle, names, reach, stretch) in [
        (1000, IDLE_1000, 1.5, 1.25),
        (4000, IDLE_4000, 1.6, 1.3),
        (10_000, IDLE_10_000, 1.8, 1.4),
    ] {
        let [cpu, cold, open] = names;
        let at_4000 = idle == 4000;
        rows.push(row(
            cpu,
            http(idle),
            "cpu",
            Ratio,
            some(reach),
            some(stretch),
        ));
        rows.push(row(
            cold,
            http(idle),
            "cold",
            Value,
            at_4000.then_some(25.0),
            at_4000.then_some(10.0),
        ));
        rows.push(row(
            open,
            http(idle),
            "open",
            Ratio,
            at_4000.then_some(3.0),
            at_4000.then_some(1.5),
        ));
    }
    rows.extend([
        row(
            "echo of 64 B, 50 active: CPU per message",
            echo(64),
            "cpu",
            Ratio,
            some(1.5),
            some(1.2),
        ),
        row(
            "echo of 16 KiB, 50 active: CPU per message",
            echo(16 * 1024),
            "cpu",
            Ratio,
            some(1.3),
            some(1.1),
        ),
        row(
            "a new connection per request: CPU",
            serve("http", "new", 50, 0, 0),
            "cpu",
            Ratio,
            some(1.4),
            some(1.2),
        ),
        row(
            "mini-redis, redis-benchmark -P 1: CPU per operation",
            Work::Redis { pipeline: 1 },
            "cpu",
            Ratio,
            some(1.2),
            some(1.05),
        ),
        row(
            "mini-redis, redis-benchmark -P 16: CPU per operation",
            Work::Redis { pipeline: 16 },
            "cpu",
            Ratio,
            some(1.5),
            some(1.25),
        ),
        row(
            "one connection, bulk up: native rate / rate",
            Work::Bulk { up: true },
            "bulk",
            Inverse,
            some(1.0 / 0.95),
            some(1.0),
        ),
        row(
            "one connection, bulk down: native rate / rate",
            Work::Bulk { up: false },
            "bulk",
            Inverse,
            some(1.0 / 0.95),
            some(1.0),
        ),
        row(
            "yield_now, 1 000 000 times: time",
            Work::Timed("yield"),
            "time",
            Ratio,
            some(1.3),
            some(1.0),
        ),
        row(
            "100 000 tasks spawned: time",
            Work::Timed("spawn"),
            "time",
            Ratio,
            some(1.3),
            some(1.0),
        ),
        row(
            "100 000 tasks that sleep: time",
            Work::Timed("sleep"),
            "time",
            Ratio,
            some(1.3),
            some(1.0),
        ),
        row(
            "1 000 000 messages over mpsc: time",
            Work::Timed("mpsc"),
            "time",
            Ratio,
            some(1.3),
            some(1.0),
        ),
        row(
            "200 000 rounds of ping-pong: time",
            Work::Timed("ping-pong"),
            "time",
            Ratio,
            some(1.3),
            some(1.0),
        ),
        row(
            "write, write, read: time",
            Work::WriteWriteRead,
            "time",
            Ratio,
            some(2.0),
            None,
        ),
        row(
            "system calls per request, 50 active",
            Work::Calls,
            "calls",
            Value,
            some(4.0),
            some(3.0),
        ),
        row(
            "start to first answer: ms",
            Work::Start,
            "start",
            Value,
            some(25.0),
            some(15.0),
        ),
        row(
            "… WasmEdge alone, which does nothing: ms",
            Work::Start,
            "alone",
            Value,
            None,
            None,
        ),
        row(
            "1000 idle connections: % of a CPU",
            Work::Idle { connections: 1000 },
            "percent",
            Value,
            some(0.5),
            some(0.5),
        ),
        row(
            "1000 idle connections: bytes each, in the process",
            Work::Idle { connections: 1000 },
            "memory",
            Value,
            None,
            None,
        ),
        row(
            "1000 idle connections: MiB of the whole process",
            Work::Idle { connections: 1000 },
            "all memory",
            Value,
            None,
            None,
        ),
        row(
            "10 000 idle connections: % of a CPU",
            Work::Idle {
                connections: 10_000,
            },
            "percent",
            Value,
            some(0.5),
            some(0.5),
        ),
    ]);
    rows
}

const IDLE_1000: [&str; 3] = [
    "hyper, 50 active, 1000 idle: CPU per request",
    "… longest delay of a cold connection: ms",
    "… time to open 1000 connections",
];
const IDLE_4000: [&str; 3] = [
    "hyper, 50 active, 4000 idle: CPU per request",
    "… longest delay of a cold connection, 4000 idle: ms",
    "… time to open 4000 connections",
];
const IDLE_10_000: [&str; 3] = [
    "hyper, 50 active, 10 000 idle: CPU per request",
    "… longest delay of a cold connection, 10 000 idle: ms",
    "… time to open 10 000 connections",
];

/// What was measured so far.
#[derive(Debug)]
pub struct Results {
    rows: Vec<Row>,
    /// Names of the places, native first.
    places: Vec<String>,
    rounds: usize,
    seconds: f64,
    /// By round, work and place.
    values: BTreeMap<(usize, Work, String), Values>,
    /// What could not be measured.
    pub left_out: Vec<String>,
}

/// Median, least and greatest.
type Spread = (f64, f64, f64);

impl Results {
    pub fn new(places: &[Place], rows: Vec<Row>, rounds: usize, seconds: f64) -> Results {
        Results {
            rows,
            places: places.iter().map(ToString::to_string).collect(),
            rounds,
            seconds,
            values: BTreeMap::new(),
            left_out: Vec::new(),
        }
    }

    /// What the rows need, each once.
    pub fn works(&self) -> Vec<Work> {
        let mut works = Vec::new();
        for row in &self.rows {
            if !works.contains(&row.work) {
                works.push(row.work);
            }
        }
        works
    }

    pub fn add(&mut self, round: usize, work: &Work, place: &Place, values: Values) {
        self.values
            .insert((round, *work, place.to_string()), values);
    }

    fn value(&self, round: usize, row: &Row, place: &str) -> Option<f64> {
        let values = self.values.get(&(round, row.work, place.to_owned()))?;
        values.get(row.value).copied()
    }

    /// The figures of a row in a place, one for each round that has one.
    fn spread(&self, row: &Row, place: &str) -> Option<Spread> {
        let native = &self.places[0];
        let figures = (0..self.rounds).filter_map(|round| {
            let value = self.value(round, row, place)?;
            Some(match row.figure {
                Figure::Value => value,
                Figure::Ratio => value / self.value(round, row, native)?,
                Figure::Inverse => self.value(round, row, native)? / value,
            })
        });
        spread(figures.collect())
    }

    fn header(&self) -> Vec<String> {
        let mut header = vec!["work".to_owned(), "native".to_owned()];
        header.extend(
            self.places[1..]
                .iter()
                .map(|place| format!("WasmEdge {place}")),
        );
        header.extend(["reach".to_owned(), "stretch".to_owned(), "holds".to_owned()]);
        header
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let native = &self.places[0];
        let values = (0..self.rounds).filter_map(|round| self.value(round, row, native));
        let mut cells = vec![
            row.name.to_owned(),
            spread(values.collect())
                .map_or("–".to_owned(), |(median, ..)| absolute(row.value, median)),
        ];
        let mut worst: Option<f64> = Some(0.0);
        for place in &self.places[1..] {
            let spread = self.spread(row, place);
            worst = worst
                .zip(spread)
                .map(|(worst, (median, ..))| worst.max(median));
            cells.push(spread.map_or("–".to_owned(), |(median, least, most)| {
                format!("{} ({}–{})", rounded(median), rounded(least), rounded(most))
            }));
        }
        let target = |target: Option<f64>| target.map_or(String::new(), rounded);
        cells.push(target(row.reach));
        cells.push(target(row.stretch));
        let within = |target: Option<f64>| Some(worst? <= target?);
        cells.push(
            match (within(row.stretch), within(row.reach)) {
                (Some(true), _) => "stretch",
                (_, Some(true)) => "reach",
                (_, Some(false)) => "no",
                _ => "",
            }
            .to_owned(),
        );
        cells
    }

    /// The table for people.
    pub fn table(&self) -> String {
        let lines: Vec<Vec<String>> = std::iter::once(self.header())
            .chain(self.rows.iter().map(|row| self.cells(row)))
            .collect();
        let columns = lines[0].len();
        let widths: Vec<usize> = (0..columns)
            .map(|column| lines.iter().map(|line| line[column].chars().count()).max())
            .map(Option::unwrap_or_default)
            .collect();
        let mut text = String::new();
        for line in &lines {
            for (cell, width) in line.iter().zip(&widths) {
                let _ = write!(text, "{cell:width$}  ");
            }
            text = text.trim_end().to_owned();
            text.push('\n');
        }
        for left_out in &self.left_out {
            let _ = writeln!(text, "not measured: {left_out}");
        }
        text
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let places: BTreeMap<&String, Value> = self
                    .places
                    .iter()
                    .map(|place| {
                        let rounds: Vec<_> = (0..self.rounds)
                            .map(|round| self.value(round, row, place))
                            .collect();
                        let figure = self.spread(row, place);
                        (place, json!({ "rounds": rounds, "figure": figure }))
                    })
                    .collect();
                json!({
                    "name": row.name, "value": row.value, "figure": format!("{:?}", row.figure),
                    "reach": row.reach, "stretch": row.stretch, "places": places,
                })
            })
            .collect();
        json!({
            "rounds": self.rounds, "seconds": self.seconds, "rows": rows,
            "left_out": self.left_out,
        })
    }

    /// The median of a value in a place, for the plots.
    fn median(&self, work: Work, value: &str, place: &str) -> Option<f64> {
        let values = (0..self.rounds).filter_map(|round| {
            let values = self.values.get(&(round, work, place.to_owned()))?;
            values.get(value).copied()
        });
        spread(values.collect()).map(|(median, ..)| median)
    }

    /// Keeps the results in `docs`.
    pub fn write_page(&self, repo: &Repo, json: &str) -> Result<()> {
        let folder = repo.root.join("docs/benchmarks");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
        };
        write("results.json", &format!("{json}\n"))?;

        let idle = |idle| Work::Serve {
            server: "http",
            load: "http",
            active: 50,
            idle,
            size: 0,
        };
        let lines = |points: &dyn Fn(&str) -> Vec<(f64, f64)>| -> Vec<plot::Line> {
            self.places
                .iter()
                .map(|place| plot::Line {
                    name: match place.as_str() {
                        "native" => place.clone(),
                        version => format!("WasmEdge {version}"),
                    },
                    points: points(place),
                })
                .collect()
        };
        let cpu = lines(&|place| {
            [0, 1000, 4000, 10_000]
                .iter()
                .filter_map(|&count| {
                    let micros = self.median(idle(count), "cpu", place)? * 1e6;
                    Some((count as f64, micros))
                })
                .collect()
        });
        write(
            "cpu-by-idle.svg",
            &plot::svg(
                "CPU per request, 50 active connections",
                "idle connections",
                "µs",
                &cpu,
            ),
        )?;
        let latency = lines(&|place| {
            ["p50", "p90", "p99", "p99.9"]
                .iter()
                .zip([50.0, 90.0, 99.0, 99.9])
                .filter_map(|(value, percentile)| {
                    let millis = self.median(idle(1000), value, place)? / 1000.0;
                    // So that the tail has room: 90, 99 and 99.9 are as far apart.
                    Some((-(100.0f64 - percentile).log10() + 2.0, millis))
                })
                .collect()
        });
        write(
            "latency.svg",
            &plot::svg(
                "Latency, 50 active and 1000 idle connections",
                "percentile: 50, 90, 99, 99.9",
                "ms",
                &latency,
            ),
        )?;

        let mut table = String::new();
        let header = self.header();
        let _ = writeln!(table, "| {} |", header.join(" | "));
        let _ = writeln!(table, "|{}", "---|".repeat(header.len()));
        for row in &self.rows {
            let _ = writeln!(table, "| {} |", self.cells(row).join(" | "));
        }
        let page = repo.root.join("docs/benchmarks.md");
        let text =
            fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let text = between(&text, "results", &table)?;
        let text = between(&text, "machine", &format!("{}\n", self.machine()))?;
        fs::write(&page, text).with_context(|| format!("cannot write {}", page.display()))
    }

    /// Where and how it was measured, in a sentence.
    fn machine(&self) -> String {
        let (rounds, seconds) = (self.rounds, self.seconds);
        format!("{rounds} rounds of {seconds} s; {}.", machine())
    }
}

/// What measures.
pub fn machine() -> String {
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
pub fn between(text: &str, mark: &str, new: &str) -> Result<String> {
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

fn spread(mut figures: Vec<f64>) -> Option<Spread> {
    figures.sort_unstable_by(f64::total_cmp);
    let (least, most) = (*figures.first()?, *figures.last()?);
    let middle = figures.len() / 2;
    let median = if figures.len() % 2 == 1 {
        figures[middle]
    } else {
        (figures[middle - 1] + figures[middle]) / 2.0
    };
    Some((median, least, most))
}

/// A value of native's with its unit.
fn absolute(value: &str, figure: f64) -> String {
    match value {
        "cpu" => format!("{} µs", rounded(figure * 1e6)),
        "time" => format!("{} ms", rounded(figure / 1e6)),
        "open" => format!("{} ms", rounded(figure / 1e3)),
        "rate" => format!("{}/s", rounded(figure)),
        "bulk" => format!("{} MB/s", rounded(figure / 1e6)),
        _ => rounded(figure),
    }
}

/// Three digits that say something.
pub fn rounded(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.01 => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_median_least_and_greatest() {
        assert_eq!(spread(vec![]), None);
        assert_eq!(spread(vec![3.0, 1.0, 2.0]), Some((2.0, 1.0, 3.0)));
        assert_eq!(spread(vec![4.0, 1.0]), Some((2.5, 1.0, 4.0)));
    }

    #[test]
    fn figures_have_three_digits() {
        let figures = [0.0, 0.000_012_34, 0.123_4, 1.234, 12.34, 1234.5].map(rounded);
        assert_eq!(figures, ["0", "1.2e-5", "0.12", "1.23", "12.3", "1234"]);
    }

    #[test]
    fn a_page_keeps_what_is_outside_of_the_marks() {
        let page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
        let expected = "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n";
        assert_eq!(between(page, "x", "new\n").unwrap(), expected);
        assert!(between(page, "y", "new\n").is_err());
    }

    #[test]
    fn every_row_has_a_name_of_its_own() {
        let rows = rows();
        for (at, row) in rows.iter().enumerate() {
            assert!(rows[..at].iter().all(|other| other.name != row.name));
        }
    }
}
