//! A reader of the page, who types what it says.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use tests_integration::build::BUILD_LIMIT;
use tests_integration::newcomer::{Newcomer, path_with};
use tests_integration::{Guard, LIMIT};

use crate::page::Step;

/// What servers print first.
const READY: &str = "listening on ";

/// One who has installed the command.
pub(crate) struct Reader<'a> {
    newcomer: &'a Newcomer<'a>,
    folder: PathBuf,
    /// In the first terminal.
    server: Option<Guard>,
    /// What the page says, and what is here for it: a database, and the internet.
    elsewhere: Vec<(&'static str, String)>,
    variables: Vec<(&'static str, PathBuf)>,
    times: Vec<(String, Duration)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(newcomer: &'a Newcomer<'a>) -> Reader<'a> {
        Reader {
            newcomer,
            folder: newcomer.path("home"),
            server: None,
            elsewhere: Vec::new(),
            variables: Vec::new(),
            times: Vec::new(),
        }
    }

    /// Has `here` stand for `text` of the page, which has to be in it.
    pub(crate) fn stands_for(&mut self, text: &'static str, here: String) {
        self.elsewhere.push((text, here));
    }

    pub(crate) fn set(&mut self, variable: &'static str, value: PathBuf) {
        self.variables.push((variable, value));
    }

    /// Where the last command was typed.
    pub(crate) fn folder(&self) -> &PathBuf {
        &self.folder
    }

    /// Notes how long something took.
    pub(crate) fn timed<T>(&mut self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let start = Instant::now();
        let done = work();
        self.times.push((what.to_owned(), start.elapsed()));
        done
    }

    /// Shows how long everything took.
    pub(crate) fn show_times(&self) {
        for (what, took) in &self.times {
            eprintln!("{:8.1} s  {what}", took.as_secs_f64());
        }
    }

    pub(crate) fn take(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Program(text) => {
                fs::write(self.folder.join("src/main.rs"), text)?;
                Ok(())
            }
            Step::Command { typed, shown } => self
                .enter(typed, shown)
                .with_context(|| format!("$ {typed}")),
        }
    }

    fn enter(&mut self, typed: &str, shown: &str) -> Result<()> {
        if let Some(to) = typed.strip_prefix("cd ") {
            self.stop()?;
            self.folder = self.folder.join(to).canonicalize()?;
            return Ok(());
        }
        // The test has a database already.
        if typed.starts_with("docker ") {
            ensure!(typed.contains("postgres"), "starts something else");
            return Ok(());
        }
        let mut command = self.shell(typed)?;
        let start = Instant::now();
        if shown.starts_with(READY) {
            self.stop()?;
            // As a shell does, so that Control-C is told to all that it started.
            command.process_group(0);
            let mut server = Guard::start(command)?;
            let line = server.expect_within(BUILD_LIMIT, READY)?;
            ensure!(line == shown, "{line}");
            self.server = Some(server);
        } else {
            let ended = Guard::run(command, BUILD_LIMIT)?.successful()?;
            let is_as_shown = shown.is_empty() || ended.stdout.trim_end() == shown;
            ensure!(is_as_shown, "shown is {shown}\n{ended}");
        }
        self.times.push((format!("$ {typed}"), start.elapsed()));
        Ok(())
    }

    /// What a shell makes of a line, where it was typed.
    pub(crate) fn shell(&mut self, typed: &str) -> Result<Command> {
        let mut line = typed.to_owned();
        self.elsewhere.retain(|(text, here)| {
            let is_in = line.contains(text);
            line = line.replace(text, here);
            !is_in
        });
        let mut command = self.newcomer.here(Command::new("sh"))?;
        command.args(["-c", &line]).current_dir(&self.folder);
        let bin = self.newcomer.cargo_home().join("bin");
        command.env("PATH", path_with(&bin)?);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        Ok(command)
    }

    /// Control-C in the first terminal, if something runs there.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let Some(mut server) = self.server.take() else {
            return Ok(());
        };
        server.signal_group(Signal::INT)?;
        let ended = server.wait(LIMIT)?;
        // A program that does not listen for it is ended by it.
        let is_told = ended.status.success() || ended.status.to_string().contains("SIGINT");
        ensure!(is_told || ended.code() == Some(130), "{ended}");
        Ok(())
    }

    /// Whether everything that was to be elsewhere was asked for.
    pub(crate) fn is_done(&self) -> Result<()> {
        let unused: Vec<_> = self.elsewhere.iter().map(|(text, _)| *text).collect();
        ensure!(unused.is_empty(), "the page does not have {unused:?}");
        Ok(())
    }
}
