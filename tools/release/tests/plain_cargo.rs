//! The branches for `[patch]`, as someone uses them who has no `cargo wasmedge`: cargo
//! itself, from a clean home, builds an app for the target, and WasmEdge runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use cargo_wasmedge::resolve::fetch::fetch;
use cargo_wasmedge::shell::Shell;
use cargo_wasmedge::toolchain::{Dirs, rust};
use semver::Version;
use tests_integration::build::{BUILD_LIMIT, copy_folder};
use tests_integration::host::{Execution, Hosts};
use tests_integration::newcomer::reach_registry;
use tests_integration::{
    Guard, Host, LIMIT, Mode, Suite, Workbench, connect, echo, free_port, wait_until,
};
use tools_release::branches::pins::Pins;
use tools_release::branches::{Branch, REPOSITORY, make};
use tools_release::epoch::Epoch;

/// What the apps here need of the branches; all of them are made for a release.
const CRATES: [&str; 5] = ["hyper-util", "mio", "socket2", "tokio", "tokio-util"];

fn main() -> ExitCode {
    let suite = Suite::new(env!("CARGO_TARGET_TMPDIR"));
    // Which WasmEdge is missing is told by the suite.
    if Hosts::find().is_ok_and(|hosts| hosts.wasmedges.is_empty()) {
        return suite.run();
    }
    suite
        .once("branches_serve_plain_cargo", branches_serve_plain_cargo)
        .run()
}

/// Someone with a toolchain that has the target, and the branches.
struct User<'a> {
    workbench: &'a Workbench,
    folder: PathBuf,
    branches: Vec<Branch>,
    host: Host,
}

impl<'a> User<'a> {
    fn new(workbench: &'a Workbench) -> Result<User<'a>> {
        // The same place each time: cargo keeps what it clones under the address.
        let folder = workbench.tmp().join("plain-cargo");
        let repository = folder.join(REPOSITORY);
        for old in [&repository, &folder.join("apps")] {
            if old.exists() {
                fs::remove_dir_all(old)?;
            }
        }
        fs::create_dir_all(folder.join("apps"))?;
        fs::create_dir_all(folder.join("home"))?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let branches = make(
            &root,
            &repository,
            &Pins::read(&root)?.only(&CRATES),
            &Version::new(0, 0, 1),
            Epoch(1_700_000_000),
            &Shell::new(true, false),
        )?;
        let hosts = Hosts::find()?;
        let edge = hosts.wasmedges.last().context("no WasmEdge")?.clone();
        reach_registry(&folder.join("home"))?;
        Ok(User {
            workbench,
            folder,
            branches,
            host: Host::WasmEdge(edge, Execution::Interpreted, Mode::Plain),
        })
    }

    fn app(&self, name: &str) -> PathBuf {
        self.folder.join("apps").join(name)
    }

    fn cargo(&self, app: &str, args: &[&str]) -> Result<String> {
        let toolchain = rust::find(&Dirs::new()?)?;
        let mut cargo = self.workbench.cargo_at(&toolchain.cargo);
        cargo
            .envs(toolchain.env())
            .env("CARGO_HOME", self.folder.join("home"))
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .current_dir(self.app(app))
            .args(args);
        let ended = Guard::run(cargo, BUILD_LIMIT)?.successful()?;
        ensure!(!ended.stderr.contains("was not used"), "{ended}");
        Ok(ended.stdout)
    }

    /// The table that the first page of a branch shows, with the lines of these crates.
    fn table(&self, branch: &str, crates: &[&str]) -> Result<String> {
        let mut git = Command::new("git");
        git.args(["show", &format!("{branch}:README.md")])
            .current_dir(self.folder.join(REPOSITORY));
        let page = Guard::run(git, LIMIT)?.successful()?.stdout;
        let (_, rest) = page.split_once("```toml\n").context("no table")?;
        let (table, _) = rest.split_once("```").context("an open table")?;
        let mut lines = vec!["[patch.crates-io]".to_owned()];
        for name in crates {
            let start = format!("{name} = ");
            let line = table.lines().find(|line| line.starts_with(&start));
            let line = line.with_context(|| format!("no line for {name} in\n{table}"))?;
            let address = env!("CARGO_PKG_REPOSITORY");
            ensure!(line.contains(address), "{line}");
            let here = format!("file://{}", self.folder.join(REPOSITORY).display());
            lines.push(line.replace(address, &here));
        }
        Ok(lines.join("\n") + "\n")
    }

    /// Starts what plain cargo built.
    fn run(&self, program: &str, args: &[&str]) -> Result<Command> {
        let file = format!("target/wasm32-wasip1/debug/{program}.wasm");
        let mut command = self
            .workbench
            .run_program(&self.folder.join(file), &self.host)?;
        command.args(args);
        Ok(command)
    }
}

fn branches_serve_plain_cargo(workbench: &Workbench) -> Result<()> {
    let user = User::new(workbench)?;
    let names: Vec<&str> = user
        .branches
        .iter()
        .map(|each| each.name.as_str())
        .collect();
    let newest = names.last().context("no branches")?;
    echo_app(&user, newest)?;
    for branch in &names {
        is_taken(&user, branch)?;
    }
    mini_redis(&user, newest)
}

/// README.md's server, in a new app whose manifest has the table.
fn echo_app(user: &User<'_>, branch: &str) -> Result<()> {
    let source = user.workbench.sources().join("apps/readme/src/main.rs");
    fs::create_dir_all(user.app("echo/src"))?;
    fs::copy(source, user.app("echo/src/main.rs"))?;
    let table = user.table(branch, &["mio", "socket2", "tokio"])?;
    write_manifest(user, "\"1\"", &table)?;
    user.cargo("echo", &["build", "--target", rust::TARGET])?;
    let mut guard = Guard::start(user.run("echo", &["127.0.0.1:0"])?)?;
    guard.expect_within(LIMIT, "listening on ")?;
    let address = guard.address()?;
    echo(&mut connect(address)?, b"hello")
}

/// An app that asks for a release of tokio gets that one, ported.
fn is_taken(user: &User<'_>, branch: &str) -> Result<()> {
    let minor = branch.strip_prefix("tokio-").context("a branch of tokio")?;
    let table = user.table(branch, &["mio", "socket2", "tokio"])?;
    write_manifest(user, &format!("\"~{minor}\""), &table)?;
    let lockfile = user.app("echo/Cargo.lock");
    if lockfile.exists() {
        fs::remove_file(lockfile)?;
    }
    let tree = user.cargo(
        "echo",
        &["tree", "--target", rust::TARGET, "--prefix", "none"],
    )?;
    for name in ["mio", "socket2", "tokio", "wasmedge_std"] {
        let is_it = |line: &&str| {
            let mut words = line.split(' ');
            words.next() == Some(name)
        };
        let line = tree.lines().find(is_it);
        let line = line.with_context(|| format!("no {name} in\n{tree}"))?;
        ensure!(line.contains(REPOSITORY), "{branch}: as published: {line}");
    }
    ensure!(
        tree.contains(&format!("tokio v{minor}.")),
        "{branch}:\n{tree}"
    );
    Ok(())
}

fn write_manifest(user: &User<'_>, tokio: &str, table: &str) -> Result<()> {
    let manifest = format!(
        "[package]\nname = \"echo\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\ntokio = {{ version = {tokio}, features = [\"full\"] }}\n\n\
         [workspace]\n\n{table}"
    );
    Ok(fs::write(user.app("echo/Cargo.toml"), manifest)?)
}

/// mini-redis as published; the table is in a file that cargo is told of.
fn mini_redis(user: &User<'_>, branch: &str) -> Result<()> {
    let cargo = || Command::new("cargo");
    let published = fetch(&cargo, "mini-redis", &"=0.4.1".parse()?, false)?;
    copy_folder(&published.dir, &user.app("mini-redis"))?;
    // Of 2021: no release of tokio in it is covered.
    fs::remove_file(user.app("mini-redis/Cargo.lock"))?;
    let table = user.table(branch, &["mio", "socket2", "tokio"])?;
    fs::write(user.app("patch.toml"), table)?;
    user.cargo(
        "mini-redis",
        &[
            "--config",
            "../patch.toml",
            "build",
            "--target",
            rust::TARGET,
        ],
    )?;
    let port = free_port()?.to_string();
    let mut server = Guard::start(user.run("mini-redis-server", &["--port", &port])?)?;
    let address = format!("127.0.0.1:{port}").parse()?;
    wait_until("mini-redis-server listens", || connect(address).is_ok())?;
    ensure!(server.is_running()?, "{}", server.stderr());
    for (args, answer) in [
        (&["set", "key", "a value"][..], "OK"),
        (&["get", "key"], "\"a value\""),
    ] {
        let mut all = vec!["--port", &port];
        all.extend(args);
        let ended = Guard::run(user.run("mini-redis-cli", &all)?, LIMIT)?.successful()?;
        ensure!(ended.stdout == answer, "{ended}");
    }
    Ok(())
}
