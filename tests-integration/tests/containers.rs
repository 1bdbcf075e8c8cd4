//! Containers, as deploy/README.md tells of them: the image that `cargo wasmedge image`
//! makes, and a program by itself under a crun that has WasmEdge.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tests_integration::build::BUILD_LIMIT;
use tests_integration::container::{self, Bundle, Container};
use tests_integration::images::Images;
use tests_integration::load::lose_an_instance;
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Mode, Suite, Workbench, free_port, wait_until};

/// The image has the plugin; what runs by itself in crun has none.
const PLAIN: [Mode; 1] = [Mode::Plain];

/// Requests that are under way when the container is told to end.
const UNDER_WAY: usize = 50;

fn main() -> ExitCode {
    let mut suite = Suite::new(env!("CARGO_TARGET_TMPDIR"));
    let crun = container::is_here();
    if suite.can(&crun, "programs by themselves in crun") {
        suite = suite
            .test_in(
                &PLAIN,
                "a_program_by_itself_serves_in_crun",
                On::WasmEdge,
                serves_by_itself,
            )
            .test_in(
                &PLAIN,
                "a_program_by_itself_has_names_and_random_numbers_but_no_exit_code",
                On::WasmEdge,
                surroundings_by_itself,
            )
            .test_in(
                &PLAIN,
                "a_universal_program_runs_compiled",
                On::WasmEdge,
                universal,
            );
    }
    if suite.can(&crun, "the image") && suite.has("buildah", "the image") {
        suite = suite.test_in(
            &PLAIN,
            "the_image_serves_and_answers_what_is_under_way_when_it_is_told_to_end",
            On::WasmEdge,
            the_image,
        );
    }
    suite.run()
}

fn edge(host: &Host) -> Result<&WasmEdge> {
    match host {
        Host::WasmEdge(edge, ..) => Ok(edge),
        Host::Native => anyhow::bail!("needs WasmEdge"),
    }
}

/// A root folder that holds nothing but the program.
fn by_itself(program: &Path) -> Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    fs::copy(program, root.path().join("app.wasm"))?;
    Ok(root)
}

/// The body of the answer to one GET, on a connection of its own.
fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    ask(&mut stream, path, "close")?;
    answer(&mut stream)
}

fn ask(stream: &mut TcpStream, path: &str, connection: &str) -> Result<()> {
    let head = format!("GET {path} HTTP/1.1\r\nHost: it\r\nConnection: {connection}\r\n\r\n");
    Ok(stream.write_all(head.as_bytes())?)
}

/// The rest of what comes.
fn answer(stream: &mut TcpStream) -> Result<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| text.clone())?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{text}");
    Ok(body.to_owned())
}

fn serves_by_itself(workbench: &Workbench, host: &Host) -> Result<()> {
    let program = workbench.program(App::Own("hyper-server"), host)?;
    let root = by_itself(&program)?;
    let bundle = Bundle::of_program(root.path(), &["127.0.0.1:0"]);
    let mut container = Container::start(&bundle, edge(host)?)?;
    let address = container.guard.address()?;
    ensure!(get(address, "/")? == "Hello, World!\n");
    // It is the first process: what it does not listen for is not told to it.
    container.signal("TERM")?;
    thread::sleep(Duration::from_millis(300));
    ensure!(get(address, "/")? == "Hello, World!\n");
    container.signal("KILL")?;
    let ended = container.guard.wait(LIMIT)?;
    ensure!(ended.code() == Some(137), "{ended}");
    Ok(())
}

fn surroundings_by_itself(workbench: &Workbench, host: &Host) -> Result<()> {
    let run = |app: &'static str, args: &[&str]| -> Result<_> {
        let root = by_itself(&workbench.program(App::Own(app), host)?)?;
        Container::run(&Bundle::of_program(root.path(), args), edge(host)?)
    };
    let names = run("names", &["localhost"])?.successful()?;
    ensure!(names.stdout.contains("127.0.0.1"), "{names}");
    let random = run("random", &["1"])?.successful()?;
    let keys: std::collections::BTreeSet<&str> = random.stdout.lines().collect();
    ensure!(keys.len() == 4, "{random}");
    // What deploy/README.md warns of.
    let exit = run("probe", &["exit", "3"])?;
    ensure!(exit.code() == Some(0), "{exit}");
    Ok(())
}

/// Computes, and ends.
const COMPUTES: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "_start") (local $i i32) (local $x i64)
        (loop $again
            (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005))
                                   (i64.extend_i32_u (local.get $i))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 12000000))))
        (i64.store (i32.const 0) (local.get $x))))"#;

fn universal(workbench: &Workbench, host: &Host) -> Result<()> {
    let edge = edge(host)?;
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("computes.wasm");
    fs::write(&program, wat::parse_str(COMPUTES)?)?;
    let mut compile = workbench.wasmedge(host)?;
    compile.args(["compile", "--universal"]).arg(&program);
    Guard::run(compile, BUILD_LIMIT)?.successful()?;
    let compiled = folder.path().join("computes.aot.wasm");
    // It is the program: everything that runs WebAssembly takes it.
    ensure!(fs::read(&compiled)?.starts_with(b"\0asm"));
    let takes = |program: &Path| -> Result<Duration> {
        let root = by_itself(program)?;
        let bundle = Bundle::of_program(root.path(), &[]);
        let start = Instant::now();
        Container::run(&bundle, edge)?.successful()?;
        Ok(start.elapsed())
    };
    if edge.needs_run_mode_aot() {
        // crun 1.21 does not ask that WasmEdge for it: deploy/README.md says so. It runs.
        takes(&compiled)?;
        return Ok(());
    }
    // On a busy machine a single look says little.
    let mut looks = Vec::new();
    for _ in 0..3 {
        let (interpreted, compiled) = (takes(&program)?, takes(&compiled)?);
        if interpreted > compiled * 2 {
            return Ok(());
        }
        looks.push((interpreted, compiled));
    }
    anyhow::bail!("interpreted and compiled: {looks:?}")
}

fn the_image(workbench: &Workbench, host: &Host) -> Result<()> {
    let edge = edge(host)?;
    let program = workbench.program(App::Own("axum-app"), host)?;
    let images = Images::new()?;
    let mut command = workbench.wasmedge(host)?;
    command.arg("image").arg(&program);
    command.arg("--output").arg(images.path().join("image"));
    command.args(["--tag", "app"]);
    command.env("CARGO_WASMEDGE_PLUGIN", workbench.plugin()?);
    images.tell(&mut command);
    let said = Guard::run(command, BUILD_LIMIT)?.successful()?;
    ensure!(!said.stderr.contains("LLVM"), "{said}");
    let (config, root) = images.unpacked("app")?;
    // WasmEdge's compiler alone would be four times as much.
    let size = size_of(&root);
    ensure!(size < 50_000_000, "{size} bytes");
    ends_as_it_is_told(&config, &root, edge)?;
    an_instance_is_killed(&config, &root, edge)?;
    codes_arrive(workbench, host, config, &root)
}

/// Not as root, where nothing can be written but in `/tmp`.
fn ends_as_it_is_told(config: &Value, root: &Path, edge: &WasmEdge) -> Result<()> {
    let bundle = Bundle::of_image(root, config, &["127.0.0.1:0"])?;
    ensure!(bundle.user != 0 && bundle.read_only, "{bundle:?}");
    let mut container = Container::start(&bundle, edge)?;
    let address = container.guard.address()?;
    let mut clients = Vec::new();
    for _ in 0..UNDER_WAY {
        let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_read_timeout(Some(LIMIT))?;
        ask(&mut stream, "/slow?ms=2000", "close")?;
        clients.push(stream);
    }
    wait_until("all requests are read", || {
        read_by_server(address.port()).is_ok_and(|count| count == UNDER_WAY)
    })?;
    container.signal("TERM")?;
    wait_until("nobody is let in any more", || {
        TcpStream::connect_timeout(&address, LIMIT).is_err()
    })?;
    for mut client in clients {
        let answer = answer(&mut client)?;
        ensure!(answer == "waited 2000 ms\n", "{answer}");
    }
    let ended = container.guard.wait(LIMIT)?;
    ensure!(ended.code() == Some(0), "{ended}");
    ensure!(ended.stdout.contains("stopped"), "{ended}");
    Ok(())
}

/// How many connections to this port are there of which the server has read everything.
fn read_by_server(port: u16) -> Result<usize> {
    let all = sockets(port, "01")?.into_iter();
    Ok(all.filter(|queues| queues.ends_with(":00000000")).count())
}

/// How many sockets listen on this port.
fn listening(port: u16) -> Result<usize> {
    Ok(sockets(port, "0A")?.len())
}

/// What is in the queues (`sent:received`) of the sockets of this port that are in a state,
/// by the kernel's number of it.
fn sockets(port: u16, state: &str) -> Result<Vec<String>> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let port = format!(":{port:04X}");
    let queues = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields[..] {
            [_, local, _, its_state, queues, ..]
                if its_state == state && local.ends_with(&port) =>
            {
                Some(queues.to_owned())
            }
            _ => None,
        }
    };
    Ok(table.lines().filter_map(queues).collect())
}

/// Two instances share a port. What the connections of the one that is killed had under way
/// is lost, and nothing else; it is started again.
fn an_instance_is_killed(config: &Value, root: &Path, edge: &WasmEdge) -> Result<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let mut bundle = Bundle::of_image(root, config, &[&address.to_string()])?;
    bundle.env.push("TOKIO_WASMEDGE_INSTANCES=2".to_owned());
    let mut container = Container::start(&bundle, edge)?;
    let both = || listening(address.port()).is_ok_and(|count| count == 2);
    wait_until("both instances listen", both)?;
    // What a health check asks. The container's network is the machine's.
    let check = |address: &str| -> Result<Option<i32>> {
        let args = ["--check", address].map(str::to_owned);
        let mut bundle = Bundle::of_image(root, config, &[])?;
        bundle.args = std::iter::once("/init".to_owned()).chain(args).collect();
        Ok(Container::run(&bundle, edge)?.code())
    };
    ensure!(check(&address.to_string())? == Some(0));
    ensure!(check(&format!("127.0.0.1:{}", free_port()?))? == Some(1));

    lose_an_instance(address, asks_for_a_user, |load| {
        load.more(300)?;
        let killed = instance(address)?;
        kill_process(Pid::from_raw(killed).context("process 0")?, Signal::KILL)?;
        container.guard.line("is started again")?;
        let gone = Instant::now();
        wait_until("both instances listen", both)?;
        load.more(300)?;
        Ok(gone)
    })?;
    container.signal("TERM")?;
    let ended = container.guard.wait(LIMIT)?;
    ensure!(ended.code() == Some(0), "{ended}");
    Ok(())
}

fn asks_for_a_user(stream: &mut TcpStream) -> Result<()> {
    ask(stream, "/users/7", "keep-alive")?;
    let (mut answer, mut buf) = (Vec::new(), [0; 1024]);
    while !answer.ends_with(br#""name":"user 7"}"#) {
        let len = stream.read(&mut buf)?;
        ensure!(len > 0, "closed: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buf[..len]);
    }
    Ok(())
}

/// The process of one instance of the program that listens here.
fn instance(address: SocketAddr) -> Result<i32> {
    let address = address.to_string();
    for entry in fs::read_dir("/proc")?.flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        if words.first() == Some(&&b"/usr/bin/wasmedge"[..]) && words.contains(&address.as_bytes())
        {
            return Ok(entry.file_name().to_string_lossy().parse()?);
        }
    }
    anyhow::bail!("no instance runs")
}

/// What a program ends with is what the container ends with. The program in the image is
/// replaced by one that is interpreted: compiling it takes a minute.
fn codes_arrive(workbench: &Workbench, host: &Host, mut config: Value, root: &Path) -> Result<()> {
    let probe = workbench.program(App::Own("probe"), host)?;
    fs::copy(probe, root.join("app/axum-app.wasm"))?;
    let entry = &mut config["OCIv1"]["config"]["Entrypoint"];
    let words = entry.as_array_mut().context("no entry point")?;
    words.retain(|word| !["--run-mode", "aot"].contains(&word.as_str().unwrap_or_default()));
    let run = |args: &[&str], variables: &[&str]| {
        let mut bundle = Bundle::of_image(root, &config, args)?;
        bundle
            .env
            .extend(variables.iter().map(|&variable| variable.to_owned()));
        Container::start(&bundle, edge(host)?)
    };
    for code in ["0", "3", "101"] {
        let ended = run(&["exit", code], &[])?.guard.wait(LIMIT)?;
        ensure!(ended.code() == code.parse().ok(), "{code}: {ended}");
    }
    // The container's variables are the program's, but for those of what starts it.
    let names = ["variables", "GREETING", "LD_LIBRARY_PATH", "TMPDIR"];
    let ended = run(&names, &["GREETING=a = \"b\""])?.guard.wait(LIMIT)?;
    let ended = ended.successful()?;
    // As Rust shows it.
    ensure!(ended.stdout.contains(r#"a = \"b\""#), "{ended}");
    ensure!(
        ended.stdout.contains("/tmp") && !ended.stdout.contains("/usr/lib"),
        "{ended}"
    );
    // Who does not listen for SIGTERM is ended by it, as outside of a container.
    let mut waits = run(&["wait"], &[])?;
    waits.guard.line("waiting")?;
    waits.signal("TERM")?;
    let ended = waits.guard.wait(LIMIT)?;
    ensure!(ended.code() == Some(128 + 15), "{ended}");
    Ok(())
}

fn size_of(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    let sizes = files.filter_map(|file| Some(file.metadata().ok()?.len()));
    sizes.sum()
}
