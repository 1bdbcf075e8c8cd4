//! Help texts are part of the interface: a change shows up in `expected/`.

use crate::fake::Fake;

fn check(args: &str, expected: &str) {
    let fake = Fake::new("1.97.1");
    let mut command = fake.command(args.split_whitespace());
    let output = command.env("COLUMNS", "100").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text == expected, "the help of `{args}` is now\n{text}");
}

#[test]
fn main_help() {
    check("--help", include_str!("expected/help.txt"));
    check("help", include_str!("expected/help.txt"));
}

#[test]
fn own_commands() {
    check("setup --help", include_str!("expected/setup.txt"));
    check("help doctor", include_str!("expected/doctor.txt"));
    check("compile --help", include_str!("expected/compile.txt"));
    check("vendor --help", include_str!("expected/vendor.txt"));
    check("diff --help", include_str!("expected/diff.txt"));
    check("env --help", include_str!("expected/env.txt"));
}

#[test]
fn version() {
    check(
        "--version",
        concat!("cargo-wasmedge ", env!("CARGO_PKG_VERSION"), "\n"),
    );
}
