//! Apps are run, against their peers, and what they print is made comparable.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use regex_lite::Regex;
use tests_integration::guard::Ended;
use tests_integration::peers::{Peer, Running, make_keys};
use tests_integration::{Guard, connect, free_port};

use crate::app::{Apps, fill};
use crate::cause::{Cause, first_error};
use crate::results::{Class, Outcome};
use crate::rows::Row;

/// How long an app may take: what is not optimised is slow to interpret.
const RUN_LIMIT: Duration = Duration::from_secs(120);
const ASK_LIMIT: Duration = Duration::from_secs(60);

/// Where apps are run. A peer is started when it is asked for first, and ends with this.
pub(crate) struct Place {
    keys: tempfile::TempDir,
    peers: BTreeMap<String, Running>,
}

impl Place {
    pub(crate) fn new() -> Result<Place> {
        let keys = tempfile::tempdir()?;
        // What needs none runs without it.
        if Peer::Openssl.is_here() {
            make_keys(keys.path())?;
        }
        Ok(Place {
            keys,
            peers: BTreeMap::new(),
        })
    }

    /// Starts what a row needs. Gives the program that is not installed, if there is one.
    ///
    /// # Errors
    /// When a peer is unknown, or does not start.
    pub(crate) fn start(&mut self, row: &Row) -> Result<Option<&'static str>> {
        for name in &row.peers {
            let peer = Peer::named(name)?;
            if !peer.is_here() {
                return Ok(Some(peer.program()));
            }
            if !self.peers.contains_key(name) {
                let running = peer.start(self.keys.path())?;
                self.peers.insert(name.clone(), running);
            }
        }
        Ok(None)
    }

    /// What a row prints, or what its server answers.
    ///
    /// # Errors
    /// When something of ours fails, not the app.
    pub(crate) fn printed(
        &self,
        apps: &Apps<'_>,
        row: &Row,
        edge: Option<&WasmEdge>,
    ) -> Result<Result<String, Outcome>> {
        let folder = tempfile::tempdir()?;
        fill(folder.path(), self.keys.path())?;
        let mut words = self.words();
        words.push(("{port}".to_owned(), free_port()?.to_string()));
        let mut command = apps.run(row, edge);
        command
            .args(row.args.iter().map(|arg| filled(arg, &words)))
            .current_dir(folder.path());
        let printed = match row.asks.is_empty() {
            true => match Guard::run(command, RUN_LIMIT) {
                Ok(ended) => judged(ended),
                Err(error) => Err(late(&error)),
            },
            false => {
                let port = filled("{port}", &words).parse()?;
                let asks = row.asks.iter().map(|ask| filled(ask, &words));
                let asks = asks.map(|ask| {
                    let mut shell = Command::new("sh");
                    shell.args(["-c", &ask]).current_dir(folder.path());
                    shell
                });
                answers(command, port, asks)?
            }
        };
        Ok(printed.map(|text| comparable(&text, &words)))
    }

    /// What stands for the peers' addresses.
    fn words(&self) -> Vec<(String, String)> {
        let mut words = Vec::new();
        for (name, running) in &self.peers {
            words.push((format!("{{{name}}}"), running.address.to_string()));
            if let Some(tls) = running.secure {
                // By name, as certificates are.
                let address = format!("localhost:{}", tls.port());
                words.push((format!("{{{name}-tls}}"), address));
            }
        }
        words
    }
}

fn filled(text: &str, words: &[(String, String)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, means)| {
        text.replace(word, means)
    })
}

fn judged(ended: Ended) -> Result<String, Outcome> {
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    Err(failed(&format!("{}\n{}", ended.stdout, ended.stderr)))
}

/// An app that ended with an error.
fn failed(printed: &str) -> Outcome {
    Outcome {
        cause: Some(Cause::guess(printed)),
        ..Outcome::new(Class::FailsAtRun, first_error(printed))
    }
}

/// An app that did not end, and was killed.
fn late(error: &anyhow::Error) -> Outcome {
    let text = error.to_string();
    let (_, printed) = text.split_once('\n').unwrap_or_default();
    Outcome {
        cause: Some(Cause::guess(printed)),
        ..Outcome::new(Class::FailsAtRun, format!("still runs after {RUN_LIMIT:?}"))
    }
}

/// A server that ended before all was asked.
fn gone(guard: Guard) -> Result<Outcome> {
    // Waits for what it printed, too.
    let ended = guard.wait(ASK_LIMIT)?;
    Ok(failed(&format!("{}\n{}", ended.stdout, ended.stderr)))
}

/// Starts a server, and asks it.
fn answers(
    server: Command,
    port: u16,
    asks: impl Iterator<Item = Command>,
) -> Result<Result<String, Outcome>> {
    let mut guard = Guard::start(server)?;
    let end = Instant::now() + RUN_LIMIT;
    while connect(([127, 0, 0, 1], port).into()).is_err() {
        if !guard.is_running()? {
            return Ok(Err(gone(guard)?));
        }
        if Instant::now() > end {
            let mut outcome = failed(&guard.stderr());
            outcome.error = Some(format!("does not listen after {RUN_LIMIT:?}"));
            return Ok(Err(outcome));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut printed = String::new();
    for ask in asks {
        let asked = Guard::run(ask, ASK_LIMIT);
        if !guard.is_running()? {
            return Ok(Err(gone(guard)?));
        }
        // Nothing is the same as nothing: without this a missing curl would do.
        let error = match asked {
            Ok(ended) if ended.status.success() => {
                writeln!(printed, "{}", ended.stdout)?;
                continue;
            }
            Ok(ended) => format!("asking ended with {}: {}", ended.status, ended.stderr),
            Err(_) => format!("no answer within {ASK_LIMIT:?}"),
        };
        return Ok(Err(Outcome {
            cause: Some(Cause::guess(&guard.stderr())),
            ..Outcome::new(Class::FailsAtRun, error.trim())
        }));
    }
    Ok(Ok(printed))
}

/// Takes out what differs from run to run, and the numbers of errors, which are WASI's
/// under WasmEdge.
fn comparable(text: &str, words: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (word, means) in words {
        text = text.replace(means, word);
    }
    for (number, without) in [
        (r"\(os error \d+\)", "(os error)"),
        (r"Os \{ code: \d+,", "Os {"),
    ] {
        let number = Regex::new(number).expect("it is a pattern");
        text = number.replace_all(&text, without).into_owned();
    }
    text
}

/// The first line that differs, for people.
pub(crate) fn difference(native: &str, here: &str) -> String {
    let (mut native, mut here) = (native.lines(), here.lines());
    let short = |line: &str| line.chars().take(90).collect::<String>();
    loop {
        match (native.next(), here.next()) {
            (None, None) => return "white space".to_owned(),
            (a, b) if a == b => {}
            (Some(a), Some(b)) => return format!("`{}` instead of `{}`", short(b), short(a)),
            (Some(a), None) => return format!("`{}` is missing", short(a)),
            (None, Some(b)) => return format!("`{}` is too much", short(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", text]);
        command
    }

    #[test]
    fn addresses_and_numbers_of_errors_are_taken_out() {
        let words = [("{nginx}".to_owned(), "127.0.0.1:1234".to_owned())];
        let natively = "Os { code: 111, kind: ConnectionRefused } at 127.0.0.1:1234";
        let here = "Os { code: 14, kind: ConnectionRefused } at 127.0.0.1:1234";
        assert_eq!(comparable(natively, &words), comparable(here, &words));
        assert!(comparable(here, &words).ends_with("at {nginx}"));
        let other = "Os { code: 14, kind: TimedOut } at 127.0.0.1:1234";
        assert_ne!(comparable(natively, &words), comparable(other, &words));
        assert_eq!(
            comparable("refused (os error 14)", &[]),
            "refused (os error)"
        );
    }

    #[test]
    fn what_differs_is_told() {
        assert_eq!(difference("a\nb", "a\nc"), "`c` instead of `b`");
        assert_eq!(difference("a\nb", "a"), "`b` is missing");
        assert_eq!(difference("a", "a\nb"), "`b` is too much");
    }

    #[test]
    fn a_program_that_fails_is_not_taken_for_one_that_printed() {
        let run = |text| judged(Guard::run(script(text), RUN_LIMIT).unwrap());
        assert_eq!(run("echo well").unwrap(), "well");
        let failed = run("echo well; echo 'Error: failed to spawn thread' >&2; exit 1");
        let failed = failed.unwrap_err();
        assert_eq!(failed.class, Class::FailsAtRun);
        assert_eq!(failed.cause, Some(Cause::Thread));
    }

    #[test]
    fn a_server_that_ends_has_no_answers() {
        let port = free_port().unwrap();
        let asks = || std::iter::once(script("echo answer"));
        let ended = answers(script("echo 'Error: no luck' >&2"), port, asks()).unwrap();
        assert_eq!(ended.unwrap_err().error.as_deref(), Some("Error: no luck"));
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = answers(script("exec sleep 60"), port, asks()).unwrap();
        assert_eq!(answer.unwrap(), "answer\n");
        let asks = std::iter::once(script("no-such-program"));
        let failed = answers(script("exec sleep 60"), port, asks).unwrap();
        assert_eq!(failed.unwrap_err().class, Class::FailsAtRun);
    }
}
