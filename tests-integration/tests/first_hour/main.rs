//! A stranger's first hour: the command out of the package's archive, in an empty home;
//! docs/ten-minutes.md, typed as it stands; an image of what was built, started with crun; a
//! server whose handlers panic.
//! It loads and builds everything anew, so it belongs to the long run.

mod page;
mod reader;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use tests_integration::build::BUILD_LIMIT;
use tests_integration::container::{self, Bundle, Container};
use tests_integration::host::Hosts;
use tests_integration::images::Images;
use tests_integration::newcomer::Newcomer;
use tests_integration::peers::{Peer, Running, make_keys};
use tests_integration::{Guard, LIMIT, Suite, Workbench};

use page::{Step, steps};
use reader::Reader;

const PAGE: &str = include_str!("../../../docs/ten-minutes.md");

/// The ports that the page names.
const PORTS: [u16; 2] = [7000, 8080];

fn main() -> ExitCode {
    let mut suite = Suite::new(env!("CARGO_TARGET_TMPDIR"));
    let tests = "a first hour";
    let needed = [
        suite.can(&container::is_here(), tests),
        suite.can(&peer(Peer::Postgres), tests),
        suite.can(&peer(Peer::Nginx), tests),
        suite.has("buildah", tests),
        suite.has("curl", tests),
        suite.has("nc", tests),
        suite.has("openssl", tests),
    ];
    if needed.iter().all(|is_here| *is_here) {
        suite = suite.once("from_the_archive_to_a_container", first_hour);
    }
    suite.once("a_server_whose_handlers_panic", panics).run()
}

fn peer(peer: Peer) -> Result<(), String> {
    match peer.is_here() {
        true => Ok(()),
        false => Err(peer.program().to_owned()),
    }
}

fn first_hour(workbench: &Workbench) -> Result<()> {
    for port in PORTS {
        TcpListener::bind(("127.0.0.1", port))
            .with_context(|| format!("the page's port {port} is taken"))?;
    }
    let newcomer = Newcomer::from_nothing(workbench)?;
    let mut reader = installed(&newcomer)?;
    let outside = Outside::new(&newcomer.path("outside"))?;
    outside.tell(&mut reader);
    let done = whole_page(&mut reader).and_then(|()| ship(&mut reader, &outside));
    reader.show_times();
    done
}

/// A reader who has the command.
fn installed<'a>(newcomer: &'a Newcomer<'a>) -> Result<Reader<'a>> {
    let archive = newcomer.unpacked_archive()?;
    let mut reader = Reader::new(newcomer);
    reader.timed("cargo install, from the archive", || {
        let mut install = newcomer.cargo(&["install", "--path"])?;
        install.arg(archive);
        Guard::run(install, BUILD_LIMIT)?.successful()
    })?;
    Ok(reader)
}

/// What the page's programs talk to.
struct Outside {
    keys: std::path::PathBuf,
    postgres: Running,
    nginx: Running,
}

impl Outside {
    fn new(keys: &Path) -> Result<Outside> {
        fs::create_dir(keys)?;
        make_keys(keys)?;
        Ok(Outside {
            keys: keys.to_owned(),
            postgres: Peer::Postgres.start(keys)?,
            nginx: Peer::Nginx.start(keys)?,
        })
    }

    fn database(&self) -> String {
        format!("postgres://test:secret@{}/test", self.postgres.address)
    }

    fn tell(&self, reader: &mut Reader<'_>) {
        let tls = self.nginx.secure.map_or(0, |address| address.port());
        let database = "postgres://postgres:secret@127.0.0.1/postgres";
        reader.stands_for(database, self.database());
        for address in ["https://www.rust-lang.org", "https://tokio.rs"] {
            reader.stands_for(address, format!("https://localhost:{tls}/"));
        }
        // Programs get a copy of it.
        reader.set("SSL_CERT_FILE", self.keys.join("ca.pem"));
    }
}

fn whole_page(reader: &mut Reader<'_>) -> Result<()> {
    let steps = steps(PAGE);
    let programs = steps.iter().filter(|step| matches!(step, Step::Program(_)));
    ensure!(
        programs.count() == 3,
        "not the page's three apps: {steps:?}"
    );
    for step in &steps {
        reader.take(step)?;
    }
    reader.stop()?;
    reader.is_done()
}

/// The page's API in a container, with its database.
fn ship(reader: &mut Reader<'_>, outside: &Outside) -> Result<()> {
    let run = |command| Guard::run(command, BUILD_LIMIT)?.successful();
    let images = Images::new()?;
    let home = reader.folder().parent().context("no parent")?.to_owned();
    let folder = home.join("api");
    let typed = |reader: &mut Reader<'_>, line: &str| -> Result<()> {
        let mut command = reader.shell(line)?;
        images.tell(&mut command).current_dir(&folder);
        reader.timed(&format!("$ {line}"), || run(command))?;
        Ok(())
    };
    typed(reader, "cargo wasmedge build --release")?;
    typed(
        reader,
        "cargo wasmedge image target/wasm32-wasip1/release/api.wasm --tag app",
    )?;
    let (config, root) = images.unpacked("app")?;
    let mut bundle = Bundle::of_image(&root, &config, &["127.0.0.1:0"])?;
    bundle
        .env
        .push(format!("DATABASE_URL={}", outside.database()));
    let edges = Hosts::find()?.wasmedges;
    let edge = edges.last().context("no WasmEdge")?;
    let mut container = reader.timed("started by crun, until it listens", || {
        let mut container = Container::start(&bundle, edge)?;
        container.guard.address()?;
        Ok(container)
    })?;
    let address = container.guard.address()?;
    let notes = reader.timed("answered", || {
        let mut curl = Command::new("curl");
        curl.args(["--silent", &format!("http://{address}/notes")]);
        Guard::run(curl, LIMIT)?.successful()
    })?;
    ensure!(notes.stdout.contains("buy milk"), "{notes}");
    let ended = reader.timed("stopped by SIGTERM", || {
        container.signal("TERM")?;
        container.guard.wait(LIMIT)
    })?;
    ensure!(ended.code() == Some(0), "{ended}");
    Ok(())
}

const PANICS: &str = include_str!("../../apps/unwinding/src/main.rs");

/// What panics costs what it does natively, and no more.
fn panics(workbench: &Workbench) -> Result<()> {
    let newcomer = Newcomer::from_nothing(workbench)?;
    let mut reader = installed(&newcomer)?;
    let done = serves_on(&mut reader);
    reader.show_times();
    done
}

fn serves_on(reader: &mut Reader<'_>) -> Result<()> {
    for typed in [
        "cargo wasmedge setup --unwind",
        "cargo new panics",
        "cd panics",
        "cargo add axum",
        "cargo add tokio --features full",
        "cargo add tower-http --features catch-panic",
    ] {
        reader.take(&Step::Command {
            typed: typed.to_owned(),
            shown: String::new(),
        })?;
    }
    reader.take(&Step::Program(PANICS.to_owned()))?;
    let natively = reader.shell("cargo run")?;
    let natively = Guard::run(natively, BUILD_LIMIT)?.successful()?.stdout;
    ensure!(natively.contains("/panics: nothing"), "{natively}");
    reader.take(&Step::Command {
        typed: "cargo wasmedge --unwind run --release".to_owned(),
        shown: natively,
    })?;
    let program = "target/wasm32-wasip1/release/panics.wasm";
    let size = fs::metadata(reader.folder().join(program))?.len();
    eprintln!("{size} bytes: {program}");
    Ok(())
}
