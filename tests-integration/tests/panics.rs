//! What is seen of a panic, and of other bad ends.

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use tests_integration::guard::Ended;
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

const SOURCE: &str = include_str!("../apps/panics/src/main.rs");

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("exit_codes", On::Everywhere, exit_codes)
        .test("names_and_lines", On::Everywhere, names_and_lines)
        .test("of_a_trap", On::Everywhere, of_a_trap)
        .test("the_hint", On::Interpreted, the_hint)
        .test("a_failing_test", On::Interpreted, a_failing_test)
        .run()
}

/// The line of the app's source that ends with this comment.
fn line(comment: &str) -> Result<usize> {
    let end = format!("// {comment}");
    let index = SOURCE.lines().position(|line| line.ends_with(&end));
    Ok(index.context("no such line")? + 1)
}

fn run(workbench: &Workbench, host: &Host, how: &str, backtrace: &str) -> Result<Ended> {
    let mut command = workbench.command(App::Own("panics"), host)?;
    command.arg(how).env("RUST_BACKTRACE", backtrace);
    Guard::run(command, LIMIT)
}

/// Whether WasmEdge tells which functions were active. Since 0.15.0.
fn tells(host: &Host) -> bool {
    match host {
        Host::Native => true,
        Host::WasmEdge(edge, ..) => (edge.version.major, edge.version.minor) >= (0, 15),
    }
}

/// The table in docs/debugging.md.
fn exit_codes(workbench: &Workbench, host: &Host) -> Result<()> {
    // Without a code natively: a signal ended it.
    for (how, natively, under_wasmedge, said) in [
        ("main", Some(101), 134, "it is over: main"),
        ("task", Some(0), 134, "it is over: task"),
        ("blocking", Some(0), 134, "it is over: blocking"),
        (
            "in-place",
            Some(101),
            134,
            "only when running on the multi-threaded runtime",
        ),
        ("double", None, 134, "it is over: first"),
        ("abort", None, 134, ""),
        ("exit", Some(3), 3, ""),
        ("overflow", None, 134, ""),
    ] {
        for backtrace in ["0", "1"] {
            let ended = run(workbench, host, how, backtrace)?;
            let expected = match host.is_native() {
                true => natively,
                false => Some(under_wasmedge),
            };
            let code = ended.status.code();
            ensure!(code == expected, "{how}: {code:?}\n{}", ended.stderr);
            ensure!(ended.stderr.contains(said), "{how}: {}", ended.stderr);
            ensure!(!ended.stdout.contains("blocked in place"), "{how}");
            let goes_on = ended.stdout.contains("went on: true");
            ensure!(
                goes_on == (natively == Some(0) && host.is_native()),
                "{how}"
            );
        }
    }
    Ok(())
}

/// Each of `words` stands behind the one before.
fn in_order(text: &str, words: &[&str]) -> Result<()> {
    let mut rest = text;
    for word in words {
        let at = rest.find(word);
        let at = at.with_context(|| format!("no {word:?}, or not in this order: {text}"))?;
        rest = &rest[at + word.len()..];
    }
    Ok(())
}

fn names_and_lines(workbench: &Workbench, host: &Host) -> Result<()> {
    let places = match host.has_plugin() {
        // What is made of the program for it has names only.
        true => [String::new(), String::new()],
        false => [
            format!("main.rs:{}:", line("the panic")?),
            format!("main.rs:{}:", line("calls innermost")?),
        ],
    };
    for how in ["main", "task"] {
        let said = run(workbench, host, how, "1")?.stderr;
        if !tells(host) {
            in_order(
                &said,
                &["it is over", "0.14.1 does not tell", "--wasmedge 0.17"],
            )?;
            continue;
        }
        in_order(
            &said,
            &[
                "it is over",
                "stack backtrace:",
                ": core::panicking::panic_fmt",
                ": panics::innermost",
                &places[0],
                ": panics::outer",
                &places[1],
                "panics::main",
            ],
        )?;
        for machinery in ["rust_panic", "panic_with_hook", ": _start", "lang_start"] {
            ensure!(!said.contains(machinery), "{said}");
        }
        let said = run(workbench, host, how, "full")?.stderr;
        // Hashes are in the names, as the compiler mangles them.
        in_order(
            &said,
            &[
                "__rust_end_short_backtrace",
                "panic_fmt",
                "::innermost",
                "::outer",
                "_start",
            ],
        )?;
    }
    Ok(())
}

fn of_a_trap(workbench: &Workbench, host: &Host) -> Result<()> {
    let said = run(workbench, host, "overflow", "1")?;
    if host.is_native() {
        return in_order(&said.stderr, &["has overflowed its stack"]);
    }
    ensure!(
        said.stdout.contains("out of bounds memory access"),
        "{}",
        said.stdout
    );
    ensure!(!said.stdout.contains("calling stack"), "{}", said.stdout);
    if tells(host) {
        in_order(
            &said.stderr,
            &["stack backtrace:", ": panics::overflow", "the same"],
        )?;
    } else if said.stdout.contains("Bytecode offset") {
        in_order(&said.stderr, &["stack backtrace:", ": panics::overflow"])?;
    } else {
        in_order(&said.stderr, &["0.14.1 does not tell"])?;
    }
    Ok(())
}

/// std itself says how to get a backtrace.
fn the_hint(workbench: &Workbench, host: &Host) -> Result<()> {
    let ended = run(workbench, host, "main", "0")?;
    in_order(
        &ended.stderr,
        &["it is over", "note: run with `RUST_BACKTRACE=1`"],
    )
}

fn a_failing_test(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command = match host.is_native() {
        true => workbench.cargo(),
        false => workbench.wasmedge(host)?,
    };
    command
        .args(["test", "--package", "panics", "--manifest-path"])
        .arg(workbench.sources().join("apps/Cargo.toml"))
        .arg("--target-dir")
        .arg(workbench.target())
        .args(["--", "--include-ignored", "--test-threads=1"]);
    let ended = Guard::run(command, tests_integration::build::BUILD_LIMIT)?;
    let place = format!("main.rs:{}:", line("the assertion")?);
    ensure!(!ended.status.success(), "{}", ended.stdout);
    in_order(
        &ended.stdout,
        &["test tests::a_passes", "test tests::b_fails"],
    )?;
    // Natively libtest keeps it, and prints it on standard output.
    let said = format!("{}\n{}", ended.stderr, ended.stdout);
    in_order(
        &said,
        &[
            "panicked at",
            &place,
            "assertion `left == right` failed: as it has to",
        ],
    )?;
    if !host.is_native() {
        in_order(
            &ended.stderr,
            &["as it has to", "did not run", "cargo wasmedge nextest run"],
        )?;
    }
    Ok(())
}
