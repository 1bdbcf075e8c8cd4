//! `cargo xtask compat`: published crates in small apps, natively and under
//! WasmEdge, against real peers. With `--write` the result is a page.

mod page;
mod rows;
mod run;

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::toolchain::{self, Dirs, What};
use clap::Parser;
use tests_integration::Host;
use tests_integration::Mode;
use tests_integration::build::BIN_VARIABLE;
use tests_integration::host::{Execution, Hosts};
use tools_common::repo::is_ci;
use tools_common::setup::versions;
use tools_common::{Repo, Tools};

use crate::rows::Row;
use crate::run::{Outcome, Run};

const PAGE: &str = "docs/compatibility.md";

/// Published crates in small apps, against real peers
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Tool {
    /// Run published crates in small apps, against real peers
    Compat(Args),
}

fn main() -> ExitCode {
    let Tool::Compat(args) = Tool::parse();
    tools_common::exit_code(run(&args))
}

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Starts Debian's redis-server, postgresql, mariadb-server, nginx, mosquitto,
nats-server and memcached on loopback, where they are installed, and ends them.
ci/install-peers.sh installs them.")]
struct Args {
    /// Run only rows of these apps
    rows: Vec<String>,

    /// Use what was built before
    #[arg(long)]
    no_build: bool,

    /// Write docs/compatibility.md; it says of other rows that they were not run
    #[arg(long)]
    write: bool,
}

/// Gives whether every row went as it should.
fn run(args: &Args) -> Result<bool> {
    let repo = Repo::open()?;
    if std::env::var_os(BIN_VARIABLE).is_none() {
        let tools = Tools::set_up(&repo, &versions(&[]))?;
        let what = What {
            c: true,
            ..What::default()
        };
        toolchain::setup(&Dirs::new()?, &what, &repo.shell)?;
        // The workbench takes the program to use from its environment.
        let mut again = Command::new(std::env::current_exe()?);
        again
            .args(std::env::args_os().skip(1))
            .env(BIN_VARIABLE, &tools.cargo_wasmedge);
        std::process::exit(cargo_wasmedge::process::replace(again)?);
    }
    let rows = rows::read(&repo.root)?;
    if !args.rows.is_empty() {
        for name in &args.rows {
            let known = rows.iter().any(|row| row.app == *name);
            ensure!(known, "no row has the app {name}");
        }
    }
    let mut hosts = vec![Host::Native];
    let found = Hosts::find()?;
    for edge in found.wasmedges {
        hosts.push(Host::WasmEdge(edge, Execution::Interpreted, Mode::Plain));
    }
    for missing in found.left_out {
        repo.shell.warn(format_args!("no WasmEdge {missing}"));
    }
    let run = Run::new(&repo, hosts)?;
    let is_chosen = |row: &Row| args.rows.is_empty() || args.rows.contains(&row.app);
    if !args.no_build {
        let chosen: Vec<&Row> = rows.iter().filter(|row| is_chosen(row)).collect();
        run.build(&chosen)?;
    }
    let mut results = Vec::new();
    for row in &rows {
        results.push(match is_chosen(row) {
            true => run.row(row)?,
            false => vec![Outcome::LeftOut("not chosen".to_owned()); run.hosts.len()],
        });
    }
    if args.write {
        let page = page::text(&run, &rows, &results)?;
        fs::write(repo.root.join(PAGE), page).context(PAGE)?;
    }
    let mut held = true;
    for (row, outcomes) in rows.iter().zip(&results) {
        for (host, outcome) in run.hosts.iter().zip(outcomes) {
            held &= is_as_it_should_be(&repo, args, row, host, outcome);
        }
    }
    Ok(held)
}

/// Whether a row went on a host as `rows.toml` says.
fn is_as_it_should_be(repo: &Repo, args: &Args, row: &Row, host: &Host, outcome: &Outcome) -> bool {
    let cannot = row.cannot.is_some() && !host.is_native();
    match outcome {
        Outcome::Passed if cannot => {
            repo.shell.warn(format_args!(
                "{} ({host}): passes, and rows.toml says why it cannot",
                row.app
            ));
            false
        }
        Outcome::Passed => true,
        Outcome::Failed(_) => cannot,
        Outcome::LeftOut(_) => !is_ci() || !args.rows.is_empty(),
    }
}
