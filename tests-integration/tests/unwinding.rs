//! Panics that unwind, with the setting `unwind`: what they cost natively and no more.

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::run::runner;
use tests_integration::build::BUILD_LIMIT;
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("exit_codes", On::Everywhere, exit_codes)
        .test("tasks_and_handlers", On::Everywhere, tasks_and_handlers)
        .test("lines_of_a_trap", On::WasmEdge, lines_of_a_trap)
        .test("what_is_left_is_plain", On::WasmEdge, what_is_left_is_plain)
        .test("failing_tests", On::Interpreted, failing_tests)
        .run()
}

/// `cargo wasmedge --unwind`, for the apps, after what it needs was set up.
fn cargo(workbench: &Workbench, host: &Host, subcommand: &str) -> Result<std::process::Command> {
    if host.is_native() {
        let mut command = workbench.cargo();
        command.arg(subcommand);
        return Ok(with_place(workbench, command, host));
    }
    workbench.once("setup --unwind", || {
        let mut command = workbench.wasmedge(host)?;
        command.args(["setup", "--unwind"]);
        Guard::run(command, BUILD_LIMIT)?.successful()?;
        Ok(())
    })?;
    let mut command = workbench.wasmedge(host)?;
    command.args(["--unwind", subcommand]);
    Ok(with_place(workbench, command, host))
}

/// A target folder of their own: others build the same apps without unwinding.
fn with_place(
    workbench: &Workbench,
    mut command: std::process::Command,
    host: &Host,
) -> std::process::Command {
    let target = match host.is_native() {
        true => workbench.target(),
        false => workbench.tmp().join("unwinding"),
    };
    command
        .arg("--manifest-path")
        .arg(workbench.sources().join("apps/Cargo.toml"))
        .arg("--target-dir")
        .arg(target);
    command
}

/// The app `name`, ready to run.
fn program(
    workbench: &Workbench,
    host: &Host,
    name: &'static str,
) -> Result<std::process::Command> {
    if host.is_native() {
        return workbench.command(App::Own(name), host);
    }
    workbench.once(&format!("unwinding {name}"), || {
        let mut command = cargo(workbench, host, "build")?;
        command.args(["--package", name]);
        Guard::run(command, BUILD_LIMIT)?.successful()?;
        Ok(())
    })?;
    let folder = workbench.tmp().join("unwinding/wasm32-wasip1/debug");
    let mut command = workbench.run_program(&folder.join(format!("{name}.wasm")), host)?;
    command.env("CARGO_WASMEDGE_UNWIND", "true");
    ensure!(
        command
            .get_args()
            .next()
            .is_some_and(|arg| arg == runner::SUBCOMMAND)
    );
    Ok(command)
}

/// As natively. What ends by a signal there has no code, and 134 here.
fn exit_codes(workbench: &Workbench, host: &Host) -> Result<()> {
    for (how, natively, said) in [
        ("main", Some(101), "it is over: main"),
        ("task", Some(0), "it is over: task"),
        ("blocking", Some(0), "it is over: blocking"),
        ("double", None, "it is over: again"),
        ("abort", None, ""),
        ("exit", Some(3), ""),
        ("overflow", None, ""),
    ] {
        let mut command = program(workbench, host, "panics")?;
        command.arg(how);
        let ended = Guard::run(command, LIMIT)?;
        let expected = match host.is_native() {
            true => natively,
            false => natively.or(Some(134)),
        };
        let code = ended.status.code();
        ensure!(code == expected, "{how}: {code:?}\n{}", ended.stderr);
        ensure!(ended.stderr.contains(said), "{how}: {}", ended.stderr);
        let goes_on = ended.stdout.contains("went on: true");
        ensure!(goes_on == (natively == Some(0)), "{how}");
    }
    Ok(())
}

const TASKS: &str = "\
true: a task panics
true: a closure panics
of a set: 4, 1 panicked
true, poisoned: true
a local task panics
/: HTTP/1.1 200 OK
/panics: nothing
/: HTTP/1.1 200 OK
/caught: HTTP/1.1 500 Internal Server Error
/: HTTP/1.1 200 OK
the server goes on: true
";

fn tasks_and_handlers(workbench: &Workbench, host: &Host) -> Result<()> {
    let command = program(workbench, host, "unwinding")?;
    let ended = Guard::run(command, LIMIT)?.successful()?;
    ensure!(ended.stdout == TASKS.trim_end(), "{}", ended.stdout);
    Ok(())
}

/// Debug information is that of the program before exception handling was removed.
fn lines_of_a_trap(workbench: &Workbench, host: &Host) -> Result<()> {
    const SOURCE: &str = include_str!("../apps/panics/src/main.rs");
    let at = SOURCE
        .lines()
        .position(|line| line.ends_with("// calls itself"));
    let line = at.context("no such line")? + 1;
    let mut command = program(workbench, host, "panics")?;
    command.arg("overflow").env("RUST_BACKTRACE", "1");
    let said = Guard::run(command, LIMIT)?.stderr;
    let is_told = match host {
        Host::WasmEdge(edge, ..) => (edge.version.major, edge.version.minor) >= (0, 15),
        Host::Native => false,
    };
    // An older one tells the innermost function only, and where in it the trap was.
    let place = match is_told {
        true => format!("main.rs:{line}:"),
        false => "main.rs:".to_owned(),
    };
    let is_there = said.contains(": panics::overflow") && said.contains(&place);
    ensure!(is_there, "no {place}: {said}");
    Ok(())
}

/// Any WasmEdge runs it, without our runner.
fn what_is_left_is_plain(workbench: &Workbench, host: &Host) -> Result<()> {
    let Host::WasmEdge(edge, ..) = host else {
        return Ok(());
    };
    program(workbench, host, "panics")?;
    let program = workbench
        .tmp()
        .join("unwinding/wasm32-wasip1/debug/panics.wasm");
    let mut command = std::process::Command::new(&edge.program);
    command.arg(program).arg("task");
    let ended = Guard::run(command, LIMIT)?.successful()?;
    ensure!(ended.stdout.contains("went on: true"), "{}", ended.stdout);
    Ok(())
}

/// One that fails costs itself only, and those that should panic run.
fn failing_tests(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command = cargo(workbench, host, "test")?;
    command.args([
        "--package",
        "panics",
        "--",
        "--include-ignored",
        "--test-threads=1",
    ]);
    let ended = Guard::run(command, BUILD_LIMIT)?;
    ensure!(!ended.status.success(), "{}", ended.stdout);
    for line in [
        "test tests::a_passes ... ok",
        "test tests::b_fails ... FAILED",
        "test tests::c_passes ... ok",
        "test tests::d_should_panic - should panic ... ok",
        "test result: FAILED. 3 passed; 1 failed; 0 ignored",
        "assertion `left == right` failed: as it has to",
        // What the failing one has printed, and no other.
        "said by b",
    ] {
        ensure!(
            ended.stdout.contains(line),
            "no {line:?}: {}\n{}",
            ended.stdout,
            ended.stderr
        );
    }
    ensure!(!ended.stdout.contains("said by a"), "{}", ended.stdout);
    Ok(())
}
