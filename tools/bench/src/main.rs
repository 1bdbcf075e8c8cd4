//! `cargo xtask bench`, `soak` and `instances`: how close to native, for how long, and on how
//! many processors.
//!
//! * `rows` and `work`: what is measured, from `rows.toml`;
//! * `place`: the programs, built natively and for every WasmEdge;
//! * `measure`: one measurement in one place;
//! * `bench`: rounds of all of them; `results`, `figures`, `table`, `page` and `plot` show
//!   what came of it;
//! * `soak`: one server over millions of requests;
//! * `instances`: one server or two of it, on one port;
//! * `process`, `processor` and `open_files`: what the system tells and allows.

mod bench;
mod figures;
mod instances;
mod measure;
mod open_files;
mod page;
mod place;
mod plot;
mod process;
mod processor;
mod results;
mod rows;
mod soak;
mod table;
mod work;
mod wrk;

use std::process::ExitCode;

use clap::Parser;

/// How close to native, and for how long
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Tool {
    /// Measure how close to native programs are under WasmEdge
    Bench(bench::Args),
    /// See whether a server keeps its memory and its speed over millions of requests
    Soak(soak::Args),
    /// Measure what a second instance brings, beside native tokio's threads
    Instances(instances::Args),
}

fn main() -> ExitCode {
    tools_common::exit_code(match Tool::parse() {
        Tool::Bench(args) => bench::run(&args),
        Tool::Soak(args) => soak::run(&args),
        Tool::Instances(args) => instances::run(&args),
    })
}
