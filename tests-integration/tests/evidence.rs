//! A published crate that takes every wasm32 for a browser, and has no port of its own.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("its_timers_are_those_of_tokio", On::Everywhere, retry)
        .run()
}

fn retry(workbench: &Workbench, host: &Host) -> Result<()> {
    let command = workbench.command(App::Own("retry"), host)?;
    let ended = Guard::run(command, LIMIT)?.successful()?;
    ensure!(ended.stdout == "connected, refused before: true", "{ended}");
    Ok(())
}
