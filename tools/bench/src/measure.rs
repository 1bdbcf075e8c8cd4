//! One measurement in one place.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests_integration::guard::Guard;

use crate::open_files;
use crate::place::Place;
use crate::process::{cpu, memory};
use crate::processor::OneProcessor;
use crate::work::{Direction, Load, Quantity, Server, Timed, Values, Work};
use crate::wrk;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bench {
    /// How long a server is kept busy.
    pub(crate) seconds: f64,
    /// How many bytes a bulk transfer moves.
    pub(crate) bulk: u64,
}

/// So many requests of redis-benchmark for each second that others are kept busy.
const OPERATIONS_PER_SECOND: f64 = 20_000.0;

/// How many of them `work random` draws.
const RANDOM_NUMBERS: f64 = 1_000_000.0;

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
pub(crate) fn check_speed(places: &[Place]) -> Result<()> {
    let mut native = f64::NAN;
    for place in places {
        let mut fastest = f64::INFINITY;
        for _ in 0..3 {
            fastest = fastest.min(timed(place, Timed::Compute)?);
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
    /// Measures `work` in a place, once.
    ///
    /// # Errors
    /// When a program cannot be started or fails, or the system does not tell what is asked.
    pub(crate) fn measure(&self, work: &Work, place: &Place) -> Result<Values> {
        open_files::check(work.connections())?;
        match *work {
            Work::Serve {
                server,
                load,
                active,
                idle,
                size,
                beside,
            } => {
                let busy = (0..beside).map(|_| place.start_native(&["busy"]));
                let _busy = busy.collect::<Result<Vec<_>>>()?;
                self.serve(place, server, load, [active, idle, size])
            }
            Work::Wrk { active } => self.wrk(place, active),
            Work::Timed(work) => Ok(Values::from([(Quantity::Time, timed(place, work)?)])),
            Work::Random => {
                let ended = place.start(&["random"])?.wait(LONGEST)?.successful()?;
                let draw = ended.stdout.trim().parse::<f64>()? / RANDOM_NUMBERS;
                Ok(Values::from([(Quantity::Draw, draw)]))
            }
            Work::WriteWriteRead => {
                let _one = OneProcessor::take()?;
                let mut peer = place.start_native(&["pairs"])?;
                let address = peer.address()?.to_string();
                let ended = place
                    .start(&["write-write-read", &address])?
                    .wait(LONGEST)?
                    .successful()?;
                Ok(Values::from([(
                    Quantity::Time,
                    ended.stdout.trim().parse()?,
                )]))
            }
            Work::Calls => self.calls(place),
            Work::Start => self.start(place),
            Work::Idle { connections } => self.idle(place, connections),
            Work::Redis { pipeline } => self.redis(place, pipeline),
            Work::Bulk(direction) => self.bulk(place, direction),
        }
    }

    fn load(&self, place: &Place, what: Load, address: SocketAddr, words: [usize; 3]) -> Command {
        let [active, idle, size] = words.map(|word| word.to_string());
        let mut command = Command::new(place.load());
        command
            .args([what.word(), &address.to_string(), &active, &idle])
            .args([&self.seconds.to_string(), &size]);
        command
    }

    fn serve(
        &self,
        place: &Place,
        server: Server,
        what: Load,
        words: [usize; 3],
    ) -> Result<Values> {
        let mut server = place.start(&[server.word()])?;
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
            (Quantity::Cpu, used / requests),
            (Quantity::Rate, requests / number(&load["seconds"])?),
            (Quantity::Open, number(&load["open_us"])?),
            (Quantity::P50, number(&load["hot_us"][0])?),
            (Quantity::P90, number(&load["hot_us"][1])?),
            (Quantity::P99, number(&load["hot_us"][2])?),
            (Quantity::P999, number(&load["hot_us"][3])?),
            (Quantity::ColdMedian, number(&load["cold_us"][0])? / 1000.0),
            (Quantity::Cold, number(&load["cold_us"][4])? / 1000.0),
            (Quantity::Memory, memory),
        ]))
    }

    fn wrk(&self, place: &Place, active: usize) -> Result<Values> {
        let mut server = place.start(&["http"])?;
        let address = server.address()?;
        let before = cpu(&server)?;
        let asked = wrk::ask(address, "/", active, self.seconds)?;
        let used = cpu(&server)? - before;
        Ok(Values::from([
            (Quantity::Cpu, used / asked.requests),
            (Quantity::Rate, asked.rate),
        ]))
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
        Ok(Values::from([(Quantity::Cpu, used / (2.0 * requests))]))
    }

    fn bulk(&self, place: &Place, direction: Direction) -> Result<Values> {
        let mut server = place.start(&["bulk"])?;
        let address = server.address()?.to_string();
        // One takes half a second, in which the machine may do anything: the one in the
        // middle of three counts.
        let mut seconds = Vec::new();
        for _ in 0..3 {
            let mut load = Command::new(place.load());
            load.args([direction.word(), &address])
                .arg(self.bulk.to_string());
            let ended = Guard::run(load, LONGEST)?.successful()?;
            seconds.push(ended.stdout.trim().parse::<f64>()?);
        }
        seconds.sort_by(f64::total_cmp);
        Ok(Values::from([(
            Quantity::Bulk,
            self.bulk as f64 / seconds[1],
        )]))
    }

    fn calls(&self, place: &Place) -> Result<Values> {
        let mut server = place.start(&["http"])?;
        let address = server.address()?;
        let mut load = Guard::start(self.load(place, Load::Http, address, [50, 0, 0]))?;
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
        Ok(Values::from([(Quantity::Calls, all / requests)]))
    }

    fn start(&self, place: &Place) -> Result<Values> {
        let mut fastest = f64::INFINITY;
        for _ in 0..3 {
            let start = Instant::now();
            let mut server = place.start(&["http"])?;
            let address = server.address()?;
            let mut stream = tests_integration::connect(address)?;
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer)?;
            ensure!(answer.starts_with(b"HTTP/1.1 200"), "no answer");
            fastest = fastest.min(start.elapsed().as_secs_f64() * 1000.0);
        }
        let mut values = Values::from([(Quantity::Start, fastest)]);
        if let Some((wasmedge, _)) = &place.wasmedge {
            let alone = alone(wasmedge)?;
            values.insert(Quantity::Alone, alone);
            values.insert(Quantity::Beyond, fastest - alone);
        }
        Ok(values)
    }

    fn idle(&self, place: &Place, connections: usize) -> Result<Values> {
        let mut server = place.start(&["http"])?;
        let address = server.address()?;
        let empty = memory(&server)?;
        let mut load = Guard::start(self.load(place, Load::Http, address, [0, connections, 0]))?;
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
            (Quantity::Percent, used * 100.0),
            (Quantity::Memory, per_connection * 1024.0),
            (Quantity::AllMemory, all / 1024.0),
        ]))
    }
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

fn timed(place: &Place, work: Timed) -> Result<f64> {
    let ended = place.start(&[work.word()])?.wait(LONGEST)?.successful()?;
    Ok(ended.stdout.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_redis_benchmark_meets_are_seen() {
        let good = "\"test\",\"rps\"\n\"SET\",\"1000.00\"\n\"GET\",\"1000.00\"\n";
        assert!(check_redis(good).is_ok());
        assert!(check_redis("\"SET\",\"1000.00\"\n").is_err());
        assert!(check_redis(&format!("Error from server: ERR\n{good}")).is_err());
    }
}
