//! Signals, which WasmEdge's guests are told of with the plugin.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use tests_integration::guard::Signal;
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("each_signal_is_told_as_natively", On::Interpreted, told)
        .run()
}

fn told(workbench: &Workbench, host: &Host) -> Result<()> {
    // The plugin is for Linux.
    if !host.is_native() && !cfg!(target_os = "linux") {
        return Ok(());
    }
    let mut command = workbench.command(App::Own("signals"), host)?;
    if !host.is_native() {
        command.env("CARGO_WASMEDGE_PLUGIN", workbench.plugin()?);
    }
    let mut guard = Guard::start(command)?;
    guard.line("listening")?;
    for (signal, line) in [
        (Signal::HUP, "1: hangup"),
        (Signal::USR1, "2: user"),
        (Signal::INT, "3: ctrl_c Ok(())"),
        (Signal::USR1, "4: user"),
        (Signal::INT, "5: ctrl_c Ok(())"),
    ] {
        guard.signal(signal)?;
        guard.line(line)?;
    }
    // The app listens for it itself: `ctrl_c()` does not complete.
    guard.signal(Signal::TERM)?;
    let ended = guard.wait(LIMIT)?.successful()?;
    ensure!(ended.stdout.lines().last() == Some("terminated"), "{ended}");
    ensure!(ended.stdout.lines().count() == 7, "{ended}");
    Ok(())
}
