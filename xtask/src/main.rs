//! The project's chores. `cargo xtask help` lists them.

mod bench;
mod ci;
mod commands;
mod compat;
mod conformance;
mod demo;
mod originality;
mod outcome;
mod repo;
mod setup;
mod test;
mod upstream;

use std::process::ExitCode;

use anstream::eprintln;
use cargo_wasmedge::error::Error;
use clap::Parser;

/// The project's chores
#[derive(Debug, Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
enum Chore {
    /// Run the project's tests, natively and under WasmEdge
    Test(test::Args),
    /// Run mini-redis and hyper, as published, under WasmEdge
    Demo(demo::Args),
    /// Make every check that continuous integration makes
    Ci(ci::Args),
    /// Run published crates in small apps, against real peers
    Compat(compat::Args),
    /// Run upstream's own tests on the ported crates
    Conformance(conformance::Args),
    /// Measure how close to native programs are under WasmEdge
    Bench(bench::Args),
    /// See whether a server keeps its memory and its speed over millions of requests
    Soak(bench::soak::Args),
    /// Try the ports on the newest upstream releases
    Upstream(upstream::Args),
}

fn main() -> ExitCode {
    let done = match Chore::parse() {
        Chore::Test(args) => test::run(&args),
        Chore::Demo(args) => demo::run(&args),
        Chore::Ci(args) => ci::run(&args),
        Chore::Compat(args) => compat::run(&args),
        Chore::Conformance(args) => conformance::run(&args),
        Chore::Bench(args) => bench::run(&args),
        Chore::Soak(args) => bench::soak::run(&args),
        Chore::Upstream(args) => upstream::run(&args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // What is missing has an exit code of its own there too.
            let code = error.downcast_ref().map_or(1, Error::exit_code);
            eprintln!("error: {error:#}");
            ExitCode::from(u8::try_from(code).unwrap_or(1))
        }
    }
}
