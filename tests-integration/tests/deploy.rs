//! The examples in `deploy`: instances behind haproxy, and a container image.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tests_integration::build::BUILD_LIMIT;
use tests_integration::load::lose_an_instance;
use tests_integration::suite::On;
use tests_integration::{
    App, Guard, Host, LIMIT, Mode, Suite, Workbench, connect, free_port, wait_until,
};

fn main() -> ExitCode {
    let mut suite = Suite::new(env!("CARGO_TARGET_TMPDIR")).test_in(
        &[Mode::Plain],
        "a_compiled_program_runs_without_cargo",
        On::WasmEdge,
        a_compiled_program,
    );
    if suite.has("haproxy", "instances behind haproxy") {
        suite = suite.test(
            "no_request_fails_when_an_instance_is_killed",
            On::Interpreted,
            an_instance_is_killed,
        );
    }
    if suite.has("buildah", "the container image") {
        suite = suite.test_in(
            &[Mode::Plain],
            "the_image_holds_the_program",
            On::WasmEdge,
            the_image,
        );
    }
    suite.run()
}

const INSTANCES: u16 = 3;

fn deploy(workbench: &Workbench) -> Result<std::path::PathBuf> {
    let root = workbench.sources().parent().context("no repository")?;
    Ok(root.join("deploy"))
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Ports one after the other that are free at the moment, below those that the
/// kernel gives away: connections of other tests take these.
fn free_ports() -> Result<u16> {
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    let start = std::process::id() as usize;
    for _ in 0..1000 {
        let number = start + TRIES.fetch_add(1, Ordering::Relaxed);
        let first = 10_000 + u16::try_from(number * 7 % 20_000)?;
        let is_free = |port| std::net::TcpListener::bind(address(port)).is_ok();
        if (first..first + INSTANCES).all(is_free) {
            return Ok(first);
        }
    }
    bail!("no {INSTANCES} ports one after the other are free")
}

/// One GET on a connection that may be used again.
fn get(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut buf = [0; 4096];
    while !answer.ends_with(b"\r\n\r\nHello, World!\n") {
        let len = stream.read(&mut buf)?;
        ensure!(len > 0, "closed: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buf[..len]);
        // haproxy's own answers are others.
        let text = String::from_utf8_lossy(&answer);
        ensure!(
            text.len() < 12 || text.starts_with("HTTP/1.1 200"),
            "{text}"
        );
    }
    Ok(())
}

fn answers(port: u16) -> bool {
    connect(address(port))
        .and_then(|mut stream| get(&mut stream))
        .is_ok()
}

fn a_compiled_program(workbench: &Workbench, host: &Host) -> Result<()> {
    let program = workbench.program(App::Own("hyper-server"), host)?;
    let folder = tempfile::tempdir()?;
    let compiled = folder.path().join("hyper-server.so");
    let mut compile = workbench.wasmedge(host)?;
    compile
        .arg("compile")
        .arg(&program)
        .arg("-o")
        .arg(&compiled);
    let said = Guard::run(compile, BUILD_LIMIT)?.successful()?.stderr;
    // `Run with …/wasmedge --run-mode aot … FILE`
    let line = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("Run with "));
    let (wasmedge, file) = line
        .and_then(|line| line.split_once(" … "))
        .context(said.clone())?;
    ensure!(file == compiled.display().to_string(), "{said}");
    let mut words = wasmedge.split(' ');
    let mut command = Command::new(words.next().context("no program")?);
    command.args(words);
    for folder in ["/proc/sys/kernel/random", "/etc"] {
        command.args(["--dir", &format!("{folder}:{folder}:readonly")]);
    }
    command.arg(&compiled).arg("127.0.0.1:0");
    let mut server = Guard::start(command)?;
    get(&mut connect(server.address()?)?)
}

fn an_instance_is_killed(workbench: &Workbench, host: &Host) -> Result<()> {
    let (port, first) = (free_port()?, free_ports()?);
    let instance = workbench.command(App::Own("hyper-server"), host)?;
    let mut command = Command::new(deploy(workbench)?.join("many.sh"));
    for (name, value) in instance.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.args([port, INSTANCES, first].map(|number| number.to_string()));
    command
        .arg(instance.get_program())
        .args(instance.get_args());
    let mut many = Guard::start(command)?;
    let result = survives(&mut many, port, first);
    // It has to end its children: killed by the guard, it would leave them.
    many.signal(Signal::TERM)?;
    let ended = many.wait(LIMIT)?;
    result.with_context(|| ended.stderr.clone())?;
    for port in (first..first + INSTANCES).chain([port]) {
        ensure!(
            TcpStream::connect(address(port)).is_err(),
            "something still listens on {port}"
        );
    }
    Ok(())
}

fn survives(many: &mut Guard, port: u16, first: u16) -> Result<()> {
    let line = many.line(&format!("instance {} is process", address(first)))?;
    let killed: i32 = line
        .split_whitespace()
        .last()
        .context("no process")?
        .parse()?;
    for port in (first..first + INSTANCES).chain([port]) {
        wait_until("all instances answer", || answers(port))?;
    }

    lose_an_instance(address(port), get, |load| {
        load.more(300)?;
        kill_process(Pid::from_raw(killed).context("process 0")?, Signal::KILL)?;
        // It is started again a second later.
        wait_until("the instance is gone", || {
            TcpStream::connect(address(first)).is_err()
        })?;
        let gone = Instant::now();
        // Without it, and with the one that takes its place.
        load.more(300)?;
        wait_until("the instance is started again", || answers(first))?;
        while gone.elapsed() < Duration::from_secs(3) {
            load.more(50)?;
        }
        Ok(gone)
    })
}

fn the_image(workbench: &Workbench, host: &Host) -> Result<()> {
    let program = workbench.program(App::Own("hyper-server"), host)?;
    let temp = tempfile::tempdir()?;
    let folder = temp.path();
    fs::copy(
        deploy(workbench)?.join("alone/Containerfile"),
        folder.join("Containerfile"),
    )?;
    fs::copy(&program, folder.join("app.wasm"))?;
    let buildah = |args: &[&str]| -> Result<String> {
        let mut command = Command::new("buildah");
        // The user's own images are left alone.
        command.arg("--root").arg(folder.join("root"));
        command.arg("--runroot").arg(folder.join("run"));
        command.args(["--storage-driver", "vfs"]).args(args);
        command.current_dir(folder);
        Ok(Guard::run(command, LIMIT)?.successful()?.stdout)
    };
    let annotation = "module.wasm.image/variant=compat-smart";
    buildah(&[
        "build",
        "--isolation",
        "chroot",
        "--annotation",
        annotation,
        "--tag",
        "app",
        ".",
    ])?;
    let image: serde_json::Value =
        serde_json::from_str(&buildah(&["inspect", "--type", "image", "app"])?)?;
    ensure!(
        image["ImageAnnotations"]["module.wasm.image/variant"] == "compat-smart",
        "{image:#}"
    );
    buildah(&["push", "app", "dir:pushed"])?;
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("pushed/manifest.json"))?)?;
    let layer = manifest["layers"][0]["digest"]
        .as_str()
        .and_then(|digest| digest.strip_prefix("sha256:"))
        .context("the image has no layer")?;
    let mut unpack = Command::new("tar");
    unpack.arg("-xf").arg(folder.join("pushed").join(layer));
    unpack
        .arg("-C")
        .arg(folder)
        .arg("--transform=s/^app/unpacked/");
    Guard::run(unpack, LIMIT)?.successful()?;
    ensure!(
        fs::read(folder.join("unpacked.wasm"))? == fs::read(&program)?,
        "the image holds another program"
    );
    runs_as_the_image_says(workbench, host, &folder.join("unpacked.wasm"))
}

/// What a runtime does with the image: the program, with the container's root
/// folder open.
fn runs_as_the_image_says(workbench: &Workbench, host: &Host, program: &Path) -> Result<()> {
    let text = fs::read_to_string(deploy(workbench)?.join("alone/Containerfile"))?;
    let entry = text
        .lines()
        .find_map(|line| line.strip_prefix("ENTRYPOINT "))
        .context("no ENTRYPOINT")?;
    let entry: Vec<String> = serde_json::from_str(entry)?;
    ensure!(entry == ["/app.wasm", "0.0.0.0:8080"], "{entry:?}");
    let Host::WasmEdge(edge, ..) = host else {
        bail!("needs WasmEdge");
    };
    let mut command = Command::new(&edge.program);
    command.arg("--dir").arg("/:/");
    command.arg(program).arg("127.0.0.1:0");
    let mut server = Guard::start(command)?;
    let port = server.address()?.port();
    ensure!(answers(port), "{}", server.stderr());
    Ok(())
}
