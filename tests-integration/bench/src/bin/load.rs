//! The client side of a measurement; runs natively.
//!
//! Usage: `load http|echo ADDRESS ACTIVE IDLE SECONDS SIZE`
//!
//! Opens IDLE connections and has each one answered once, then keeps ACTIVE
//! others busy for SECONDS, one request at a time on each. Meanwhile every 25 ms
//! one of the idle connections makes a request. SIZE is that of an echoed
//! message; requests of `http` have their own.
//!
//! `load new ADDRESS ACTIVE - SECONDS -`: a new connection for each request.
//!
//! Prints a line of JSON: how many requests were answered, the time to open the
//! idle connections, and latencies, all in microseconds. The word `start` is
//! printed when the busy time begins, `end` when it is over.
//!
//! `load up|down ADDRESS BYTES`: one connection moves so much to or from the server
//! `bulk`; prints the seconds that it took.
//!
//! `load soak ADDRESS REQUESTS`: so many requests over connections that come and
//! go, 50 at a time. Prints `tenth N SECONDS` after each tenth, and at the end
//! a line of JSON: how many requests were answered and how many were not, and of
//! some of the latter why. `load soak ADDRESS REQUESTS panics`: every hundredth is for
//! `/panics`, which has to end its connection without an answer.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const PANICS: &[u8] = b"GET /panics HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// One of so many requests is for what panics, where some are.
const PANICS_EVERY: u64 = 100;
/// So many connections are opened at a time.
const OPENERS: usize = 16;
const COLD_EVERY: Duration = Duration::from_millis(25);

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Http,
    Echo(usize),
}

struct Connection {
    kind: Kind,
    stream: TcpStream,
    message: Rc<[u8]>,
    buffer: Vec<u8>,
    /// Length of an answer, once known.
    answer: usize,
}

impl Connection {
    async fn open(kind: Kind, address: &str) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (message, answer): (Rc<[u8]>, usize) = match kind {
            Kind::Http => (REQUEST.into(), 0),
            Kind::Echo(size) => (vec![b'x'; size].into(), size),
        };
        let buffer = vec![0; answer.max(512)];
        Ok(Connection {
            kind,
            stream,
            message,
            buffer,
            answer,
        })
    }

    /// One request and its answer.
    async fn ask(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.message).await?;
        let mut got = 0;
        while got == 0 || got < self.answer {
            match self.stream.read(&mut self.buffer[got..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => got += n,
            }
            if self.kind == Kind::Http && self.answer == 0 {
                self.answer = http_length(&self.buffer[..got]);
            }
        }
        if got != self.answer {
            return Err(io::Error::other("an answer of another length"));
        }
        Ok(())
    }
}

impl Connection {
    /// A request that gets no answer, but the connection's end.
    async fn is_ended_by(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request).await?;
        match self.stream.read(&mut self.buffer).await {
            Ok(0) => Ok(()),
            // What the server had not read yet resets it.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
            Ok(_) => Err(io::Error::other("an answer where it panics")),
            Err(error) => Err(error),
        }
    }
}

/// Length of head and body of an answer, of which the head is there; 0 else.
fn http_length(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return 0;
    };
    let body = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0usize);
    head.len() + 4 + body
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (what, address, active, idle, seconds, size) = match words[..] {
        ["up", address, bytes] => {
            runtime.block_on(bulk(true, address, bytes.parse()?))?;
            return Ok(());
        }
        ["down", address, bytes] => {
            runtime.block_on(bulk(false, address, bytes.parse()?))?;
            return Ok(());
        }
        ["soak", address, requests, ref more @ ..] => {
            let load = soak(address.to_owned(), requests.parse()?, more == ["panics"]);
            LocalSet::new().block_on(&runtime, load)?;
            return Ok(());
        }
        [what, address, active, idle, seconds, size] => {
            (what, address, active, idle, seconds, size)
        }
        _ => return Err("other words are needed; see the source".into()),
    };
    let number = |word: &str| word.parse::<usize>().unwrap_or(0);
    let kind = match what {
        "echo" => Kind::Echo(number(size)),
        _ => Kind::Http,
    };
    let load = run(
        kind,
        what == "new",
        address.to_owned(),
        number(active),
        number(idle),
        Duration::from_secs_f64(seconds.parse()?),
    );
    LocalSet::new().block_on(&runtime, load)?;
    Ok(())
}

async fn run(
    kind: Kind,
    anew: bool,
    address: String,
    active: usize,
    idle: usize,
    lasting: Duration,
) -> io::Result<()> {
    let address: Rc<str> = address.into();
    let start = Instant::now();
    let openers: Vec<_> = (0..OPENERS)
        .map(|n| {
            let address = address.clone();
            tokio::task::spawn_local(async move {
                let mut opened = Vec::new();
                for _ in (n..idle).step_by(OPENERS) {
                    let mut connection = Connection::open(kind, &address).await?;
                    connection.ask().await?;
                    opened.push(connection);
                }
                io::Result::Ok(opened)
            })
        })
        .collect();
    let mut cold = Vec::new();
    for opener in openers {
        cold.extend(opener.await??);
    }
    let open = start.elapsed();

    println!("start");
    let start = Instant::now();
    let busy: Vec<_> = (0..active)
        .map(|_| {
            let address = address.clone();
            tokio::task::spawn_local(async move {
                let mut took = Vec::new();
                let mut connection = None;
                while start.elapsed() < lasting {
                    let asked = Instant::now();
                    if connection.is_none() {
                        connection = Some(Connection::open(kind, &address).await?);
                    }
                    if let Some(connection) = &mut connection {
                        connection.ask().await?;
                    }
                    if anew {
                        connection = None;
                    }
                    took.push(asked.elapsed());
                }
                io::Result::Ok(took)
            })
        })
        .collect();
    // One that has been silent for long speaks while the others are busy.
    let speaker = tokio::task::spawn_local(async move {
        let mut took = Vec::new();
        let mut next = 0;
        while start.elapsed() < lasting && !cold.is_empty() {
            tokio::time::sleep(COLD_EVERY).await;
            let asked = Instant::now();
            let at = next % cold.len();
            cold[at].ask().await?;
            took.push(asked.elapsed());
            next += 1;
        }
        io::Result::Ok((took, cold))
    });
    let mut hot_took = Vec::new();
    for task in busy {
        hot_took.extend(task.await??);
    }
    let (cold_took, cold) = speaker.await??;
    let busy_for = start.elapsed();
    println!("end");
    drop(cold);
    println!(
        "{{\"requests\":{},\"seconds\":{},\"open_us\":{},\"hot_us\":{},\"cold_us\":{}}}",
        hot_took.len() + cold_took.len(),
        busy_for.as_secs_f64(),
        open.as_micros(),
        percentiles(hot_took),
        percentiles(cold_took),
    );
    Ok(())
}

async fn bulk(up: bool, address: &str, bytes: u64) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let mut buffer = vec![b'x'; 64 * 1024];
    let mut head = vec![if up { b'u' } else { b'd' }];
    head.extend(bytes.to_be_bytes());
    let start = Instant::now();
    stream.write_all(&head).await?;
    let mut left = bytes;
    while left > 0 {
        let size = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let moved = if up {
            stream.write_all(&buffer[..size]).await?;
            size
        } else {
            stream.read(&mut buffer[..size]).await?
        };
        if moved == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        left -= moved as u64;
    }
    // What was sent has also been read when the server says so.
    if up && stream.read_u8().await? != b'.' {
        return Err(io::Error::other("another answer"));
    }
    println!("{}", start.elapsed().as_secs_f64());
    Ok(())
}

/// So many connections of a soak are open at a time.
const SOAKERS: u64 = 50;
/// A connection of a soak that takes longer hangs.
const SOAK_LIMIT: Duration = Duration::from_secs(60);
/// With so many failures it is clear that the server is gone.
const FAILURES: usize = 1000;

struct Soak {
    all: u64,
    /// Whether the server is asked to panic.
    panics: bool,
    /// Requests that were not begun yet.
    left: Cell<u64>,
    answered: Cell<u64>,
    failures: RefCell<Vec<String>>,
    start: Instant,
}

async fn soak(address: String, all: u64, panics: bool) -> io::Result<()> {
    let soak = Rc::new(Soak {
        all,
        panics,
        left: Cell::new(all),
        answered: Cell::new(0),
        failures: RefCell::new(Vec::new()),
        start: Instant::now(),
    });
    println!("start");
    let soakers: Vec<_> = (0..SOAKERS)
        .map(|n| {
            let (soak, address) = (soak.clone(), address.clone());
            tokio::task::spawn_local(async move {
                // 100 on average, and not the same for all: they would come and
                // go together.
                let mut length = 50 + 2 * n;
                while soak.left.get() > 0 && soak.failures.borrow().len() < FAILURES {
                    let connection = soak.connection(&address, length);
                    let failure = match tokio::time::timeout(SOAK_LIMIT, connection).await {
                        Ok(Ok(())) => None,
                        Ok(Err(error)) => Some(error.to_string()),
                        Err(_) => Some(format!("no answer within {SOAK_LIMIT:?}")),
                    };
                    if let Some(failure) = failure {
                        soak.failures.borrow_mut().push(failure);
                        soak.passed();
                    }
                    length = 50 + (length - 50 + 37) % 101;
                }
            })
        })
        .collect();
    for soaker in soakers {
        soaker.await?;
    }
    let failures = soak.failures.borrow();
    let mut reasons: Vec<&String> = failures.iter().collect();
    reasons.sort_unstable();
    reasons.dedup();
    println!(
        "{{\"answered\":{},\"failed\":{},\"reasons\":{:?}}}",
        soak.answered.get(),
        failures.len(),
        reasons.iter().take(5).collect::<Vec<_>>(),
    );
    Ok(())
}

impl Soak {
    /// One connection with up to `length` requests.
    async fn connection(&self, address: &str, length: u64) -> io::Result<()> {
        let mut connection = None;
        for _ in 0..length {
            let Some(left) = self.left.get().checked_sub(1) else {
                break;
            };
            self.left.set(left);
            let connection = match &mut connection {
                Some(connection) => connection,
                none => none.insert(Connection::open(Kind::Http, address).await?),
            };
            if self.panics && left % PANICS_EVERY == 0 {
                connection.is_ended_by(PANICS).await?;
                self.answered.set(self.answered.get() + 1);
                self.passed();
                return Ok(());
            }
            connection.ask().await?;
            if !connection.buffer.starts_with(b"HTTP/1.1 200 ") {
                return Err(io::Error::other("an answer that is not 200"));
            }
            self.answered.set(self.answered.get() + 1);
            self.passed();
        }
        Ok(())
    }

    /// Says so when a tenth of the requests is over, answered or not.
    fn passed(&self) {
        let over = self.answered.get() + self.failures.borrow().len() as u64;
        let tenth = |over: u64| over * 10 / self.all;
        if tenth(over) > tenth(over - 1) {
            println!(
                "tenth {} {}",
                tenth(over),
                self.start.elapsed().as_secs_f64()
            );
        }
    }
}

/// As JSON: the percentiles 50, 90, 99 and 99.9, and the maximum.
fn percentiles(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |share: f64| {
        let index = (took.len() as f64 * share) as usize;
        took.get(index.min(took.len().saturating_sub(1)))
            .map_or(0, Duration::as_micros)
    };
    format!(
        "[{},{},{},{},{}]",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    )
}
