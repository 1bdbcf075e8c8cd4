//! Servers seen by their clients and by the system: they answer, go on after
//! what clients do to them, and use no processor time when idle.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, Suite, Workbench, connect, echo};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("echo_answers", On::Everywhere, echo_answers)
        .test("large_messages_come_back", On::Everywhere, large_messages)
        .test(
            "hundred_connections_come_and_go",
            On::Everywhere,
            come_and_go,
        )
        .test(
            "stopped_and_continued_server_keeps_serving",
            On::Everywhere,
            stop_and_continue,
        )
        .test(
            "server_goes_on_after_resets_in_mid_write",
            On::Everywhere,
            resets,
        )
        .test("idle_server_uses_no_processor_time", On::Everywhere, idle)
        .test(
            "full_buffer_to_half_closed_peer_costs_nothing",
            On::Everywhere,
            half_closed_flood,
        )
        .test(
            "uncollected_refusal_of_a_datagram_costs_nothing",
            On::Everywhere,
            refused_datagram,
        )
        .test("refused_connect_is_told", On::Interpreted, refused_connect)
        .test("reset_is_told", On::Interpreted, reset_is_told)
        .run()
}

fn start(workbench: &Workbench, host: &Host, app: App, args: &[&str]) -> Result<Guard> {
    let mut command = workbench.command(app, host)?;
    command.args(args);
    Guard::start(command)
}

fn echo_server(workbench: &Workbench, host: &Host) -> Result<(Guard, SocketAddr)> {
    let mut guard = start(workbench, host, App::Own("echo"), &["127.0.0.1:0"])?;
    let address = guard.address()?;
    Ok((guard, address))
}

/// Closes with a reset.
fn reset(stream: TcpStream) -> Result<()> {
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO))?;
    Ok(())
}

fn echo_answers(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = echo_server(workbench, host)?;
    let mut stream = connect(address)?;
    let start = Instant::now();
    for round in 0..100u32 {
        echo(&mut stream, &round.to_be_bytes())?;
    }
    // An acknowledgement that is waited for costs 40 ms.
    ensure!(
        start.elapsed() < Duration::from_secs(2),
        "took {:?}",
        start.elapsed()
    );
    Ok(())
}

fn large_messages(workbench: &Workbench, host: &Host) -> Result<()> {
    let (_guard, address) = echo_server(workbench, host)?;
    let mut stream = connect(address)?;
    let message: Vec<u8> = (0..8u32 << 20).map(|i| (i % 251) as u8).collect();
    let mut writer = stream.try_clone()?;
    let copy = message.clone();
    let sender = std::thread::spawn(move || {
        writer.write_all(&copy)?;
        writer.shutdown(Shutdown::Write)
    });
    let mut got = Vec::new();
    stream.read_to_end(&mut got)?;
    sender.join().expect("the sender does not panic")?;
    ensure!(
        got == message,
        "{} of {} bytes, changed",
        got.len(),
        message.len()
    );
    Ok(())
}

fn come_and_go(workbench: &Workbench, host: &Host) -> Result<()> {
    let (mut guard, address) = echo_server(workbench, host)?;
    // A fixed seed: a failing order can be had again.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % limit as u64).expect("below a usize")
    };
    let mut open = Vec::new();
    for step in 0..2000u32 {
        let choice = below(4);
        if open.is_empty() || (choice == 0 && open.len() < 100) {
            open.push(connect(address)?);
        } else if choice == 1 {
            let stream = open.swap_remove(below(open.len()));
            match step % 3 {
                0 => reset(stream)?,
                1 => stream.shutdown(Shutdown::Write)?,
                _ => drop(stream),
            }
        } else {
            let chosen = below(open.len());
            echo(&mut open[chosen], &step.to_be_bytes()).with_context(|| format!("step {step}"))?;
        }
    }
    while open.len() < 100 {
        open.push(connect(address)?);
    }
    for stream in &mut open {
        echo(stream, b"still there")?;
    }
    guard.is_idle()?;
    drop(open);
    echo(&mut connect(address)?, b"after all have gone")?;
    guard.is_idle()
}

fn stop_and_continue(workbench: &Workbench, host: &Host) -> Result<()> {
    let (mut guard, address) = echo_server(workbench, host)?;
    let mut old = connect(address)?;
    echo(&mut old, b"before")?;
    for round in 0..5 {
        guard.signal(Signal::STOP)?;
        std::thread::sleep(Duration::from_millis(30));
        if round % 2 == 0 {
            // Something is ready at the moment of going on, or nothing is.
            old.write_all(b"x")?;
        }
        let new = if round % 3 == 0 {
            Some(connect(address)?)
        } else {
            None
        };
        guard.signal(Signal::CONT)?;
        if round % 2 == 0 {
            old.read_exact(&mut [0; 1])
                .context("data sent while it was stopped")?;
        }
        std::thread::sleep(Duration::from_millis(20));
        echo(&mut old, b"an old connection")?;
        if let Some(mut new) = new {
            echo(&mut new, b"one made while it was stopped")?;
        }
        echo(&mut connect(address)?, b"a new connection")?;
    }
    guard.is_idle()
}

fn resets(workbench: &Workbench, host: &Host) -> Result<()> {
    let (mut guard, address) = echo_server(workbench, host)?;
    for _ in 0..20 {
        let mut rude = connect(address)?;
        // Nothing is read, so that the server is stuck in writing.
        rude.set_write_timeout(Some(Duration::from_millis(50)))?;
        let block = vec![1; 64 * 1024];
        for _ in 0..200 {
            if rude.write(&block).is_err() {
                break;
            }
        }
        reset(rude)?;
    }
    for _ in 0..50 {
        let mut rude = connect(address)?;
        rude.write_all(&[2; 5000])?;
        reset(rude)?;
    }
    echo(&mut connect(address)?, b"goes on")?;
    guard.is_idle()
}

fn idle(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut guard = start(workbench, host, App::Own("probe"), &["idle", "127.0.0.1:0"])?;
    let address = guard.address()?;
    guard.is_idle().context("without connections")?;
    let mut open = Vec::new();
    for _ in 0..200 {
        let mut stream = connect(address)?;
        echo(&mut stream, b"x")?;
        open.push(stream);
    }
    guard.is_idle().context("with 200 connections")?;
    // One that has ended its direction, and one that has gone.
    open[0].shutdown(Shutdown::Write)?;
    reset(open.swap_remove(1))?;
    guard.is_idle().context("after a half-close and a reset")?;
    for stream in &mut open[1..] {
        echo(stream, b"y")?;
    }
    Ok(())
}

/// The server waits for room in a full send buffer while the client has ended
/// its own direction: the host reports neither, again and again.
fn half_closed_flood(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut guard = start(
        workbench,
        host,
        App::Own("probe"),
        &["flood", "127.0.0.1:0"],
    )?;
    let address = guard.address()?;
    let mut stuck = connect(address)?;
    stuck.read_exact(&mut [0; 1])?;
    // Time for the server to fill the buffers.
    std::thread::sleep(Duration::from_millis(500));
    stuck.shutdown(Shutdown::Write)?;
    guard.is_idle().context("while one client does not read")?;
    let mut other = connect(address)?;
    other
        .read_exact(&mut vec![0; 4 << 20])
        .context("another client is served")?;
    drop(other);
    stuck
        .read_exact(&mut vec![0; 8 << 20])
        .context("the stuck client goes on")?;
    drop(stuck);
    guard.line("client gone")?;
    guard.is_idle().context("after all clients have gone")
}

fn refused_datagram(workbench: &Workbench, host: &Host) -> Result<()> {
    let nobody = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
    let nobody = nobody.to_string();
    let mut guard = start(workbench, host, App::Own("probe"), &["refused", &nobody])?;
    guard.line("receive: ConnectionRefused")?;
    guard.line("waiting")?;
    guard.is_idle()
}

fn refused_connect(workbench: &Workbench, host: &Host) -> Result<()> {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let closed = std::net::TcpListener::bind(address)?
            .local_addr()?
            .to_string();
        let guard = start(workbench, host, App::Own("probe"), &["connect", &closed])?;
        let ended = guard.wait(tests_integration::LIMIT)?.successful()?;
        ensure!(
            ended.stdout.starts_with("connect: ConnectionRefused: "),
            "{ended}"
        );
    }
    Ok(())
}

fn reset_is_told(workbench: &Workbench, host: &Host) -> Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let mut guard = start(workbench, host, App::Own("probe"), &["connect", &address])?;
    let (stream, _) = listener.accept()?;
    guard.line("connect: ok")?;
    reset(stream)?;
    guard.line("read: ConnectionReset: ")?;
    guard.wait(tests_integration::LIMIT)?.successful()?;
    Ok(())
}
