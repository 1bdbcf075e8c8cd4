//! HTTP servers and clients as published: hyper, axum, reqwest.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tests_integration::guard::{Ended, Signal};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Mode, Suite, Workbench, connect};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("hyper_server_and_client_speak_http1", On::Everywhere, http1)
        .test("hyper_server_and_client_speak_http2", On::Everywhere, http2)
        .test(
            "hyper_server_echoes_and_keeps_the_connection",
            On::Everywhere,
            keep_alive,
        )
        .test("answers_do_not_stall", On::Everywhere, no_stall)
        .test(
            "closed_connections_are_no_errors",
            On::Everywhere,
            clean_end,
        )
        .test("axum_answers_json", On::Interpreted, axum_json)
        .test("axum_shuts_down_gracefully", On::Interpreted, axum_shutdown)
        .test_in(
            &[Mode::Plugin],
            "axum_answers_what_is_under_way_when_it_is_stopped",
            On::Interpreted,
            axum_signal,
        )
        .test("reqwest_fetches_by_host_name", On::Interpreted, reqwest)
        .run()
}

fn server(workbench: &Workbench, host: &Host, name: &'static str) -> Result<(Guard, SocketAddr)> {
    let mut command = workbench.command(App::Own(name), host)?;
    command.arg("127.0.0.1:0");
    let mut guard = Guard::start(command)?;
    let address = guard.address()?;
    Ok((guard, address))
}

fn client(workbench: &Workbench, host: &Host, name: &'static str, args: &[&str]) -> Result<Ended> {
    let mut command = workbench.command(App::Own(name), &host.interpreted())?;
    command.args(args);
    Guard::run(command, LIMIT)?.successful()
}

/// Sends a request over a connection of its own, which the server is to close.
fn ask(address: SocketAddr, method: &str, path: &str, json: &str) -> Result<String> {
    let mut stream = connect(address)?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{json}",
        json.len()
    )?;
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .context("no complete answer")?;
    Ok(answer)
}

fn http1(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = server(workbench, host, "hyper-server")?;
    let url = format!("http://{address}/");
    let ended = client(workbench, host, "hyper-client", &[&url])?;
    ensure!(ended.stdout.starts_with("HTTP/1.1 200 OK\n"), "{ended}");
    ensure!(
        ended.stdout.contains("\nx-served-over: HTTP/1.1\n"),
        "{ended}"
    );
    ensure!(ended.stdout.contains("\ncontent-length: 14\n"), "{ended}");
    ensure!(ended.stdout.ends_with("\n\nHello, World!"), "{ended}");

    let ended = client(workbench, host, "hyper-client", &[&format!("{url}none")])?;
    ensure!(
        ended.stdout.starts_with("HTTP/1.1 404 Not Found\n"),
        "{ended}"
    );

    let url = format!("http://localhost:{}/large", address.port());
    let ended = client(workbench, host, "hyper-client", &[&url])?;
    let body = ended.stdout.split("\n\n").nth(1).unwrap_or_default();
    ensure!(body == "x".repeat(2 << 20), "{} bytes of body", body.len());
    Ok(())
}

fn http2(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = server(workbench, host, "hyper-server")?;
    let url = format!("http://{address}/");
    let ended = client(workbench, host, "hyper-client", &["--http2", &url])?;
    ensure!(ended.stdout.starts_with("HTTP/2.0 200 OK\n"), "{ended}");
    ensure!(
        ended.stdout.contains("\nx-served-over: HTTP/2.0\n"),
        "{ended}"
    );
    ensure!(ended.stdout.ends_with("\n\nHello, World!"), "{ended}");
    // Larger than a stream's window: it must be opened on the way.
    let ended = client(
        workbench,
        host,
        "hyper-client",
        &["--http2", &format!("{url}large")],
    )?;
    let body = ended.stdout.split("\n\n").nth(1).unwrap_or_default();
    ensure!(body == "x".repeat(2 << 20), "{} bytes of body", body.len());
    Ok(())
}

fn keep_alive(workbench: &Workbench, host: &Host) -> Result<()> {
    let (mut guard, address) = server(workbench, host, "hyper-server")?;
    let mut stream = connect(address)?;
    for round in 0..10 {
        let body = format!("round {round} ").repeat(1 + round * 300);
        write!(
            stream,
            "POST /echo HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let answer = response(&mut stream)?;
        ensure!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        ensure!(
            answer.ends_with(&format!("\r\n\r\n{body}")),
            "the body came back changed"
        );
    }
    guard.is_idle()
}

/// Reads one response; it must have a content-length.
fn response(stream: &mut impl Read) -> Result<String> {
    let mut got = Vec::new();
    let mut block = [0; 16 * 1024];
    loop {
        let n = stream.read(&mut block)?;
        ensure!(n > 0, "the connection ended in an answer");
        got.extend_from_slice(&block[..n]);
        let text = String::from_utf8_lossy(&got);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .context("an answer without content-length")?;
        if body.len() >= length.parse()? {
            return Ok(text.into_owned());
        }
    }
}

fn no_stall(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = server(workbench, host, "hyper-server")?;
    let mut stream = connect(address)?;
    let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let start = Instant::now();
    for _ in 0..50 {
        stream.write_all(request.as_bytes())?;
        response(&mut stream)?;
    }
    // Head and body sent apart would wait 40 ms for an acknowledgement each.
    let took = start.elapsed();
    ensure!(
        took < Duration::from_millis(1200),
        "50 requests took {took:?}"
    );
    Ok(())
}

fn clean_end(workbench: &Workbench, host: &Host) -> Result<()> {
    let (mut guard, address) = server(workbench, host, "hyper-server")?;
    for _ in 0..20 {
        let answer = ask(address, "GET", "/", "")?;
        ensure!(answer.ends_with("Hello, World!\n"), "{answer}");
    }
    for _ in 0..20 {
        let mut stream = connect(address)?;
        write!(stream, "GET / HTTP/1.1\r\nhost: {address}\r\n\r\n")?;
        response(&mut stream)?;
        // The client closes a connection that was to be kept.
    }
    guard.is_idle()?;
    ensure!(guard.stderr().is_empty(), "{}", guard.stderr());
    Ok(())
}

fn axum_json(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = server(workbench, host, "axum-app")?;
    let answer = ask(address, "POST", "/users", r#"{"name":"Ada"}"#)?;
    ensure!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    ensure!(answer.ends_with(r#"{"id":1,"name":"Ada"}"#), "{answer}");
    let answer = ask(address, "GET", "/users/7", "")?;
    ensure!(
        answer.contains("content-type: application/json"),
        "{answer}"
    );
    ensure!(answer.ends_with(r#"{"id":7,"name":"user 7"}"#), "{answer}");
    let answer = ask(address, "GET", "/users/x", "")?;
    ensure!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let answer = ask(address, "POST", "/users", r#"{"name":3}"#)?;
    ensure!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    let answer = ask(address, "GET", "/slow?ms=20", "")?;
    ensure!(answer.ends_with("waited 20 ms\n"), "{answer}");
    Ok(())
}

fn axum_shutdown(workbench: &Workbench, host: &Host) -> Result<()> {
    let (guard, address) = server(workbench, host, "axum-app")?;
    let slow = std::thread::spawn(move || ask(address, "GET", "/slow?ms=700", ""));
    std::thread::sleep(Duration::from_millis(200));
    let answer = ask(address, "POST", "/shutdown", "")?;
    ensure!(answer.ends_with("stopping\n"), "{answer}");
    // What is under way is finished, what is new is refused.
    std::thread::sleep(Duration::from_millis(100));
    ensure!(connect(address).is_err(), "still listening");
    let answer = slow.join().expect("the client does not panic")?;
    ensure!(answer.ends_with("waited 700 ms\n"), "{answer}");
    let ended = guard.wait(LIMIT)?.successful()?;
    ensure!(ended.stdout.ends_with("stopped"), "{ended}");
    Ok(())
}

/// With the plugin `ctrl_c()` is told of SIGTERM, too. Without it nothing is told of signals.
fn axum_signal(workbench: &Workbench, host: &Host) -> Result<()> {
    let signals: &[Signal] = match host {
        Host::Native => &[Signal::INT],
        Host::WasmEdge(..) => &[Signal::INT, Signal::TERM],
    };
    for &signal in signals {
        let (mut guard, address) = server(workbench, host, "axum-app")?;
        let slow = move || ask(address, "GET", "/slow?ms=700", "");
        let under_way: Vec<_> = (0..50).map(|_| std::thread::spawn(slow)).collect();
        std::thread::sleep(Duration::from_millis(300));
        guard.signal(signal)?;
        for request in under_way {
            let answer = request.join().expect("the client does not panic")?;
            ensure!(answer.ends_with("waited 700 ms\n"), "{signal:?}: {answer}");
        }
        let ended = guard.wait(LIMIT)?.successful()?;
        ensure!(ended.stdout.ends_with("stopped"), "{signal:?}: {ended}");
    }
    Ok(())
}

fn reqwest(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = server(workbench, host, "axum-app")?;
    let url = format!("http://localhost:{}/users", address.port());
    let ended = client(workbench, host, "reqwest-get", &[&format!("{url}/5")])?;
    ensure!(ended.stdout.starts_with("HTTP/1.1 200 OK\n"), "{ended}");
    ensure!(
        ended.stdout.ends_with(r#"{"id":5,"name":"user 5"}"#),
        "{ended}"
    );
    let ended = client(workbench, host, "reqwest-get", &[&url, "Grace"])?;
    ensure!(
        ended.stdout.starts_with("HTTP/1.1 201 Created\n"),
        "{ended}"
    );
    ensure!(
        ended.stdout.ends_with(r#"{"id":1,"name":"Grace"}"#),
        "{ended}"
    );

    let mut command = workbench.command(App::Own("reqwest-get"), &host.interpreted())?;
    command.arg("http://no-such-host.invalid/");
    let ended = Guard::run(command, LIMIT)?;
    ensure!(ended.code() == Some(1), "{ended}");
    ensure!(ended.stderr.contains("dns error"), "{ended}");
    Ok(())
}
