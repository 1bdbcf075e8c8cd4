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

/// Runs the program, which is to say its last words, and gives its exit code.
fn ended(workbench: &Workbench, host: &Host, how: &str) -> Result<Option<i32>> {
    let mut codes = Vec::new();
    for words in [&[how][..], &[how, "delay"]] {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut command = workbench.command(App::Own("probe"), host)?;
        command.args(["leave", &listener.local_addr()?.to_string()]);
        command.args(words);
        let guard = Guard::start(command)?;
        let mut received = String::new();
        let (mut stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream
            .read_to_string(&mut received)
            .context("the connection does not end")?;
        ensure!(received == "last words", "{words:?}: {received:?}");
        codes.push(guard.wait(LIMIT)?.code());
    }
    ensure!(codes[0] == codes[1], "{codes:?}");
    Ok(codes[0])
}

fn after_return(workbench: &Workbench, host: &Host) -> Result<()> {
    let code = ended(workbench, host, "return")?;
    ensure!(code == Some(0), "{code:?}");
    Ok(())
}

fn after_exit(workbench: &Workbench, host: &Host) -> Result<()> {
    let code = ended(workbench, host, "exit")?;
    ensure!(code == Some(7), "{code:?}");
    Ok(())
}

fn after_panic(workbench: &Workbench, host: &Host) -> Result<()> {
    let code = ended(workbench, host, "panic")?;
    // Natively 101, under WasmEdge that of a trap.
    ensure!(code != Some(0), "{code:?}");
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
