//! Guests that import its functions, or have stubs of them.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use anyhow::{Result, ensure};
use tests_integration::build::BUILD_LIMIT;
use tests_integration::guard::{Ended, Signal};
use tests_integration::suite::On;
use tests_integration::{Guard, Host, LIMIT, Mode, Suite, Workbench};

pub fn suite() -> Suite {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test_in(
            &[Mode::Plain],
            "every_function_does_its_work",
            On::WasmEdge,
            every_function,
        )
        .test_in(
            &[Mode::Plain],
            "unix_sockets_need_the_variable",
            On::WasmEdge,
            unix,
        )
        .test_in(
            &[Mode::Plain],
            "standard_input_can_be_waited_for",
            On::WasmEdge,
            stdin,
        )
        .test_in(
            &[Mode::Plain],
            "signals_can_be_waited_for",
            On::WasmEdge,
            signals,
        )
        .test_in(
            &[Mode::Plain],
            "without_the_plugin_nothing_is_imported",
            On::WasmEdge,
            without,
        )
        .test_in(
            &[Mode::Plain],
            "stubs_become_functions_where_the_plugin_is",
            On::WasmEdge,
            stubs,
        )
}

/// There is nothing to run natively: what natively holds is what the guest expects, number
/// by number.
fn both_ways(host: &Host) -> Vec<Host> {
    vec![host.clone(), host.compiled()]
}

/// The guest, with the plugin.
fn guest(workbench: &Workbench, host: &Host, words: &[&str]) -> Result<Command> {
    let mut command =
        workbench.run_program(&workbench.plugin_guest("plugin-guest", host)?, host)?;
    command
        .args(words)
        .env("WASMEDGE_PLUGIN_PATH", workbench.plugin()?)
        .env_remove(tokio_wasmedge_plugin::ALLOW_AF_UNIX);
    Ok(command)
}

fn successful(command: Command) -> Result<Ended> {
    Guard::run(command, LIMIT)?.successful()
}

fn every_function(workbench: &Workbench, host: &Host) -> Result<()> {
    for host in both_ways(host) {
        all_are_called(workbench, &host)?;
    }
    Ok(())
}

fn all_are_called(workbench: &Workbench, host: &Host) -> Result<()> {
    let ended = successful(guest(workbench, host, &["all"])?)?;
    let called = ended.stdout.lines().last().unwrap_or_default();
    let functions = tokio_wasmedge_plugin::functions::FUNCTIONS.iter();
    let mut names: Vec<&str> = functions.map(|function| function.name).collect();
    names.sort_unstable();
    ensure!(called == format!("called: {}", names.join(" ")), "{ended}");
    Ok(())
}

fn unix(workbench: &Workbench, host: &Host) -> Result<()> {
    let with = |value: &str, words: &[&str]| {
        let mut command = guest(workbench, host, words)?;
        command.env(tokio_wasmedge_plugin::ALLOW_AF_UNIX, value);
        successful(command)
    };
    with("1", &["all", "unix"])?;
    // Anything else is as nothing.
    with("0", &["all"])?;
    with("", &["all"])?;
    Ok(())
}

fn stdin(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut running = Guard::start(guest(workbench, host, &["stdin"])?)?;
    running.line("ready")?;
    running.write("one\n")?;
    running.line("one")?;
    running.write("two\n")?;
    running.line("two")?;
    running.close_stdin();
    let ended = running.wait(LIMIT)?.successful()?;
    ensure!(ended.stdout.contains("\ntwo\nend"), "{ended}");
    Ok(())
}

fn signals(workbench: &Workbench, host: &Host) -> Result<()> {
    for host in both_ways(host) {
        signals_come(workbench, &host)?;
    }
    Ok(())
}

fn signals_come(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut running = Guard::start(guest(workbench, host, &["signals"])?)?;
    running.line("ready")?;
    for signal in [Signal::USR1, Signal::INT, Signal::HUP, Signal::TERM] {
        running.signal(signal)?;
        running.line(&format!("signal {}", signal.as_raw()))?;
    }
    // Then they end it, as they would have before.
    running.line("closed")?;
    running.signal(Signal::TERM)?;
    let ended = running.wait(LIMIT)?;
    ensure!(
        ended.status.signal() == Some(Signal::TERM.as_raw()),
        "{ended}"
    );
    Ok(())
}

fn without(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command = guest(workbench, host, &["all"])?;
    command.env_remove("WASMEDGE_PLUGIN_PATH");
    let ended = Guard::run(command, LIMIT)?;
    ensure!(ended.code() != Some(0), "{ended}");
    ensure!(!ended.stdout.contains("connections"), "{ended}");
    Ok(())
}

/// One program, without the plugin and with it.
fn stubs(workbench: &Workbench, host: &Host) -> Result<()> {
    for host in both_ways(host) {
        let program = workbench.plugin_guest("plugin-stubs", &host)?;
        let without = successful(workbench.run_program(&program, &host)?)?;
        let expected = "version -38\nrandom -38, false";
        ensure!(without.stdout.trim() == expected, "{without}");

        let with = |allow_af_unix: &str| {
            let mut command = workbench.run_program(&program, &host)?;
            command
                .env("CARGO_WASMEDGE_PLUGIN", workbench.plugin()?)
                .env("CARGO_WASMEDGE_ALLOW_AF_UNIX", allow_af_unix)
                // Not by this, but by the setting.
                .env(tokio_wasmedge_plugin::ALLOW_AF_UNIX, "1");
            // It is compiled first, with the plugin's functions in it.
            Guard::run(command, BUILD_LIMIT)?.successful()
        };
        for (setting, version) in [("false", 1), ("true", 1 | 1 << 16)] {
            let ended = with(setting)?;
            let expected = format!("version {version}\nrandom 0, true");
            ensure!(ended.stdout.trim() == expected, "{ended}");
        }
    }
    Ok(())
}
