//! The project's chores. `cargo xtask help` lists them.

mod ci;
mod commands;
mod demo;
mod files;
mod fuzz;
mod house;
#[cfg(test)]
mod kubernetes;
mod leftovers;
mod originality;
mod test;
mod tool;
mod upstream;
#[cfg(test)]
mod workflows;

use std::process::ExitCode;

use clap::Parser;

use tool::{Passed, Tool};

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
    /// Make a book of HTML from the documents, in target/book
    #[command(disable_help_flag = true)]
    Book(Passed),
    /// Run published crates in small apps, against real peers
    #[command(disable_help_flag = true)]
    Compat(Passed),
    /// Run upstream's own tests on the ported crates
    #[command(disable_help_flag = true)]
    Conformance(Passed),
    /// Port and build the releases that the ports cover
    #[command(disable_help_flag = true)]
    Ports(Passed),
    /// Build and run what people add to a new app
    #[command(disable_help_flag = true)]
    Sweep(Passed),
    /// Compare random programs whose panics unwind with what they do natively
    #[command(disable_help_flag = true)]
    Unwinding(Passed),
    /// Measure how close to native programs are under WasmEdge
    #[command(disable_help_flag = true)]
    Bench(Passed),
    /// See whether a server keeps its memory and its speed over millions of requests
    #[command(disable_help_flag = true)]
    Soak(Passed),
    /// Measure what a second instance brings, beside native tokio's threads
    #[command(disable_help_flag = true)]
    Instances(Passed),
    /// Make everything that a release consists of, and publish nothing
    #[command(disable_help_flag = true)]
    Release(Passed),
    /// Try the ports on the newest upstream releases
    Upstream(upstream::Args),
}

fn main() -> ExitCode {
    tools_common::exit_code(match Chore::parse() {
        Chore::Test(args) => test::run(&args),
        Chore::Demo(args) => demo::run(&args),
        Chore::Ci(args) => ci::run(&args),
        Chore::Book(_) => tool::replace_with(Tool::Book),
        Chore::Compat(_) => tool::replace_with(Tool::Compat),
        Chore::Conformance(_) => tool::replace_with(Tool::Conformance),
        Chore::Ports(_) => tool::replace_with(Tool::Ports),
        Chore::Sweep(_) => tool::replace_with(Tool::Sweep),
        Chore::Unwinding(_) => tool::replace_with(Tool::Unwinding),
        Chore::Bench(_) | Chore::Soak(_) | Chore::Instances(_) => tool::replace_with(Tool::Bench),
        Chore::Release(_) => tool::replace_with(Tool::Release),
        Chore::Upstream(args) => upstream::run(&args),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Chore::command().debug_assert();
    }

    #[test]
    fn tools_read_their_own_words() {
        for words in [
            &["conformance", "--help"][..],
            &["conformance", "-h"],
            &["conformance", "tokio", "--filter", "binary(udp)"],
            &["bench"],
            &["soak", "--requests=0.2", "--", "-x"],
            &["instances", "--rounds", "3"],
            &["book"],
            &["compat", "--no-such-flag"],
            &["ports", "--all-releases", "tokio"],
            &["sweep", "reqwest13", "--write"],
            &["release", "--dry-run", "--out", "/tmp/out"],
            &["unwinding", "--minutes", "60"],
        ] {
            let line = std::iter::once(&"xtask").chain(words);
            let chore = Chore::try_parse_from(line).unwrap();
            let (Chore::Book(passed)
            | Chore::Compat(passed)
            | Chore::Conformance(passed)
            | Chore::Ports(passed)
            | Chore::Sweep(passed)
            | Chore::Release(passed)
            | Chore::Unwinding(passed)
            | Chore::Bench(passed)
            | Chore::Soak(passed)
            | Chore::Instances(passed)) = chore
            else {
                panic!("{chore:?}")
            };
            assert_eq!(passed.is_empty(), words.len() == 1);
        }
    }
}
