//! mini-redis as published, with its own client and with redis's.

use std::net::SocketAddr;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tests_integration::guard::Ended;
use tests_integration::suite::On;
use tests_integration::{
    App, Guard, Host, LIMIT, Suite, Workbench, connect, free_port, wait_until,
};

fn main() -> ExitCode {
    let mut suite = Suite::new(env!("CARGO_TARGET_TMPDIR"));
    let cli = suite.has("redis-cli", "mini-redis under redis's own client");
    let benchmark = suite.has("redis-benchmark", "mini-redis under load");
    suite = suite
        .test("own_cli_sets_and_gets", On::Everywhere, own_cli)
        .test(
            "published_messages_reach_subscribers",
            On::Interpreted,
            pubsub,
        )
        .test("keys_expire", On::Interpreted, expiry)
        .test("server_survives_being_stopped", On::Interpreted, stopped);
    if cli {
        suite = suite.test("redis_cli_is_served", On::Interpreted, redis_cli);
    }
    if benchmark {
        suite = suite.test("redis_benchmark_is_served", On::Everywhere, redis_benchmark);
    }
    suite.run()
}

fn server(workbench: &Workbench, host: &Host) -> Result<(Guard, SocketAddr)> {
    let mut command = workbench.command(App::MiniRedis("mini-redis-server"), host)?;
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    command.args(["--port", &address.port().to_string()]);
    let mut guard = Guard::start(command)?;
    wait_until("mini-redis-server listens", || connect(address).is_ok())?;
    ensure!(guard.is_running()?, "{}", guard.stderr());
    Ok((guard, address))
}

fn cli(workbench: &Workbench, host: &Host, to: SocketAddr, args: &[&str]) -> Result<Ended> {
    let mut command = workbench.command(App::MiniRedis("mini-redis-cli"), &host.interpreted())?;
    command.args(["--port", &to.port().to_string()]).args(args);
    Guard::run(command, LIMIT)
}

fn own_cli(workbench: &Workbench, host: &Host) -> Result<()> {
    let (mut guard, address) = server(workbench, host)?;
    let ended = cli(workbench, host, address, &["get", "key"])?.successful()?;
    ensure!(ended.stdout == "(nil)", "{ended}");
    let ended = cli(workbench, host, address, &["set", "key", "a value"])?.successful()?;
    ensure!(ended.stdout == "OK", "{ended}");
    let ended = cli(workbench, host, address, &["get", "key"])?.successful()?;
    ensure!(ended.stdout == "\"a value\"", "{ended}");
    guard.is_idle()
}

fn pubsub(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = server(workbench, host)?;
    let mut command = workbench.command(App::Own("pubsub"), host)?;
    command.args([&address.to_string(), "news", "first", "second", "third"]);
    let ended = Guard::run(command, LIMIT)?.successful()?;
    for message in ["first", "second", "third"] {
        let line = format!("received {message:?} on \"news\"");
        ensure!(ended.stdout.lines().any(|each| each == line), "{ended}");
    }
    let sent = ended.stdout.matches("published to 1 subscriber(s)").count();
    ensure!(sent == 3, "{ended}");
    Ok(())
}

fn expiry(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = server(workbench, host)?;
    // Long enough for a busy machine to start the next program in time.
    cli(workbench, host, address, &["set", "key", "brief", "5000"])?.successful()?;
    let ended = cli(workbench, host, address, &["get", "key"])?.successful()?;
    ensure!(ended.stdout == "\"brief\"", "{ended}");
    let mut last = None;
    wait_until("the key is gone", || {
        let ended = cli(workbench, host, address, &["get", "key"]);
        let gone = ended.as_ref().is_ok_and(|ended| ended.stdout == "(nil)");
        last = Some(ended);
        gone
    })
    .with_context(|| format!("{last:?}"))
}

fn stopped(workbench: &Workbench, host: &Host) -> Result<()> {
    let (mut guard, address) = server(workbench, host)?;
    cli(workbench, host, address, &["set", "key", "kept"])?.successful()?;
    for _ in 0..3 {
        guard.signal(Signal::STOP)?;
        std::thread::sleep(Duration::from_millis(50));
        guard.signal(Signal::CONT)?;
    }
    let ended = cli(workbench, host, address, &["get", "key"])?.successful()?;
    ensure!(ended.stdout == "\"kept\"", "{ended}");
    guard.is_idle()
}

fn redis_cli(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = server(workbench, host)?;
    let ask = |args: &[&str]| -> Result<String> {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &address.port().to_string()]).args(args);
        Ok(Guard::run(command, LIMIT)?.successful()?.stdout)
    };
    ensure!(ask(&["set", "key", "value"])?.trim() == "OK");
    ensure!(ask(&["get", "key"])?.trim() == "value");
    let large = "v".repeat(100_000);
    ensure!(ask(&["set", "large", &large])?.trim() == "OK");
    ensure!(ask(&["get", "large"])?.trim() == large);
    ensure!(ask(&["flushall"])?.contains("ERR unknown command"));
    Ok(())
}

fn redis_benchmark(workbench: &Workbench, host: &Host) -> Result<()> {
    let (mut guard, address) = server(workbench, host)?;
    for pipeline in ["1", "16"] {
        let mut command = Command::new("redis-benchmark");
        command
            .args(["-p", &address.port().to_string(), "-t", "set,get", "-q"])
            .args(["-n", "2000", "-c", "50", "-P", pipeline]);
        let ended = Guard::run(command, Duration::from_secs(60))?.successful()?;
        for test in ["SET: ", "GET: "] {
            ensure!(ended.stdout.contains(test), "{ended}");
        }
        ensure!(!ended.stdout.contains("Error"), "{ended}");
    }
    guard.is_idle()
}
