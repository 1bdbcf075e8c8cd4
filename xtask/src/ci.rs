//! `cargo xtask ci`: everything that must hold before a change goes in.

use std::process::Command;
use std::time::Instant;

use anstream::eprintln;
use anyhow::{Result, ensure};
use cargo_wasmedge::toolchain::rust;
use tools_common::repo::is_ci;
use tools_common::{Repo, Report, Tools};

use crate::leftovers::Watch;
use crate::tool::Tool;
use crate::{commands, fuzz, house, originality, test};

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "All checks are made, also when one fails. The last line has the sums.")]
pub struct Args {
    /// Only this check (may be repeated)
    #[arg(long, value_enum, value_name = "CHECK")]
    only: Vec<Check>,

    /// Leave out the slowest tests, as `cargo xtask test --quick` does
    #[arg(long)]
    quick: bool,
}

/// The checks, in the order in which they are made: the quick ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Check {
    /// cargo fmt --check
    Fmt,
    /// Files are short enough to be read at one go
    House,
    /// cargo clippy, natively and for the target
    Clippy,
    /// cargo doc without warnings
    Doc,
    /// The documents make a book without warnings
    Book,
    /// No upstream source in the repository
    Originality,
    /// Every command that the documents show works
    Commands,
    /// The plugin's functions with arbitrary arguments, for a minute
    Fuzz,
    /// Random programs whose panics unwind, for a minute
    Unwinding,
    /// cargo demo
    Demo,
    /// The quick selection of cargo xtask conformance
    Conformance,
    /// The handful of cargo xtask sweep
    Sweep,
    /// Two of the examples, natively and under WasmEdge
    Examples,
    /// cargo xtask test
    Test,
}

const CHECKS: [Check; 12] = [
    Check::Fmt,
    Check::House,
    Check::Clippy,
    Check::Doc,
    Check::Book,
    Check::Originality,
    Check::Commands,
    Check::Fuzz,
    Check::Unwinding,
    Check::Demo,
    Check::Sweep,
    Check::Examples,
];

pub fn run(args: &Args) -> Result<bool> {
    let repo = Repo::open()?;
    let wanted = |check| args.only.is_empty() || args.only.contains(&check);
    let mut report = Report::default();
    let watch = Watch::begin(&repo)?;
    for check in CHECKS.into_iter().filter(|check| wanted(*check)) {
        let name = format!("{check:?}").to_lowercase();
        repo.shell.status("Checking", &name);
        let started = Instant::now();
        let done = match check {
            Check::Fmt => fmt(&repo),
            Check::House => house::check(&repo),
            Check::Clippy => clippy(&repo),
            Check::Doc => doc(&repo),
            Check::Book => book(&repo),
            Check::Originality => originality::check(&repo).map(drop),
            Check::Commands => commands::check(&repo),
            Check::Fuzz => fuzz::check(&repo),
            Check::Unwinding => unwinding(&repo),
            Check::Demo => demo(&repo),
            Check::Sweep => sweep(&repo, args.quick),
            Check::Examples => examples(&repo),
            Check::Conformance | Check::Test => Ok(()),
        };
        let done = done.and_then(|()| watch.no_process_is_left());
        if let Err(error) = &done {
            eprintln!("error: {name}: {error:#}");
        }
        report.check(&name, done.is_ok(), started.elapsed());
    }
    if wanted(Check::Conformance) {
        let started = Instant::now();
        if let Err(error) = conformance(&repo, &mut report) {
            eprintln!("error: conformance: {error:#}");
            report.check("conformance", false, started.elapsed());
        }
        nothing_is_left(&watch, &repo, "conformance", &mut report);
    }
    if wanted(Check::Test) {
        let tests = test::Args {
            quick: args.quick,
            ..test::Args::default()
        };
        report = test::run_after(report, &tests)?;
        nothing_is_left(&watch, &repo, "test", &mut report);
    }
    Ok(report.print(!wanted(Check::Test) || !is_ci()))
}

/// A line of the table for what a check with many lines leaves behind.
fn nothing_is_left(watch: &Watch, repo: &Repo, name: &str, report: &mut Report) {
    let started = Instant::now();
    let done = (watch.no_process_is_left()).and_then(|()| watch.checkout_is_unchanged(repo));
    if let Err(error) = &done {
        eprintln!("error: after {name}: {error:#}");
    }
    let name = format!("nothing left by {name}");
    report.check(&name, done.is_ok(), started.elapsed());
}

fn fmt(repo: &Repo) -> Result<()> {
    repo.must(&mut repo.cargo(["fmt", "--all", "--check"]))?;
    for folder in ["behaviour", "apps", "bench", "compat", "plugin"] {
        let folder = repo.root.join("tests-integration").join(folder);
        repo.must(repo.cargo(["fmt", "--all", "--check"]).current_dir(folder))?;
    }
    // Workspaces of their own, each with one file: all at once.
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--check"]);
    for row in repo.root.join("tests-integration/sweep").read_dir()? {
        rustfmt.arg(row?.path().join("src/main.rs"));
    }
    repo.must(&mut rustfmt)?;
    for entry in repo.root.join("examples").read_dir()? {
        let path = entry?.path();
        if path.join("Cargo.toml").is_file() {
            repo.must(repo.cargo(["fmt", "--check"]).current_dir(path))?;
        }
    }
    Ok(())
}

fn clippy(repo: &Repo) -> Result<()> {
    let words = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    repo.must(&mut repo.cargo(words))?;
    let words = [
        "clippy",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    let mut behaviour = repo.cargo(words);
    behaviour
        .current_dir(repo.behaviour())
        .env("CARGO_TARGET_DIR", repo.target.join("behaviour"));
    repo.must(&mut behaviour)?;
    for_the_target(repo)
}

/// What is compiled into guests, for the guests' target.
fn for_the_target(repo: &Repo) -> Result<()> {
    let tools = Tools::set_up(repo, &[semver::VersionReq::STAR])?;
    let mut command = tools.plain_cargo(tools.newest());
    command.current_dir(&repo.root);
    // Only rustup's toolchains bring a clippy that knows their standard library.
    let has_clippy = tools.rust.origin != cargo_wasmedge::toolchain::Origin::Private;
    command.arg(if has_clippy { "clippy" } else { "check" });
    for package in test::GUEST_PACKAGES {
        command.args(["--package", package]);
    }
    command.args(["--all-targets", "--locked"]);
    if has_clippy {
        command.args(["--", "-D", "warnings"]);
    } else {
        let message = format!(
            "clippy has no {}: the compiler's own lints have to do",
            rust::TARGET
        );
        repo.shell.note(message);
        command.env("RUSTFLAGS", "-D warnings");
    }
    repo.must(&mut command)
}

fn doc(repo: &Repo) -> Result<()> {
    let mut command = repo.cargo(["doc", "--workspace", "--no-deps", "--locked"]);
    repo.must(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn book(repo: &Repo) -> Result<()> {
    let mut command = Tool::Book.command(["book"]);
    command.current_dir(&repo.root);
    ensure!(repo.succeeds(&mut command)?, "`cargo xtask book` failed");
    Ok(())
}

/// From the same seed each time, so that a failure is had again. Other seeds are tried by
/// hand, for longer.
fn unwinding(repo: &Repo) -> Result<()> {
    let mut command = Tool::Unwinding.command(["unwinding", "--minutes", "1", "--seed", "1"]);
    command.current_dir(&repo.root);
    ensure!(
        repo.succeeds(&mut command)?,
        "`cargo xtask unwinding` failed"
    );
    Ok(())
}

/// In a process of its own, as a user would.
fn demo(repo: &Repo) -> Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("demo").current_dir(&repo.root);
    ensure!(repo.succeeds(&mut command)?, "`cargo demo` failed");
    Ok(())
}

/// What old apps have, and what brings most crates: minutes each. Older yet is
/// `tests-integration/old`, which is a test.
const LONG_ROWS: [&str; 3] = ["reqwest11", "mysql_async34", "aws-sdk-s3"];

/// Rows that need no server and build quickly, each for another cause; in a long run
/// [`LONG_ROWS`], too.
fn sweep(repo: &Repo, quick: bool) -> Result<()> {
    let mut runs = vec![vec!["sweep", "--quick"]];
    if !quick {
        runs.push(["sweep"].into_iter().chain(LONG_ROWS).collect());
    }
    for words in runs {
        let mut command = Tool::Sweep.command(words);
        command.current_dir(&repo.root);
        ensure!(repo.succeeds(&mut command)?, "`cargo xtask sweep` failed");
    }
    Ok(())
}

/// Those that need no server and build quickly: `cargo xtask compat` runs all.
fn examples(repo: &Repo) -> Result<()> {
    let mut command = Tool::Compat.command(["compat", "echo", "chat"]);
    command.current_dir(&repo.root);
    ensure!(repo.succeeds(&mut command)?, "`cargo xtask compat` failed");
    Ok(())
}

/// The quick selection. Its lines become lines of our table.
fn conformance(repo: &Repo, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let lines = folder.path().join("report.json");
    let words = [
        "conformance",
        "--quick",
        "--wasmedge",
        "~0.17.1",
        "--report",
    ];
    let mut command = Tool::Conformance.command(words);
    command.arg(&lines).current_dir(&repo.root);
    let succeeded = repo.succeeds(&mut command)?;
    // An error may come after some suites.
    if succeeded || lines.is_file() {
        report.take_over(&lines)?;
    }
    ensure!(succeeded, "`cargo xtask conformance` failed");
    Ok(())
}
