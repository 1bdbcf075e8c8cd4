//! Programs written for `wasmedge_wasi_socket` as published run on ours.
//!
//! The app `old-api` uses all of its API. Its lockfile has the published 0.5.5,
//! which it compiles with as well: see docs/wasmedge_wasi_socket.md.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use simple_dns::rdata::{A, AAAA, RData};
use simple_dns::{CLASS, Packet, QTYPE, RCODE, ResourceRecord, TYPE};
use tests_integration::build::BUILD_LIMIT;
use tests_integration::suite::On;
use tests_integration::{App, Guard, Host, LIMIT, Suite, Workbench};

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .test("all_of_the_api_works", On::WasmEdge, all_checks)
        .test(
            "a_name_server_is_asked_over_tcp",
            On::WasmEdge,
            a_name_server,
        )
        .once("a_version_that_may_be_updated_is_replaced", older_versions)
        .once(
            "a_version_of_another_api_stays_as_published",
            other_versions,
        )
        .run()
}

const APP: App = App::Own("old-api");

fn output(workbench: &Workbench, host: &Host, args: &[&str]) -> Result<String> {
    let mut command = workbench.command(APP, host)?;
    command.args(args);
    Ok(Guard::run(command, LIMIT)?.successful()?.stdout)
}

fn all_checks(workbench: &Workbench, host: &Host) -> Result<()> {
    let lockfile = workbench.sources().join("apps/Cargo.lock");
    let before = std::fs::read(&lockfile)?;
    let list = output(workbench, host, &[])?;
    ensure!(std::fs::read(&lockfile)? == before, "the lockfile changed");

    let checks: Vec<&str> = list
        .lines()
        .filter(|line| !line.starts_with("signatures ") && !matches!(*line, "ask" | "lookup"))
        .collect();
    ensure!(checks.len() > 20, "{list}");
    for check in checks {
        let said = output(workbench, host, &[check])?;
        ensure!(said == format!("{check}: ok"), "{said}");
    }
    Ok(())
}

/// A name server on TCP that sends its answers byte by byte.
fn name_server() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> Result<()> {
        for stream in listener.incoming() {
            let mut stream = stream?;
            thread::spawn(move || while answer(&mut stream).is_ok() {});
        }
        Ok(())
    });
    Ok(address)
}

fn answer(stream: &mut TcpStream) -> Result<()> {
    let mut len = [0; 2];
    stream.read_exact(&mut len)?;
    let mut question = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut question)?;
    let question = Packet::parse(&question)?;
    let asked = question.questions.first().context("no question")?.clone();
    let mut answer = question.into_reply();
    let name = asked.qname.clone().into_owned();
    let data = match (&*name.to_string(), asked.qtype == QTYPE::TYPE(TYPE::A)) {
        ("both.test", true) => Some(RData::A(A {
            address: Ipv4Addr::new(192, 0, 2, 7).into(),
        })),
        ("both.test", false) => Some(RData::AAAA(AAAA {
            address: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7).into(),
        })),
        _ => {
            *answer.rcode_mut() = RCODE::NameError;
            None
        }
    };
    let record = |data| ResourceRecord::new(name.clone(), CLASS::IN, 60, data);
    answer.answers = data.into_iter().map(record).collect();
    let bytes = answer.build_bytes_vec()?;
    let len = u16::try_from(bytes.len())?.to_be_bytes();
    stream.set_nodelay(true)?;
    for byte in len.into_iter().chain(bytes) {
        stream.write_all(&[byte])?;
        thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

fn a_name_server(workbench: &Workbench, host: &Host) -> Result<()> {
    let server = name_server()?.to_string();
    let said = output(workbench, host, &["ask", &server, "both.test"])?;
    ensure!(
        said == "[192.0.2.7]\n[2001:db8::7]\nask: ok",
        "asked over a connection: {said}"
    );
    let both = "[192.0.2.7:80, [2001:db8::7]:80]\nlookup: ok";
    let said = output(workbench, host, &["lookup", "both.test", &server])?;
    ensure!(said == both, "asked of a server: {said}");
    let said = output(workbench, host, &["lookup", "localhost", &server])?;
    ensure!(
        said == "[127.0.0.1:80, [::1]:80]\nlookup: ok",
        "localhost: {said}"
    );
    let said = output(workbench, host, &["lookup", "none.test", &server])?;
    ensure!(
        said.ends_with("information: Name or service not known"),
        "a name that is none: {said}"
    );

    let by_variable = |server: &str| -> Result<String> {
        let mut command = workbench.command(APP, host)?;
        command
            .args(["lookup", "both.test"])
            .env("DNS_SERVER", server)
            .env("CARGO_WASMEDGE_ENV", "DNS_SERVER");
        Ok(Guard::run(command, LIMIT)?.successful()?.stdout)
    };
    // A server's own name is looked up without it.
    for server in [server.as_str(), &server.replace("127.0.0.1", "localhost")] {
        let said = by_variable(server)?;
        ensure!(said == both, "with the variable {server}: {said}");
    }
    Ok(())
}

/// An app with a lockfile, of which nothing is built.
fn app(workbench: &Workbench, folder: &Path, requirement: &str, locked: &str) -> Result<()> {
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(folder.join("src/main.rs"), "fn main() {}\n")?;
    let manifest = format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
         [dependencies]\nwasmedge_wasi_socket = \"{requirement}\"\n\n[workspace]\n"
    );
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    let mut lock = workbench.cargo();
    lock.args(["update", "--quiet", "--package", "wasmedge_wasi_socket"])
        .args(["--precise", locked])
        .current_dir(folder);
    Guard::run(lock, BUILD_LIMIT)?.successful()?;
    Ok(())
}

/// What `cargo wasmedge tree` and `cargo wasmedge vendor` make of the app. Both
/// leave its lockfile as it is.
fn seen(workbench: &Workbench, folder: &Path) -> Result<(String, String, String)> {
    let before = std::fs::read(folder.join("Cargo.lock"))?;
    let run = |args: &[&str]| -> Result<_> {
        let mut command = workbench.wasmedge(&Host::Native)?;
        command.args(args).current_dir(folder);
        Guard::run(command, BUILD_LIMIT)?.successful()
    };
    let tree = run(&["tree"])?;
    let table = run(&["vendor", "ported"])?.stdout;
    ensure!(
        std::fs::read(folder.join("Cargo.lock"))? == before,
        "the lockfile changed"
    );
    Ok((tree.stdout, tree.stderr, table))
}

fn older_versions(workbench: &Workbench) -> Result<()> {
    let temp = tempfile::tempdir()?;
    for (name, requirement, locked) in [
        ("locked", "0.5.3", "0.5.3"),
        ("exact", "=0.5.5", "0.5.5"),
        ("any", "*", "0.5.5"),
    ] {
        let folder = temp.path().join(name);
        app(workbench, &folder, requirement, locked)?;
        let (tree, stderr, table) = seen(workbench, &folder)?;
        let ours = tree
            .lines()
            .any(|line| line.contains("wasmedge_wasi_socket v0.5.5 (/"));
        ensure!(ours, "{name}: {tree}{stderr}");
        // What only the published one needs is not ported, let alone built.
        ensure!(
            !tree.contains("rand ") && !stderr.contains("not used"),
            "{name}: {tree}{stderr}"
        );
        ensure!(
            table.contains("wasmedge_wasi_socket = { path = \"ported/wasmedge_wasi_socket\" }"),
            "{name}: {table}"
        );
        let in_place = format!("in place of {locked}");
        ensure!(
            stderr.contains(&in_place) == (locked != "0.5.5"),
            "{name}: {stderr}"
        );
    }
    Ok(())
}

fn other_versions(workbench: &Workbench) -> Result<()> {
    let temp = tempfile::tempdir()?;
    for (requirement, locked) in [("=0.5.4", "0.5.4"), ("0.4", "0.4.3")] {
        let folder = temp.path().join(locked);
        app(workbench, &folder, requirement, locked)?;
        let (tree, stderr, table) = seen(workbench, &folder)?;
        let published = tree
            .lines()
            .any(|line| line.ends_with(&format!("wasmedge_wasi_socket v{locked}")));
        ensure!(published, "{tree}{stderr}");
        let note = format!("wasmedge_wasi_socket {locked} is used as published");
        ensure!(stderr.contains(&note), "{stderr}");
        ensure!(!table.contains("wasmedge_wasi_socket"), "{table}");
    }
    Ok(())
}
