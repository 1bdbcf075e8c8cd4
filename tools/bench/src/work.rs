//! What is measured, and which quantities that gives.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What is measured in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Work {
    /// A server under the load of `load`.
    Serve {
        /// What it serves.
        server: Server,
        /// What it is asked.
        load: Load,
        /// Connections that ask again and again.
        active: usize,
        /// Connections that ask now and then.
        #[serde(default)]
        idle: usize,
        /// Bytes of a message.
        #[serde(default)]
        size: usize,
        /// Processes that do nothing but compute meanwhile.
        #[serde(default)]
        beside: usize,
    },
    /// The HTTP server under the load of wrk.
    Wrk {
        /// Connections.
        active: usize,
    },
    /// Something that ends by itself and tells how long it took.
    Timed(Timed),
    /// Random numbers, 16 bytes at a time.
    Random,
    /// A client that writes twice and then reads.
    WriteWriteRead,
    /// System calls of the HTTP server, under strace.
    Calls,
    /// From the start of the HTTP server to its first answer; beside it, how long
    /// WasmEdge takes to start, do nothing and end.
    Start,
    /// The HTTP server with idle connections.
    Idle {
        /// How many.
        connections: usize,
    },
    /// The server of mini-redis under the load of redis-benchmark.
    Redis {
        /// Requests that are sent before an answer is read.
        pipeline: usize,
    },
    /// One connection that moves much.
    Bulk(Direction),
}

/// A server of the program `work`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Server {
    /// Gives back what it gets.
    Echo,
    /// Says hello over HTTP.
    Http,
}

/// A client of the program `load`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    /// Sends messages that come back.
    Echo,
    /// Asks over HTTP.
    Http,
    /// Asks over HTTP, on a connection of its own for each request.
    New,
}

/// A loop of the program `work`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Timed {
    /// Computes, without the runtime.
    Compute,
    /// Yields to other tasks.
    Yield,
    /// Spawns tasks.
    Spawn,
    /// Spawns tasks that sleep.
    Sleep,
    /// Sends messages over a channel.
    Mpsc,
    /// Two tasks that answer each other.
    PingPong,
}

/// Which way a connection moves bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Direction {
    /// To the server.
    Up,
    /// From the server.
    Down,
}

/// A quantity that a measurement gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Quantity {
    /// Seconds of processor time for one request.
    Cpu,
    /// Requests per second.
    Rate,
    /// Microseconds to open the idle connections.
    Open,
    /// Latency of active connections in microseconds, the median.
    P50,
    /// The same, of nine out of ten.
    P90,
    /// The same, of 99 out of 100.
    P99,
    /// The same, of 999 out of 1000.
    #[serde(rename = "p99.9")]
    P999,
    /// The longest latency of an idle connection that asks, in milliseconds.
    Cold,
    /// The same, the median.
    #[serde(rename = "cold median")]
    ColdMedian,
    /// Memory in use: KiB of a loaded server, bytes for each idle connection.
    Memory,
    /// MiB of a server with idle connections.
    #[serde(rename = "all memory")]
    AllMemory,
    /// Percent of a processor that an idle server uses.
    Percent,
    /// Nanoseconds that a loop took.
    Time,
    /// System calls for one request.
    Calls,
    /// Milliseconds to the first answer.
    Start,
    /// Milliseconds that WasmEdge takes to do nothing.
    Alone,
    /// Milliseconds to the first answer, less what WasmEdge takes to do nothing.
    Beyond,
    /// Nanoseconds to draw a random number.
    Draw,
    /// Bytes per second.
    Bulk,
}

/// What a measurement gave.
pub(crate) type Values = BTreeMap<Quantity, f64>;

impl Work {
    /// How many connections are open at once.
    pub(crate) fn connections(self) -> usize {
        match self {
            Work::Serve { active, idle, .. } => active + idle,
            Work::Wrk { active } => active,
            Work::Idle { connections } => connections,
            _ => 0,
        }
    }
}

/// What it is called while it is measured.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Work::Serve {
                load,
                active,
                idle,
                size,
                beside,
                ..
            } => {
                let load = load.word();
                write!(f, "{load} {size} B, {active} active, {idle} idle")?;
                if beside > 0 {
                    write!(f, ", {beside} busy processes")?;
                }
                Ok(())
            }
            Work::Wrk { active } => write!(f, "wrk, {active} active"),
            Work::Timed(timed) => f.write_str(timed.word()),
            Work::Random => f.write_str("random numbers"),
            Work::WriteWriteRead => f.write_str("write-write-read"),
            Work::Calls => f.write_str("system calls"),
            Work::Start => f.write_str("start"),
            Work::Idle { connections } => write!(f, "{connections} idle connections"),
            Work::Redis { pipeline } => write!(f, "redis-benchmark -P {pipeline}"),
            Work::Bulk(direction) => write!(f, "bulk {}", direction.word()),
        }
    }
}

impl Server {
    /// The word that `work` knows it by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Server::Echo => "echo",
            Server::Http => "http",
        }
    }
}

impl Load {
    /// The word that `load` knows it by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Load::Echo => "echo",
            Load::Http => "http",
            Load::New => "new",
        }
    }
}

impl Timed {
    /// The word that `work` knows it by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Timed::Compute => "compute",
            Timed::Yield => "yield",
            Timed::Spawn => "spawn",
            Timed::Sleep => "sleep",
            Timed::Mpsc => "mpsc",
            Timed::PingPong => "ping-pong",
        }
    }
}

impl Direction {
    /// The word that `load` knows it by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Direction::Up => "up",
            Direction::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_connections_need_as_many_files() {
        let work = Work::Idle {
            connections: 10_000,
        };
        assert_eq!(work.connections(), 10_000);
        assert_eq!(Work::Start.connections(), 0);
    }

    #[test]
    fn work_is_named_while_it_is_measured() {
        let serve = Work::Serve {
            server: Server::Http,
            load: Load::New,
            active: 50,
            idle: 0,
            size: 0,
            beside: 2,
        };
        let expected = "new 0 B, 50 active, 0 idle, 2 busy processes";
        assert_eq!(serve.to_string(), expected);
        assert_eq!(Work::Timed(Timed::PingPong).to_string(), "ping-pong");
        assert_eq!(Work::Bulk(Direction::Up).to_string(), "bulk up");
    }
}
