//! What WasmEdge asks of the system for a guest, and what a guest makes of
//! errors that no test can bring about otherwise. Needs strace.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    let mut suite = Suite::new(env!("CARGO_TARGET_TMPDIR"));
    if suite.has("strace", "system calls, injected errors") {
        suite = suite
            .test("vectored_write_is_one_call", On::Interpreted, vectored)
            .test(
                "failures_of_connect_keep_their_kind",
                On::Interpreted,
                connect_errors,
            )
            .test(
                "failures_of_read_keep_their_kind",
                On::Interpreted,
                read_errors,
            );
    }
    suite.run()
}

/// `probe` under strace with the given options. The runner becomes WasmEdge.
fn traced(workbench: &Workbench, host: &Host, options: &[&str]) -> Result<Command> {
    let probe = workbench.command(App::Own("probe"), host)?;
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-s", "100"]).args(options);
    strace.arg(probe.get_program()).args(probe.get_args());
    for (name, value) in probe.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    Ok(strace)
}

fn vectored(workbench: &Workbench, host: &Host) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let calls = "trace=sendmsg,sendto,writev,write";
    let mut command = traced(workbench, host, &["-e", calls])?;
    command.args(["vectored", &listener.local_addr()?.to_string()]);
    let guard = Guard::start(command)?;
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut got = String::new();
    stream.read_to_string(&mut got)?;
    ensure!(got == "head;middle;tail", "{got:?} arrived");
    let ended = guard.wait(LIMIT)?.successful()?;
    ensure!(ended.stdout.contains("sent 16"), "{ended}");
    let with = |part: &str| -> Vec<&str> {
        ended
            .stderr
            .lines()
            .filter(|line| line.contains(part))
            .collect()
    };
    let (head, tail) = (with("head;"), with("tail\""));
    ensure!(head.len() == 1 && head == tail, "{head:#?} and {tail:#?}");
    Ok(())
}

fn connect_errors(workbench: &Workbench, host: &Host) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    for (errno, kind) in [
        ("ETIMEDOUT", "TimedOut"),
        ("EHOSTUNREACH", "HostUnreachable"),
        ("ENETUNREACH", "NetworkUnreachable"),
        ("ECONNREFUSED", "ConnectionRefused"),
        ("EADDRNOTAVAIL", "AddrNotAvailable"),
    ] {
        let inject = format!("inject=connect:error={errno}");
        let mut command = traced(workbench, host, &["-e", "trace=connect", "-e", &inject])?;
        command.args(["connect", &address]);
        let ended = Guard::run(command, LIMIT)?.successful()?;
        let line = ended.stdout.lines().next().context("nothing printed")?;
        ensure!(
            line.starts_with(&format!("connect: {kind}: ")),
            "{errno}: {ended}"
        );
    }
    Ok(())
}

fn read_errors(workbench: &Workbench, host: &Host) -> Result<()> {
    for (errno, kind) in [
        ("ETIMEDOUT", "TimedOut"),
        ("ECONNRESET", "ConnectionReset"),
        ("EHOSTUNREACH", "HostUnreachable"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        // Natively recvfrom, under WasmEdge recvmsg.
        let inject = format!("inject=recvmsg,recvfrom:error={errno}");
        let mut command = traced(
            workbench,
            host,
            &["-e", "trace=recvmsg,recvfrom", "-e", &inject],
        )?;
        command.args(["connect", &address]);
        let mut guard = Guard::start(command)?;
        let (stream, _) = listener.accept()?;
        guard.line("connect: ok")?;
        // Something is there to be read, so that it tries.
        std::io::Write::write_all(&mut &stream, b"x")?;
        guard.line(&format!("read: {kind}: ")).context(errno)?;
        guard.wait(LIMIT)?.successful()?;
    }
    Ok(())
}
