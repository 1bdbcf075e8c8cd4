//! What a program has written arrives, however the program ends.

use std::io::Read;
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("after_return", On::Everywhere, after_return)
        .test("after_exit", On::Everywhere, after_exit)
        .test("after_panic", On::Everywhere, after_panic)
        .test("after_exit_with_a_slow_peer", On::Interpreted, slow_peer)
        .run()
}

/// Runs the program, and gives its exit code and what it sent.
fn ended(workbench: &Workbench, host: &Host, how: &str) -> Result<(Option<i32>, String)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut command = workbench.command(App::Own("probe"), host)?;
    command.args(["leave", &listener.local_addr()?.to_string(), how]);
    let guard = Guard::start(command)?;
    let mut received = String::new();
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream
        .read_to_string(&mut received)
        .context("the connection does not end")?;
    Ok((guard.wait(LIMIT)?.code(), received))
}

fn after_return(workbench: &Workbench, host: &Host) -> Result<()> {
    let ended = ended(workbench, host, "return")?;
    ensure!(ended == (Some(0), "last words".to_owned()), "{ended:?}");
    Ok(())
}

fn after_exit(workbench: &Workbench, host: &Host) -> Result<()> {
    let ended = ended(workbench, host, "exit")?;
    ensure!(ended == (Some(7), "last words".to_owned()), "{ended:?}");
    Ok(())
}

fn after_panic(workbench: &Workbench, host: &Host) -> Result<()> {
    let (code, received) = ended(workbench, host, "panic")?;
    // Natively 101, under WasmEdge that of a trap.
    ensure!(code != Some(0), "{code:?}");
    ensure!(received == "last words", "{received:?}");
    Ok(())
}

/// What the kernel did not take before the program ended goes out while it ends.
fn slow_peer(workbench: &Workbench, host: &Host) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut command = workbench.command(App::Own("probe"), host)?;
    command.args(["leave", &listener.local_addr()?.to_string(), "flood"]);
    let mut guard = Guard::start(command)?;
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(LIMIT))?;
    let line = guard.line("sent ")?;
    let sent: usize = line.trim_start_matches("sent ").trim().parse()?;
    std::thread::sleep(Duration::from_millis(100));
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    ensure!(received.len() == sent, "{} of {sent}", received.len());
    let code = guard.wait(LIMIT)?.code();
    ensure!(code == Some(7), "{code:?}");
    Ok(())
}
