//! Running other programs with a bound on their time.
//!
//! Children stay in our process group, so Ctrl-C reaches them as well. A child
//! that overruns is ended by its own process id; a grandchild may outlive it
//! and hold the pipes open, so the readers are never waited for without end.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a started program may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// In all.
    pub total: Duration,
    /// Without a sign of progress: a byte of output, or a change of the number
    /// that the caller's probe gives.
    pub quiet: Option<Duration>,
}

impl Limits {
    /// A bound on the whole run only.
    pub fn total(total: Duration) -> Limits {
        Limits { total, quiet: None }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself.
    Exited(ExitStatus),
    /// By us, after [`Limits::total`].
    TookTooLong(Duration),
    /// By us, after [`Limits::quiet`].
    NoProgress(Duration),
}

/// What a program wrote and how it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub end: End,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    pub fn success(&self) -> bool {
        matches!(self.end, End::Exited(status) if status.success())
    }

    /// Why it failed, on one line: the time limit, or its last words.
    pub fn why(&self) -> String {
        match self.end {
            End::TookTooLong(limit) => format!("took longer than {} s", limit.as_secs()),
            End::NoProgress(limit) => format!("made no progress for {} s", limit.as_secs()),
            End::Exited(status) => {
                let said = |text: &str| {
                    let lines: Vec<&str> = text.lines().map(str::trim).collect();
                    let errors = lines.iter().filter(|line| {
                        line.starts_with("E: ") || line.to_lowercase().starts_with("error")
                    });
                    let errors: Vec<&str> = errors.copied().take(3).collect();
                    if errors.is_empty() {
                        let last = lines.iter().rev().find(|line| !line.is_empty());
                        last.map(|line| line.to_string())
                    } else {
                        Some(errors.join("; "))
                    }
                };
                match said(&self.stderr).or_else(|| said(&self.stdout)) {
                    Some(words) => format!("{status}: {words}"),
                    None => status.to_string(),
                }
            }
        }
    }
}

/// How often the probe is asked and the time limits are looked at: often enough
/// for a progress bar to move smoothly, though each probe may walk a folder.
const TICK: Duration = Duration::from_millis(100);

/// How long output may still arrive after the program itself has ended. It is in
/// the pipe by then; only a grandchild that holds the pipe open makes us wait.
const DRAIN: Duration = Duration::from_millis(500);

/// How long a program may be refused as busy. Another thread's child holds it
/// open for some milliseconds, on a machine under load for some more.
const BUSY: Duration = Duration::from_secs(2);

/// How long until a program that ended, or was busy, is looked at again.
const SOON: Duration = Duration::from_millis(5);

/// Runs `command` with no stdin, within `limits`. `probe` is called every
/// tenth of a second; a change of its answer counts as progress.
///
/// # Errors
/// Only when the program cannot be started or waited for.
pub(crate) fn run(
    command: &mut Command,
    limits: Limits,
    mut probe: impl FnMut() -> u64,
) -> io::Result<Finished> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawn(command)?;
    let (sender, receiver) = mpsc::channel();
    if let Some(pipe) = child.stdout.take() {
        read_in_background(pipe, false, sender.clone());
    }
    if let Some(pipe) = child.stderr.take() {
        read_in_background(pipe, true, sender.clone());
    }
    drop(sender);

    let started = Instant::now();
    let mut progress_at = started;
    let mut probed = probe();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut open = true;
    let mut keep = |(is_err, bytes): (bool, Vec<u8>)| {
        if is_err { &mut err } else { &mut out }.extend(bytes);
    };

    let end = loop {
        if open {
            match receiver.recv_timeout(TICK) {
                Ok(chunk) => {
                    keep(chunk);
                    progress_at = Instant::now();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
        } else {
            thread::sleep(SOON);
        }
        if let Some(status) = child.try_wait()? {
            break End::Exited(status);
        }
        let now = Instant::now();
        let answer = probe();
        if answer != probed {
            probed = answer;
            progress_at = now;
        }
        if now - started > limits.total {
            break stop(&mut child, End::TookTooLong(limits.total))?;
        }
        if let Some(quiet) = limits.quiet
            && now - progress_at > quiet
        {
            break stop(&mut child, End::NoProgress(quiet))?;
        }
    };

    let until = Instant::now() + DRAIN;
    while let Ok(chunk) = receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
        keep(chunk);
    }
    Ok(Finished {
        end,
        stdout: String::from_utf8_lossy(&out).into_owned(),
        stderr: String::from_utf8_lossy(&err).into_owned(),
    })
}

/// How long a program may take to print its version. A first start on a cold
/// disk takes about a second; one that reaches out for a network takes longer.
pub(crate) const VERSION_LIMIT: Duration = Duration::from_secs(20);

/// Runs a short command (`--version` and the like) within `limit`.
pub(crate) fn ask(command: &mut Command, limit: Duration) -> io::Result<Finished> {
    run(command, Limits::total(limit), || 0)
}

/// Starts a program. One that we have just written may be refused as busy: a
/// child that another thread is starting at this moment holds it open until it
/// becomes its own program.
fn spawn(command: &mut Command) -> io::Result<Child> {
    let until = Instant::now() + BUSY;
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && Instant::now() < until =>
            {
                thread::sleep(SOON);
            }
            result => return result,
        }
    }
}

fn stop(child: &mut Child, why: End) -> io::Result<End> {
    // It may have ended by itself in between; kill() is then no error.
    child.kill()?;
    child.wait()?;
    Ok(why)
}

fn read_in_background(
    mut pipe: impl Read + Send + 'static,
    is_err: bool,
    sender: mpsc::Sender<(bool, Vec<u8>)>,
) {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    if sender.send((is_err, buffer[..n].to_vec())).is_err() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_status_are_kept() {
        let done = ask(
            &mut sh("echo out; echo err >&2; exit 3"),
            Duration::from_secs(20),
        )
        .unwrap();
        assert!(!done.success());
        assert_eq!(done.stdout, "out\n");
        assert_eq!(done.stderr, "err\n");
        assert!(done.why().ends_with("3: err"), "{}", done.why());
    }

    #[test]
    fn apt_errors_are_preferred_over_last_words() {
        let done = ask(
            &mut sh("echo 'E: no such package' >&2; echo bye >&2; exit 100"),
            Duration::from_secs(20),
        )
        .unwrap();
        assert!(done.why().ends_with("E: no such package"), "{}", done.why());
    }

    #[test]
    fn an_overrun_is_ended() {
        let started = Instant::now();
        let done = ask(&mut sh("exec sleep 60"), Duration::from_millis(300)).unwrap();
        assert_eq!(done.end, End::TookTooLong(Duration::from_millis(300)));
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn silence_is_ended_but_output_is_progress() {
        let limits = Limits {
            total: Duration::from_secs(60),
            quiet: Some(Duration::from_millis(700)),
        };
        // Speaks for longer than the quiet limit, then falls silent.
        let script = "for i in 1 2 3 4 5; do echo $i; sleep 0.2; done; exec sleep 60";
        let done = run(&mut sh(script), limits, || 0).unwrap();
        assert_eq!(done.end, End::NoProgress(Duration::from_millis(700)));
        assert_eq!(done.stdout, "1\n2\n3\n4\n5\n");
    }

    #[test]
    fn a_moving_probe_is_progress() {
        let limits = Limits {
            total: Duration::from_secs(60),
            quiet: Some(Duration::from_millis(300)),
        };
        let mut count = 0;
        let done = run(&mut sh("sleep 1"), limits, || {
            count += 1;
            count
        })
        .unwrap();
        assert!(done.success());
    }

    #[test]
    fn a_grandchild_that_holds_the_pipe_does_not_hold_us() {
        let started = Instant::now();
        let done = ask(&mut sh("sleep 30 & echo started"), Duration::from_secs(20)).unwrap();
        assert!(done.success());
        assert_eq!(done.stdout, "started\n");
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
