//! An app of 2023, with the lockfile that it has kept, does under WasmEdge what it does
//! natively.

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("socket2_of_both_releases", On::WasmEdge, |bench, host| {
            same(bench, host, "socket2")
        })
        .test("hyper_serves_and_asks", On::WasmEdge, |bench, host| {
            same(bench, host, "hyper")
        })
        .test("axum_is_asked_with_reqwest", On::WasmEdge, |bench, host| {
            same(bench, host, "axum")
        })
        .run()
}

fn output(workbench: &Workbench, host: &Host, check: &str) -> Result<String> {
    let mut command = workbench.command(App::Old("old"), host)?;
    command.arg(check);
    let ended = Guard::run(command, LIMIT)?.successful();
    Ok(ended.with_context(|| host.to_string())?.stdout)
}

fn same(workbench: &Workbench, host: &Host, check: &str) -> Result<()> {
    let lockfile = workbench.sources().join("old/Cargo.lock");
    let before = std::fs::read(&lockfile)?;
    let native = output(workbench, &Host::Native, check)?;
    let here = output(workbench, host, check)?;
    ensure!(native.lines().count() > 5, "{native}");
    ensure!(here == native, "natively:\n{native}\nhere:\n{here}");
    ensure!(std::fs::read(&lockfile)? == before, "the lockfile changed");
    Ok(())
}
