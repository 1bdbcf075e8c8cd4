//! Standard input and output, exit codes.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("lines_are_read_as_they_come", On::Interpreted, lines)
        .test(
            "waiting_for_input_does_not_stop_the_clock",
            On::Interpreted,
            clock,
        )
        .test("end_of_input_is_seen", On::Interpreted, end)
        .test("large_input_is_read_in_full", On::Interpreted, large)
        .test("waiting_for_input_costs_nothing", On::Interpreted, idle)
        .test("exit_code_is_passed_on", On::Everywhere, exit_code)
        .run()
}

fn reader(workbench: &Workbench, host: &Host) -> Result<Guard> {
    let mut command = workbench.command(App::Own("probe"), host)?;
    command.arg("lines");
    Guard::start(command)
}

fn lines(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut guard = reader(workbench, host)?;
    guard.write("one\n")?;
    guard.line("line 1: one")?;
    guard.write("two\nthree\nfo")?;
    guard.line("line 3: three")?;
    guard.write("ur\n")?;
    guard.line("line 4: four")?;
    guard.write("unfinished")?;
    guard.close_stdin();
    let ended = guard.wait(LIMIT)?.successful()?;
    ensure!(ended.stdout.contains("line 5: unfinished"), "{ended}");
    ensure!(ended.stdout.ends_with("end after 5 lines"), "{ended}");
    Ok(())
}

fn clock(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut guard = reader(workbench, host)?;
    guard.line("20 ticks")?;
    guard.write("late\n")?;
    guard.line("line 1: late")?;
    Ok(())
}

fn end(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut guard = reader(workbench, host)?;
    guard.close_stdin();
    let ended = guard.wait(LIMIT)?.successful()?;
    ensure!(ended.stdout == "end after 0 lines", "{ended}");
    Ok(())
}

fn large(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut guard = reader(workbench, host)?;
    let line = "x".repeat(200);
    for _ in 0..40 {
        guard.write(&format!("{line}\n").repeat(50))?;
    }
    guard.close_stdin();
    let ended = guard.wait(LIMIT)?.successful()?;
    ensure!(ended.stdout.ends_with("end after 2000 lines"), "{ended}");
    Ok(())
}

fn idle(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command = workbench.command(App::Own("probe"), host)?;
    command.arg("wait");
    let mut guard = Guard::start(command)?;
    guard.line("waiting")?;
    guard.is_idle()?;
    guard.write("go\n")?;
    guard.line("line: go")?;
    Ok(())
}

fn exit_code(workbench: &Workbench, host: &Host) -> Result<()> {
    for code in [0, 1, 7, 97, 255] {
        let mut command = workbench.command(App::Own("probe"), host)?;
        command.args(["exit", &code.to_string()]);
        let ended = Guard::run(command, Duration::from_secs(60))?;
        ensure!(ended.code() == Some(code), "{ended}");
    }
    Ok(())
}
