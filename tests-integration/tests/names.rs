//! Name lookup with a name server of the tests' own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use simple_dns::rdata::{A, AAAA, CNAME, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Mode, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("names_are_looked_up", On::WasmEdge, names_are_looked_up)
        .test(
            "a_runtime_without_timers_looks_names_up",
            On::WasmEdge,
            without_timers,
        )
        .test(
            "silence_and_garbage_end_in_an_error_in_time",
            On::WasmEdge,
            silence_and_garbage,
        )
        .test(
            "the_next_server_is_asked_when_one_is_dead",
            On::WasmEdge,
            a_dead_server,
        )
        .test(
            "timers_and_sockets_go_on_during_a_slow_lookup",
            On::WasmEdge,
            timers_go_on,
        )
        .test_in(
            &[Mode::Plain],
            "without_the_files_the_host_is_asked",
            On::WasmEdge,
            without_files,
        )
        .test(
            "the_runner_hands_over_the_hosts_file",
            On::Interpreted,
            with_the_runner,
        )
        .run()
}

const UNKNOWN: &str = "error: failed to lookup address information: Name or service not known";
const NO_ADDRESS: &str =
    "error: failed to lookup address information: No address associated with hostname";
const TEMPORARY: &str =
    "error: failed to lookup address information: Temporary failure in name resolution";

/// More addresses than fit in a datagram of 512 bytes.
const MANY: u8 = 60;

/// How late a slow answer is.
const SLOW: Duration = Duration::from_secs(2);

/// A name server, on UDP and TCP, that answers by what the name says. Its
/// threads end with the test program.
fn name_server() -> Result<SocketAddr> {
    // The port that one is given can be taken for the other.
    let pair = || -> Result<_> {
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let tcp = TcpListener::bind(udp.local_addr()?)?;
        Ok((udp, tcp))
    };
    let (udp, tcp) = (0..100)
        .find_map(|_| pair().ok())
        .context("no port is free on both UDP and TCP")?;
    let address = udp.local_addr()?;
    thread::spawn(move || -> Result<()> {
        let mut buf = [0; 512];
        loop {
            let (len, client) = udp.recv_from(&mut buf)?;
            let question = buf[..len].to_vec();
            let socket = udp.try_clone()?;
            thread::spawn(move || -> Result<()> {
                for message in replies(&question, false)? {
                    socket.send_to(&message, client)?;
                }
                Ok(())
            });
        }
    });
    thread::spawn(move || -> Result<()> {
        for stream in tcp.incoming() {
            let mut stream = stream?;
            thread::spawn(move || -> Result<()> {
                loop {
                    let mut len = [0; 2];
                    stream.read_exact(&mut len)?;
                    let mut question = vec![0; usize::from(u16::from_be_bytes(len))];
                    stream.read_exact(&mut question)?;
                    for message in replies(&question, true)? {
                        let len = u16::try_from(message.len())?.to_be_bytes();
                        stream.write_all(&len)?;
                        stream.write_all(&message)?;
                    }
                }
            });
        }
        Ok(())
    });
    Ok(address)
}

fn replies(question: &[u8], tcp: bool) -> Result<Vec<Vec<u8>>> {
    let question = Packet::parse(question)?;
    let asked = question.questions.first().context("no question")?.clone();
    let v4 = asked.qtype == QTYPE::TYPE(TYPE::A);
    let mut answer = question.into_reply();
    let name = asked.qname.clone();
    let record =
        |name: &Name<'static>, rdata| ResourceRecord::new(name.clone(), CLASS::IN, 60, rdata);
    let a = |last: u8| {
        RData::A(A {
            address: Ipv4Addr::new(192, 0, 2, last).into(),
        })
    };
    let aaaa = |last: u16| {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into();
        RData::AAAA(AAAA { address })
    };
    let owned = name.clone().into_owned();
    match name.to_string().to_ascii_lowercase().as_str() {
        "multi.test" if v4 => answer.answers = vec![record(&owned, a(1)), record(&owned, a(2))],
        "multi.test" => answer.answers = vec![record(&owned, aaaa(1))],
        "one.test" | "svc.search.test" if v4 => answer.answers = vec![record(&owned, a(7))],
        "one.test" | "svc.search.test" | "empty.test" => {}
        "alias.test" => {
            let target = Name::new_unchecked("one.test");
            answer.answers = vec![record(&owned, RData::CNAME(CNAME(target.clone())))];
            if v4 {
                answer.answers.push(record(&target, a(7)));
            }
        }
        "big.test" if !tcp => answer.set_flags(PacketFlag::TRUNCATION),
        "big.test" if v4 => answer.answers = (1..=MANY).map(|n| record(&owned, a(n))).collect(),
        "big.test" => {}
        "slow.test" => {
            thread::sleep(SLOW);
            if v4 {
                answer.answers = vec![record(&owned, a(7))];
            }
        }
        "silent.test" => return Ok(Vec::new()),
        "garbage.test" => return Ok(vec![vec![], vec![0xff; 100], vec![0; 12]]),
        "broken.test" => *answer.rcode_mut() = RCODE::ServerFailure,
        _ => *answer.rcode_mut() = RCODE::NameError,
    }
    Ok(vec![answer.build_bytes_vec_compressed()?])
}

/// The app `names` with this configuration, as an operator would start it. The plugin is
/// the runner's business.
fn with_files(workbench: &Workbench, host: &Host, etc: Option<&Path>) -> Result<Command> {
    if let (true, Some(etc)) = (host.has_plugin(), etc) {
        let mut command = workbench.command(App::Own("names"), host)?;
        let dirs = format!("/etc:{}:readonly", etc.display());
        command.env("CARGO_WASMEDGE_DIRS", dirs);
        return Ok(command);
    }
    let Host::WasmEdge(edge, ..) = host else {
        anyhow::bail!("needs WasmEdge");
    };
    let mut command = Command::new(&edge.program);
    if let Some(etc) = etc {
        command.arg("--dir");
        command.arg(format!("/etc:{}:readonly", etc.display()));
    }
    command.arg(workbench.program(App::Own("names"), host)?);
    Ok(command)
}

/// Runs it against a server of its own; also returns how long it took.
fn run(
    workbench: &Workbench,
    host: &Host,
    options: &str,
    dead_server: bool,
    args: &[&str],
) -> Result<(Vec<String>, Duration)> {
    let etc = tempfile::tempdir()?;
    let mut resolv_conf = String::new();
    let dead = UdpSocket::bind("127.0.0.1:0")?;
    if dead_server {
        resolv_conf += &format!("nameserver {}\n", dead.local_addr()?);
    }
    resolv_conf += &format!("nameserver {}\n", name_server()?);
    resolv_conf += &format!("search search.test\noptions {options}\n");
    std::fs::write(etc.path().join("resolv.conf"), resolv_conf)?;
    std::fs::write(etc.path().join("hosts"), "192.0.2.99 Known.test known\n")?;
    let mut command = with_files(workbench, host, Some(etc.path()))?;
    command.args(args);
    let start = Instant::now();
    let ended = Guard::run(command, LIMIT)?.successful()?;
    let lines = ended.stdout.lines().map(str::to_owned).collect();
    Ok((lines, start.elapsed()))
}

fn expect(lines: &[String], expected: &[&str]) -> Result<()> {
    ensure!(lines == expected, "{lines:#?}, expected {expected:#?}");
    Ok(())
}

const NAMES: [&str; 9] = [
    "one.test",
    "alias.test",
    "known.TEST",
    "svc",
    "absent.test",
    "empty.test",
    "broken.test",
    "big.test",
    "multi.test",
];

fn check_names(lines: &[String]) -> Result<()> {
    let (last, rest) = lines.split_last().context("nothing was printed")?;
    let many: Vec<_> = (1..=MANY).map(|n| format!("192.0.2.{n}")).collect();
    expect(
        rest,
        &[
            "one.test: 192.0.2.7",
            "alias.test: 192.0.2.7",
            "known.TEST: 192.0.2.99",
            "svc: 192.0.2.7",
            &format!("absent.test: {UNKNOWN}"),
            &format!("empty.test: {NO_ADDRESS}"),
            &format!("broken.test: {TEMPORARY}"),
            &format!("big.test: {}", many.join(" ")),
        ],
    )?;
    // Which family comes first depends on the machine's routes.
    let mut found: Vec<_> = last.split_whitespace().collect();
    found.sort_unstable();
    ensure!(
        found == ["192.0.2.1", "192.0.2.2", "2001:db8::1", "multi.test:"],
        "{last}"
    );
    Ok(())
}

fn names_are_looked_up(workbench: &Workbench, host: &Host) -> Result<()> {
    let (lines, _) = run(workbench, host, "", false, &NAMES)?;
    check_names(&lines)
}

fn without_timers(workbench: &Workbench, host: &Host) -> Result<()> {
    let args = [["--no-timers"].as_slice(), &NAMES].concat();
    let (lines, _) = run(workbench, host, "", false, &args)?;
    check_names(&lines)
}

fn silence_and_garbage(workbench: &Workbench, host: &Host) -> Result<()> {
    for first in ["--no-timers", "one.test"] {
        let args = [first, "silent.test", "garbage.test"];
        let (mut lines, took) = run(workbench, host, "timeout:1 attempts:2", false, &args)?;
        lines.retain(|line| !line.starts_with("one.test"));
        expect(
            &lines,
            &[
                &format!("silent.test: {TEMPORARY}"),
                &format!("garbage.test: {TEMPORARY}"),
            ],
        )?;
        // Two names, two attempts each.
        ensure!(took >= Duration::from_secs(4), "gave up after {took:?}");
        ensure!(took < Duration::from_secs(10), "took {took:?}");
    }
    Ok(())
}

fn a_dead_server(workbench: &Workbench, host: &Host) -> Result<()> {
    let args = ["one.test", "absent.test"];
    let (lines, _) = run(workbench, host, "timeout:1", true, &args)?;
    expect(
        &lines,
        &["one.test: 192.0.2.7", &format!("absent.test: {UNKNOWN}")],
    )
}

fn timers_go_on(workbench: &Workbench, host: &Host) -> Result<()> {
    // A busy machine is late by itself: that is measured beside, and there are
    // several tries.
    let mut reports = Vec::new();
    for _ in 0..5 {
        let busy = thread::spawn(|| {
            let (period, mut worst) = (Duration::from_millis(10), Duration::ZERO);
            let end = Instant::now() + SLOW;
            while Instant::now() < end {
                let start = Instant::now();
                thread::sleep(period);
                worst = worst.max(start.elapsed().saturating_sub(period));
            }
            worst
        });
        let args = ["--ticking", "slow.test", "one.test", "slow.test"];
        let (lines, took) = run(workbench, host, "", false, &args)?;
        ensure!(lines.len() == 4, "{lines:#?}");
        expect(
            &lines[..3],
            &[
                "slow.test: 192.0.2.7",
                "one.test: 192.0.2.7",
                "slow.test: 192.0.2.7",
            ],
        )?;
        ensure!(
            took >= SLOW && took < 2 * SLOW,
            "took {took:?}: one after the other"
        );
        let words: Vec<_> = lines[3].split_whitespace().collect();
        let [_, _, late, _, rounds, _] = words[..] else {
            anyhow::bail!("{lines:#?}");
        };
        let (late, rounds): (u64, u64) = (late.parse()?, rounds.parse()?);
        let busy = busy.join().ok().context("the measuring thread ended")?;
        if Duration::from_micros(late) <= busy + Duration::from_millis(2) && rounds >= 100 {
            return Ok(());
        }
        reports.push(format!("{}, the machine by {busy:?}", lines[3]));
    }
    anyhow::bail!("{reports:#?}")
}

/// `localhost` is all that every machine's resolver knows.
fn without_files(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command = with_files(workbench, host, None)?;
    command.args(["localhost", "127.1"]);
    let ended = Guard::run(command, LIMIT)?.successful()?;
    let lines: Vec<_> = ended.stdout.lines().collect();
    ensure!(lines.len() == 2, "{lines:?}");
    ensure!(
        lines[0].starts_with("localhost: ") && lines[0].contains("127.0.0.1"),
        "{lines:?}"
    );
    ensure!(lines[1] == "127.1: 127.0.0.1", "{lines:?}");
    Ok(())
}

fn with_the_runner(workbench: &Workbench, host: &Host) -> Result<()> {
    let mut command = workbench.command(App::Own("names"), host)?;
    command.args(["localhost", "127.1", ""]);
    let ended = Guard::run(command, LIMIT)?.successful()?;
    let lines: Vec<_> = ended.stdout.lines().collect();
    ensure!(lines.len() == 3, "{lines:?}");
    ensure!(
        lines[0].starts_with("localhost: ") && lines[0].contains("127.0.0.1"),
        "{lines:?}"
    );
    ensure!(lines[1] == "127.1: 127.0.0.1", "{lines:?}");
    ensure!(lines[2] == format!(": {UNKNOWN}"), "{lines:?}");
    Ok(())
}
