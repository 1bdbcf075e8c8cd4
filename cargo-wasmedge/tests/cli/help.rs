//! Help texts are part of the interface: a change shows up in `expected/`.
//!
//! `SNAPSHOTS=overwrite cargo test -p cargo-wasmedge` writes the new ones.

use snapbox::{Data, assert_data_eq, file};

use crate::fake::Fake;

fn check(args: &str, expected: Data) {
    let fake = Fake::new("1.97.1");
    let mut command = fake.command(args.split_whitespace());
    let output = command.env("COLUMNS", "100").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_data_eq!(text, expected.raw());
}

#[test]
fn main_help() {
    check("--help", file!["expected/help.txt"]);
    check("help", file!["expected/help.txt"]);
}

#[test]
fn settings() {
    check("help settings", file!["expected/settings.txt"]);
}

#[test]
fn own_commands() {
    check("setup --help", file!["expected/setup.txt"]);
    check("help doctor", file!["expected/doctor.txt"]);
    check("compile --help", file!["expected/compile.txt"]);
    check("completions --help", file!["expected/completions.txt"]);
    check("plugin --help", file!["expected/plugin.txt"]);
    check("image --help", file!["expected/image.txt"]);
    check("vendor --help", file!["expected/vendor.txt"]);
    check("diff --help", file!["expected/diff.txt"]);
    check("env --help", file!["expected/env.txt"]);
}

#[test]
fn version() {
    let version = concat!("cargo-wasmedge ", env!("CARGO_PKG_VERSION"), "\n");
    check("--version", Data::text(version));
}
