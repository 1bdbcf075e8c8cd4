//! `cargo xtask conformance`: upstream's own tests on the ported crates, natively
//! and under WasmEdge.
//!
//! * `args` and `suites`: what is run, and in which order;
//! * `suite`: the folders that a suite is built in;
//! * `run`: a suite in one place, `native` without WasmEdge, `all` in every place;
//! * `results`: nextest, and what became of each test;
//! * `expectations`: the tests that cannot pass, and why; `judge` compares;
//! * `section` and `page`: `docs/conformance.md`;
//! * `unwinding`: the tests that need the setting `unwind`;
//! * `gated`: what upstream's own gates leave out natively.

mod all;
mod args;
mod expectations;
mod gated;
mod judge;
mod native;
mod page;
mod results;
mod run;
mod section;
mod suite;
mod suites;
mod unwinding;

use std::process::ExitCode;

use clap::Parser;

/// Upstream's own tests on the ported crates
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Tool {
    /// Run upstream's own tests on the ported crates
    Conformance(args::Args),
}

fn main() -> ExitCode {
    let Tool::Conformance(args) = Tool::parse();
    tools_common::exit_code(suites::run(&args))
}
