//! One measurement in one place.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tests_integration::guard::Guard;

use super::place::Place;
use super::processor::OneProcessor;

/// What is measured in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// A server under the load of `load`.
    Serve {
        /// Word of `work` that names the server.
        server: &'static str,
        /// Word of `load` that names the load.
        load: &'static str,
        active: usize,
        idle: usize,
        /// Bytes of a message.
        size: usize,
    },
    /// A server under the load of wrk.
    Wrk { active: usize },
    /// Something that ends by itself and tells how long it took.
    Timed(&'static str),
    /// A client that writes twice and then reads.
    WriteWriteRead,
    /// System calls of the HTTP server, under strace.
    Calls,
    /// From the start of the HTTP server to its first answer; beside it, how long
    /// WasmEdge takes to start, do nothing and end.
    Start,
    /// The HTTP server with idle connections.
    Idle { connections: usize },
    /// The server of mini-redis under the load of redis-benchmark.
    Redis { pipeline: usize },
    /// One connection that moves much, to the server or from it.
    Bulk { up: bool },
}

/// Values that a measurement gives. Names are those that rows refer to.
pub type Values = BTreeMap<&'static str, f64>;

impl Work {
    /// What it is called while it is measured.
    pub fn name(self) -> String {
        match self {
            Work::Serve {
                load,
                active,
                idle,
                size,
                ..
            } => format!("{load} {size} B, {active} active, {idle} idle"),
            Work::Wrk { active } => format!("wrk, {active} active"),
            Work::Timed(work) => work.to_owned(),
            Work::WriteWriteRead => "write-write-read".to_owned(),
            Work::Calls => "system calls".to_owned(),
            Work::Start => "start".to_owned(),
            Work::Idle { connections } => format!("{connections} idle connections"),
            Work::Redis { pipeline } => format!("redis-benchmark -P {pipeline}"),
            Work::Bulk { up: true } => "bulk up".to_owned(),
            Work::Bulk { up: false } => "bulk down".to_owned(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Bench {
    /// How long a server is kept busy.
    pub seconds: f64,
    /// How many bytes a bulk transfer moves.
    pub bulk: u64,
}

/// So many requests of redis-benchmark for each second that others are kept busy.
const OPERATIONS_PER_SECOND: f64 = 20_000.0;

/// How long nobody speaks before a server counts as idle. Under WasmEdge the last
/// sweeps go on for a moment: with 10 000 connections they took 0.2 s of processor
/// time, over 1.6 s on a busy machine, and nothing after that.
const SETTLED: Duration = Duration::from_secs(4);

/// How long a program that ends by itself may take.
const LONGEST: Duration = Duration::from_secs(300);

/// Nobody is that much slower than native when compiled; interpreted everybody is.
const COMPILED: f64 = 12.0;

/// Refuses to measure a program that is interpreted: a loop that only
/// computes tells.
pub fn check_speed(places: &[Place]) -> Result<()> {
    let mut native = f64::NAN;
    for place in places {
        let mut fastest = f64::INFINITY;
        for _ in 0..3 {
            fastest = fastest.min(timed(place, "compute")?);
        }
        if place.is_native() {
            native = fastest;
        }
        ensure!(
            fastest < COMPILED * native,
            "{place} computes {:.0} times slower than native: the program is interpreted \
             there, and comparing it says nothing",
            fastest / native
        );
    }
    Ok(())
}

impl Bench {
    pub fn measure(&self, work: &Work, place: &Place) -> Result<Values> {
        check_open_files(work.connections())?;
        match *work {
            Work::Serve {
                server,
                load,
                active,
                idle,
                size,
            } => self.serve(place, server, load, [active, idle, size]),
            Work::Wrk { active } => self.wrk(place, active),
            Work::Timed(work) => Ok(Values::from([("time", timed(place, work)?)])),
            Work::WriteWriteRead => {
                let _one = OneProcessor::take()?;
                let mut peer = place.start_native(&["pairs"])?;
                let address = peer.address()?.to_string();
                let ended = place
                    .start(&["write-write-read", &address])?
                    .wait(LONGEST)?
                    .successful()?;
                Ok(Values::from([("time", ended.stdout.trim().parse()?)]))
            }
            Work::Calls => self.calls(place),
            Work::Start => self.start(place),
            Work::Idle { connections } => self.idle(place, connections),
            Work::Redis { pipeline } => self.redis(place, pipeline),
            Work::Bulk { up } => self.bulk(place, up),
        }
    }

    fn load(&self, place: &Place, what: &str, address: SocketAddr, words: [usize; 3]) -> Command {
        let [active, idle, size] = words.map(|word| word.to_string());
        let mut command = Command::new(place.load());
        command
            .args([what, &address.to_string(), &active, &idle])
            .args([&self.seconds.to_string(), &size]);
        command
    }

    fn serve(&self, place: &Place, server: &str, what: &str, words: [usize; 3]) -> Result<Values> {
        let mut server = place.start(&[server])?;
        let address = server.address()?;
        let mut load = Guard::start(self.load(place, what, address, words))?;
        load.expect_within(LONGEST, "start")?;
        let before = cpu(&server)?;
        load.expect_within(LONGEST, "end")?;
        let used = cpu(&server)? - before;
        let memory = memory(&server)?;
        let load: Value = serde_json::from_str(&load.line("{")?)?;
        let number = |value: &Value| value.as_f64().context("no number from the load program");
        let requests = number(&load["requests"])?;
        ensure!(requests > 0.0, "no request was answered");
        Ok(Values::from([
            ("cpu", used / requests),
            ("rate", requests / number(&load["seconds"])?),
            ("open", number(&load["open_us"])?),
            ("p50", number(&load["hot_us"][0])?),
            ("p90", number(&load["hot_us"][1])?),
            ("p99", number(&load["hot_us"][2])?),
            ("p99.9", number(&load["hot_us"][3])?),
            ("cold", number(&load["cold_us"][4])? / 1000.0),
            ("memory", memory),
        ]))
    }

    fn wrk(&self, place: &Place, active: usize) -> Result<Values> {
        let mut server = place.start(&["http"])?;
        let url = format!("http://{}/", server.address()?);
        let run = |seconds: f64| -> Result<String> {
            let output = Command::new("wrk")
                .args(["-t1", "-c", &active.to_string()])
                .args(["-d", &format!("{}s", seconds.ceil()), &url])
                .output()
                .context("cannot start wrk; ci/install-tools.sh installs it")?;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            ensure!(output.status.success(), "wrk failed: {said}");
            ensure!(!said.contains("Socket errors"), "wrk met errors: {said}");
            Ok(said)
        };
        let before = cpu(&server)?;
        let said = run(self.seconds)?;
        let used = cpu(&server)? - before;
        let word = |after: &str, n: usize| -> Option<f64> {
            let line = said.lines().find(|line| line.contains(after))?;
            line.split_whitespace().nth(n)?.parse().ok()
        };
        let requests = word("requests in", 0).context("wrk names no number of requests")?;
        let rate = word("Requests/sec:", 1).context("wrk names no rate")?;
        Ok(Values::from([("cpu", used / requests), ("rate", rate)]))
    }

    /// A fixed number of operations: redis-benchmark knows no other end.
    fn redis(&self, place: &Place, pipeline: usize) -> Result<Values> {
        let mut server = place.start(&["redis"])?;
        let port = server.address()?.port().to_string();
        let requests = (OPERATIONS_PER_SECOND * self.seconds).ceil();
        let mut command = Command::new("redis-benchmark");
        command
            .args(["-p", &port, "-t", "set,get", "-c", "50", "--csv", "-e"])
            .args(["-n", &requests.to_string(), "-P", &pipeline.to_string()]);
        let before = cpu(&server)?;
        let mut benchmark =
            Guard::start(command).context("ci/install-tools.sh installs redis-benchmark")?;
        benchmark.close_stdin();
        let said = benchmark.wait(LONGEST)?.successful()?.stdout;
        let used = cpu(&server)? - before;
        check_redis(&said)?;
        Ok(Values::from([("cpu", used / (2.0 * requests))]))
    }

    fn bulk(&self, place: &Place, up: bool) -> Result<Values> {
        let mut server = place.start(&["bulk"])?;
        let address = server.address()?.to_string();
        // One takes half a second, in which the machine may do anything: the one in the
        // middle of three counts.
        let mut seconds = Vec::new();
        for _ in 0..3 {
            let mut load = Command::new(place.load());
            load.args([if up { "up" } else { "down" }, &address])
                .arg(self.bulk.to_string());
            let ended = Guard::run(load, LONGEST)?.successful()?;
            seconds.push(ended.stdout.trim().parse::<f64>()?);
        }
        seconds.sort_by(f64::total_cmp);
        Ok(Values::from([("bulk", self.bulk as f64 / seconds[1])]))
    }

    fn calls(&self, place: &Place) -> Result<Values> {
        let mut server = place.start(&["http"])?;
        let address = server.address()?;
        let mut load = Guard::start(self.load(place, "http", address, [50, 0, 0]))?;
        load.expect_within(LONGEST, "start")?;
        let counts = tempfile::NamedTempFile::new()?;
        let mut strace = Command::new("strace");
        strace
            .args(["-c", "-f", "-qq", "-o"])
            .arg(counts.path())
            .args(["-p", &server.id().to_string()]);
        let mut strace = Guard::start(strace).context("ci/install-tools.sh installs strace")?;
        load.expect_within(LONGEST, "end")?;
        strace.signal(tests_integration::guard::Signal::INT)?;
        strace.wait(Duration::from_secs(20))?;
        let load: Value = serde_json::from_str(&load.line("{")?)?;
        let requests = load["requests"].as_f64().unwrap_or_default();
        let text = fs::read_to_string(counts.path())?;
        let mut all = 0.0;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Share, seconds, microseconds per call, calls, perhaps errors, name.
            if let [share, _, _, calls, .., name] = words[..]
                && share.parse::<f64>().is_ok()
                && name != "total"
            {
                all += calls.parse::<f64>().unwrap_or_default();
            }
        }
        ensure!(
            all > 0.0 && requests > 0.0,
            "strace counted nothing: {text}"
        );
        Ok(Values::from([("calls", all / requests)]))
    }

    fn start(&self, place: &Place) -> Result<Values> {
        let mut fastest = f64::INFINITY;
        for _ in 0..3 {
            let start = Instant::now();
            let mut server = place.start(&["http"])?;
            let address = server.address()?;
            let mut stream = tests_integration::connect(address)?;
            use std::io::{Read as _, Write as _};
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer)?;
            ensure!(answer.starts_with(b"HTTP/1.1 200"), "no answer");
            fastest = fastest.min(start.elapsed().as_secs_f64() * 1000.0);
        }
        let mut values = Values::from([("start", fastest)]);
        if let Some((wasmedge, _)) = &place.wasmedge {
            values.insert("alone", alone(wasmedge)?);
        }
        Ok(values)
    }

    fn idle(&self, place: &Place, connections: usize) -> Result<Values> {
        let mut server = place.start(&["http"])?;
        let address = server.address()?;
        let empty = memory(&server)?;
        let mut load = Guard::start(self.load(place, "http", address, [0, connections, 0]))?;
        load.expect_within(LONGEST, "start")?;
        // The load program lets one of them speak now and then: stopped, it
        // keeps them open and is silent.
        load.signal(tests_integration::guard::Signal::STOP)?;
        std::thread::sleep(SETTLED);
        let (before, start) = (cpu(&server)?, Instant::now());
        std::thread::sleep(Duration::from_millis(1500));
        let used = (cpu(&server)? - before) / start.elapsed().as_secs_f64();
        let all = memory(&server)?;
        let per_connection = (all - empty) / connections.max(1) as f64;
        Ok(Values::from([
            ("percent", used * 100.0),
            ("memory", per_connection * 1024.0),
            ("all memory", all / 1024.0),
        ]))
    }
}

impl Work {
    /// How many connections are open at once.
    fn connections(self) -> usize {
        match self {
            Work::Serve { active, idle, .. } => active + idle,
            Work::Wrk { active } => active,
            Work::Idle { connections } => connections,
            _ => 0,
        }
    }
}

/// What server and load program have open beside their connections; plenty.
const OTHER_FILES: u64 = 100;

/// Server and load program each need a descriptor for a connection.
fn check_open_files(connections: usize) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    enough_open_files(&limits, connections as u64 + OTHER_FILES)
}

fn enough_open_files(limits: &str, needed: u64) -> Result<()> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .context("the system does not tell how many files may be open")?;
    // A word is a number or `unlimited`.
    let mut words = line
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(u64::MAX));
    let (Some(soft), Some(hard)) = (words.next(), words.next()) else {
        bail!("the system does not tell how many files may be open");
    };
    let mend = if needed <= hard {
        format!("ulimit -n {needed}")
    } else {
        format!("sudo prlimit --pid $$ --nofile={needed}:{needed}")
    };
    ensure!(
        needed <= soft,
        "a program may have only {soft} files open, and {needed} are needed; \
         in the shell that starts this: {mend}"
    );
    Ok(())
}

/// redis-benchmark succeeds whatever the server answers, but says so.
fn check_redis(said: &str) -> Result<()> {
    for test in ["\"SET\",", "\"GET\","] {
        ensure!(
            said.lines().any(|line| line.starts_with(test)),
            "redis-benchmark gives no figure for {test} {said}"
        );
    }
    ensure!(
        !said.contains("Error"),
        "redis-benchmark met errors: {said}"
    );
    Ok(())
}

/// How long WasmEdge takes to start, do nothing and end, in milliseconds.
fn alone(wasmedge: &Path) -> Result<f64> {
    let mut fastest = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        let mut command = Command::new(wasmedge);
        command.arg("--version");
        Guard::run(command, LONGEST)?.successful()?;
        fastest = fastest.min(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(fastest)
}

fn timed(place: &Place, work: &str) -> Result<f64> {
    let ended = place.start(&[work])?.wait(LONGEST)?.successful()?;
    Ok(ended.stdout.trim().parse()?)
}

/// The processor time that a program has used, in seconds, as the scheduler
/// counts it.
pub(super) fn cpu(guard: &Guard) -> Result<f64> {
    let mut nanos = 0u64;
    for task in fs::read_dir(format!("/proc/{}/task", guard.id()))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let word = text.split_whitespace().next().unwrap_or_default();
        nanos += word.parse::<u64>().context("no time in schedstat")?;
    }
    Ok(nanos as f64 / 1e9)
}

/// Memory in use, in KiB.
pub(super) fn memory(guard: &Guard) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{}/status", guard.id()))?;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("VmRSS:") {
            let word = rest.split_whitespace().next().unwrap_or_default();
            return Ok(word.parse()?);
        }
    }
    bail!("the system does not tell the memory in use")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_comes_with_what_mends_it() {
        let limits = |soft: &str, hard: &str| {
            format!(
                "Limit                     Soft Limit  Hard Limit  Units\n\
                 Max processes             10          10          processes\n\
                 Max open files            {soft}      {hard}      files\n"
            )
        };
        let said = |soft, hard| {
            enough_open_files(&limits(soft, hard), 10_150)
                .err()
                .map(|error| error.to_string())
        };
        assert_eq!(said("20000", "20000"), None);
        assert_eq!(said("unlimited", "unlimited"), None);
        let soft = said("1024", "unlimited").unwrap();
        assert!(soft.contains("only 1024 files") && soft.ends_with(": ulimit -n 10150"));
        let hard = said("1024", "4096").unwrap();
        assert!(hard.ends_with(": sudo prlimit --pid $$ --nofile=10150:10150"));
        assert!(enough_open_files("", 1).is_err());
    }

    #[test]
    fn ten_thousand_connections_need_as_many_files() {
        let work = Work::Idle {
            connections: 10_000,
        };
        assert_eq!(work.connections(), 10_000);
        assert_eq!(Work::Start.connections(), 0);
    }

    #[test]
    fn errors_that_redis_benchmark_meets_are_seen() {
        let good = "\"test\",\"rps\"\n\"SET\",\"1000.00\"\n\"GET\",\"1000.00\"\n";
        assert!(check_redis(good).is_ok());
        assert!(check_redis("\"SET\",\"1000.00\"\n").is_err());
        assert!(check_redis(&format!("Error from server: ERR\n{good}")).is_err());
    }
}
