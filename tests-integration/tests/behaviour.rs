//! The behaviour tests as a whole: natively, and under every WasmEdge both
//! interpreted and compiled. `cargo wasmedge nextest run` in
//! `tests-integration/behaviour` runs them one by one.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tests_integration::suite::On;
use tests_integration::{Guard, Host, Suite, Workbench};

/// For all tests together, one after another and interpreted.
const LIMIT: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("all_behaviour_tests_pass", On::Everywhere, all)
        .run()
}

fn all(workbench: &Workbench, host: &Host) -> Result<()> {
    let program = workbench.tests(&workbench.sources().join("behaviour"), host)?;
    let mut command = workbench.run_program(&program, host)?;
    command.current_dir(workbench.sources().join("behaviour"));
    let ended = Guard::run(command, LIMIT)?;
    if !ended.status.success() {
        // A guest's failed test ends the program: the last lines say which.
        let mut last: Vec<&str> = ended.stdout.lines().collect();
        last.drain(..last.len().saturating_sub(40));
        bail!("{}\n{}\n{}", ended.status, last.join("\n"), ended.stderr);
    }
    let summary = ended
        .stdout
        .lines()
        .rfind(|line| line.starts_with("test result: ok. "))
        .with_context(|| format!("no summary: {ended}"))?;
    let passed: u32 = summary["test result: ok. ".len()..]
        .split(' ')
        .next()
        .unwrap_or_default()
        .parse()?;
    ensure!(passed >= 300, "only {passed} tests ran: {summary}");
    Ok(())
}
