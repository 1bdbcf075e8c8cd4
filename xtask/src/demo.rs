//! `cargo demo`: published programs, unmodified, under WasmEdge.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use cargo_wasmedge::toolchain::{Dirs, wasmedge};
use indicatif::{ProgressBar, ProgressStyle};
use semver::VersionReq;
use tests_integration::build::BIN_VARIABLE;
use tests_integration::guard::Ended;
use tests_integration::host::Execution;
use tests_integration::{App, Guard, Host, LIMIT, Mode, Workbench, connect, free_port, wait_until};
use tools_common::{Repo, Tools};

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Sets up what is missing: a toolchain for wasm32-wasip1, WasmEdge. Every program
that is started is ended.")]
pub struct Args {
    /// Compile the programs ahead of time; they are interpreted else
    #[arg(long)]
    aot: bool,
}

pub fn run(args: &Args) -> Result<bool> {
    let repo = Repo::open()?;
    if std::env::var_os(BIN_VARIABLE).is_none() {
        let tools = Tools::set_up(&repo, &[VersionReq::STAR])?;
        // The workbench takes the program to use from its environment.
        let mut again = Command::new(std::env::current_exe()?);
        again
            .args(std::env::args_os().skip(1))
            .env(BIN_VARIABLE, &tools.cargo_wasmedge);
        std::process::exit(cargo_wasmedge::process::replace(again)?);
    }
    let newest = wasmedge::all(&Dirs::new()?)?
        .into_iter()
        .max_by(|a, b| a.version.cmp(&b.version))
        .context("no WasmEdge found")?;
    let execution = if args.aot {
        Execution::Compiled
    } else {
        Execution::Interpreted
    };
    // The folder that the tests build into: what is built there is used.
    let folder = repo.target.join("tmp");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let demo = Demo {
        workbench: Workbench::new(folder),
        host: Host::WasmEdge(newest.clone(), execution, Mode::Plain),
        repo: &repo,
    };
    let how = if args.aot {
        "compiled ahead of time"
    } else {
        "interpreted"
    };
    demo.status("Using", &format!("WasmEdge {}, {how}", newest.version));
    demo.redis()?;
    demo.http()?;
    demo.status(
        "Finished",
        "the demo: all answers were right, and every program has ended",
    );
    Ok(true)
}

struct Demo<'a> {
    repo: &'a Repo,
    workbench: Workbench,
    host: Host,
}

impl Demo<'_> {
    fn redis(&self) -> Result<()> {
        let version = self.locked("mini-redis")?;
        let (server, cli) = ("mini-redis-server", "mini-redis-cli");
        self.build(
            &format!("mini-redis v{version} as published"),
            &[App::MiniRedis(server), App::MiniRedis(cli)],
        )?;
        self.build(
            "a subscriber and publisher with mini-redis's client",
            &[App::Own("pubsub")],
        )?;

        // It cannot be told to take any free port.
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let port = address.port().to_string();
        let mut server = self.start(App::MiniRedis(server), &["--port", &port])?;
        wait_until("mini-redis-server listens", || connect(address).is_ok())?;
        ensure!(
            server.is_running()?,
            "mini-redis-server ended: {}",
            server.stderr()
        );

        let to = ["--port", &port];
        for (command, answer) in [
            (&["set", "greeting", "hello from WasmEdge"][..], "OK"),
            (&["get", "greeting"][..], "\"hello from WasmEdge\""),
        ] {
            let ended = self.show(App::MiniRedis(cli), &[&to, command].concat())?;
            ensure!(
                ended.stdout.trim() == answer,
                "{answer} was expected: {ended}"
            );
        }
        let words = [&address.to_string(), "news", "first", "second"];
        let ended = self.show(App::Own("pubsub"), &words)?;
        let received = ended.stdout.matches("received ").count();
        ensure!(received == 2, "two messages were published: {ended}");
        Ok(())
    }

    fn http(&self) -> Result<()> {
        let version = self.locked("hyper")?;
        let (server, client) = (App::Own("hyper-server"), App::Own("hyper-client"));
        self.build(
            &format!("a server and a client with hyper v{version}"),
            &[server, client],
        )?;
        let mut guard = self.start(server, &["127.0.0.1:0"])?;
        let url = format!("http://{}/", guard.address()?);
        let ended = self.show(client, &[&url])?;
        ensure!(
            ended.stdout.starts_with("HTTP/1.1 200 OK\n"),
            "200 was expected: {ended}"
        );
        ensure!(
            ended.stdout.ends_with("Hello, World!"),
            "a greeting was expected: {ended}"
        );
        Ok(())
    }

    fn status(&self, verb: &str, message: &str) {
        self.repo.shell.status(verb, message);
    }

    fn build(&self, what: &str, apps: &[App]) -> Result<()> {
        self.status("Building", what);
        let bar = self.repo.shell.shows_progress().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner:>12} {elapsed} {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_message("the first time takes a few minutes");
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let done = apps.iter().try_for_each(|app| {
            // Compiles ahead of time as well, where that is asked for.
            self.workbench.command(*app, &self.host).map(drop)
        });
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        done.with_context(|| format!("cannot build {what}"))
    }

    fn start(&self, app: App, args: &[&str]) -> Result<Guard> {
        self.status("Starting", &line(app, args));
        let mut command = self.workbench.command(app, &self.host)?;
        command.args(args);
        Guard::start(command)
    }

    /// Runs a program to its end and shows what it printed.
    fn show(&self, app: App, args: &[&str]) -> Result<Ended> {
        self.status("Running", &line(app, args));
        let mut command = self.workbench.command(app, &self.host)?;
        command.args(args);
        let ended = Guard::run(command, LIMIT)?.successful()?;
        for line in ended.stdout.lines() {
            anstream::println!("{:13}{line}", "");
        }
        Ok(ended)
    }

    /// The version of a crate that the apps' lockfile has.
    fn locked(&self, krate: &str) -> Result<String> {
        let path = self.repo.root.join("tests-integration/apps/Cargo.lock");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line == format!("name = \"{krate}\"") {
                let version = lines.next().and_then(|line| line.split('"').nth(1));
                return version
                    .map(str::to_owned)
                    .context("a package without version");
            }
        }
        bail!("{krate} is not in {}", path.display())
    }
}

fn line(app: App, args: &[&str]) -> String {
    let (App::Own(name) | App::MiniRedis(name) | App::Old(name)) = app;
    let words: Vec<String> = std::iter::once(name)
        .chain(args.iter().copied())
        .map(cargo_wasmedge::shell::quoted)
        .collect();
    words.join(" ")
}
