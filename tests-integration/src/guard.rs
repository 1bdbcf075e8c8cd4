//! A running program that ends with its test.

mod ended;
mod printed;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
pub use ended::Ended;
use printed::Printed;
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};

use crate::limits::LIMIT;

/// A running program. Dropping it kills the program and waits for its end.
pub struct Guard {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    printed: Arc<Printed>,
    readers: Vec<JoinHandle<()>>,
}

impl Guard {
    /// Starts `command`; its output is collected, its input is ours.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Result<Guard> {
        // As a user would type it; the variables are in the test's source.
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let name = words
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdin = child.stdin.take();
        let printed = Arc::new(Printed::default());
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(printed.read(stdout, false));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(printed.read(stderr, true));
        }
        Ok(Guard {
            name,
            child,
            stdin,
            printed,
            readers,
        })
    }

    /// Runs `command` to its end, with no input.
    ///
    /// # Errors
    /// When it cannot be started or takes longer than `limit`.
    pub fn run(command: Command, limit: Duration) -> Result<Ended> {
        let mut guard = Guard::start(command)?;
        guard.close_stdin();
        guard.wait(limit)
    }

    /// Writes to the program's standard input.
    ///
    /// # Errors
    /// When it is closed.
    pub fn write(&mut self, text: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("standard input is closed")?;
        stdin.write_all(text.as_bytes())?;
        stdin.flush()?;
        Ok(())
    }

    /// Ends the program's standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits for a printed line that contains `text`, and gives that line. Lines
    /// that were already printed count.
    ///
    /// # Errors
    /// When the program ends first, or [`LIMIT`] passes.
    pub fn line(&mut self, text: &str) -> Result<String> {
        self.expect_within(LIMIT, text)
    }

    /// [`Guard::line`] for what may take longer, such as a build.
    ///
    /// # Errors
    /// When the program ends first, or `limit` passes.
    pub fn expect_within(&mut self, limit: Duration, text: &str) -> Result<String> {
        let end = Instant::now() + limit;
        loop {
            // Asked first: what it printed before it ended is then complete
            // once the readers have ended.
            let ended = self.child.try_wait()?.is_some();
            let read = ended && self.readers.iter().all(JoinHandle::is_finished);
            let lines = self.printed.lock();
            if let Some(line) = lines.iter().find(|line| line.text.contains(text)) {
                return Ok(line.text.clone());
            }
            if read || Instant::now() > end {
                let why = if read {
                    "the program ended"
                } else {
                    "too late"
                };
                let all: Vec<&str> = lines.iter().map(|line| &*line.text).collect();
                bail!(
                    "no line with {text:?} ({why}) from {}:\n{}",
                    self.name,
                    all.join("\n")
                );
            }
            let _ = self
                .printed
                .more
                .wait_timeout(lines, Duration::from_millis(20));
        }
    }

    /// Waits for the line in which the program says where it listens.
    ///
    /// # Errors
    /// As [`Guard::line`], or when there is no address at the line's end.
    pub fn address(&mut self) -> Result<SocketAddr> {
        let line = self.line("listening on ")?;
        let word = line.rsplit([' ', '/']).next().unwrap_or_default();
        word.parse()
            .with_context(|| format!("no address at the end of {line:?}"))
    }

    /// What was printed on standard error so far.
    pub fn stderr(&self) -> String {
        self.text(true)
    }

    /// What was printed on standard output so far.
    pub fn stdout(&self) -> String {
        self.text(false)
    }

    fn text(&self, error: bool) -> String {
        let lines = self.printed.lock();
        let lines = lines.iter().filter(|line| line.error == error);
        lines
            .map(|line| line.text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        ensure!(self.is_running()?, "{} has ended", self.name);
        kill_process(Pid::from_child(&self.child), signal)?;
        Ok(())
    }

    /// Sends a signal to the program's process group, which must be its own.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn signal_group(&mut self, signal: Signal) -> Result<()> {
        ensure!(self.is_running()?, "{} has ended", self.name);
        kill_process_group(Pid::from_child(&self.child), signal)?;
        Ok(())
    }

    /// The number of the program's process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the program has not ended.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// The processor time that the program's process has used, as Linux counts
    /// it: in ticks, 100 a second.
    ///
    /// # Errors
    /// When the program has ended, or the system has no `/proc`.
    pub fn cpu_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field is a name in brackets, which may hold spaces.
        let after = stat.rfind(')').context("no name in /proc/PID/stat")?;
        let fields: Vec<&str> = stat[after + 1..].split_whitespace().collect();
        let ticks = |field: usize| -> Result<u64> {
            let text = fields
                .get(field)
                .context("too few fields in /proc/PID/stat")?;
            Ok(text.parse()?)
        };
        // utime and stime are fields 14 and 15, counted from 1.
        let total = ticks(11)? + ticks(12)?;
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_secs_f64(total as f64 / per_second as f64))
    }

    /// Expects the program to use next to no processor time: less than 2 % over
    /// 1.5 s. It may finish first what it was doing, which takes its time where
    /// compilers have the processors: it is looked at up to four times.
    ///
    /// # Errors
    /// When it uses more each time.
    pub fn is_idle(&mut self) -> Result<()> {
        std::thread::sleep(Duration::from_millis(300));
        let mut looks = Vec::new();
        for _ in 0..4 {
            let (start, before) = (Instant::now(), self.cpu_time()?);
            std::thread::sleep(Duration::from_millis(1500));
            let (took, used) = (start.elapsed(), self.cpu_time()?.saturating_sub(before));
            ensure!(self.is_running()?, "{} has ended", self.name);
            // One tick may belong to the time before.
            if used <= took.mul_f64(0.02) + Duration::from_millis(10) {
                return Ok(());
            }
            looks.push(format!("{used:?} in {took:?}"));
        }
        bail!(
            "{} should be idle, and used processor time: {}",
            self.name,
            looks.join(", then ")
        )
    }

    /// Waits for the program's end.
    ///
    /// # Errors
    /// When `limit` passes first; the program is killed then.
    pub fn wait(mut self, limit: Duration) -> Result<Ended> {
        let end = Instant::now() + limit;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() > end {
                let (out, err) = (self.stdout(), self.stderr());
                bail!(
                    "{} still runs after {limit:?}\n--- stdout\n{out}\n--- stderr\n{err}",
                    self.name
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        for reader in self.readers.drain(..) {
            // A child of the program may hold its output open for longer.
            let end = Instant::now() + Duration::from_secs(2);
            while !reader.is_finished() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        Ok(Ended {
            status,
            stdout: self.stdout(),
            stderr: self.stderr(),
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Killing also ends a stopped program; an error means it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!(
                "--- stdout\n{}\n--- stderr\n{}",
                self.stdout(),
                self.stderr()
            );
        }
    }
}
