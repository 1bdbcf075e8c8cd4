//! `cargo xtask bench` and `cargo xtask soak`: how close to native, and for how long.
//!
//! * `rows` and `work`: what is measured, from `rows.toml`;
//! * `place`: the programs, built natively and for every WasmEdge;
//! * `measure`: one measurement in one place;
//! * `bench`: rounds of all of them; `results`, `figures`, `table`, `page` and `plot` show
//!   what came of it;
//! * `soak`: one server over millions of requests;
//! * `process`, `processor` and `open_files`: what the system tells and allows.

mod bench;
mod figures;
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
}

fn main() -> ExitCode {
    tools_common::exit_code(match Tool::parse() {
        Tool::Bench(args) => bench::run(&args),
        Tool::Soak(args) => soak::run(&args),
    })
}
