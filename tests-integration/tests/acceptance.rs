//! What a user sees of `cargo wasmedge` from end to end, in an app that was
//! made with `cargo new` and `cargo add`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cargo_wasmedge::error::{EXIT_NOT_SET_UP, EXIT_PORT_DOES_NOT_APPLY, EXIT_UNSUPPORTED_VERSION};
use cargo_wasmedge::run::runner;
use cargo_wasmedge::toolchain::{Dirs, rust};
use rustix::process::Signal;
use tempfile::TempDir;
use tests_integration::build::{BUILD_LIMIT, copy_folder};
use tests_integration::host::{Execution, Hosts};
use tests_integration::suite::On;
use tests_integration::{Guard, Host, LIMIT, Mode, Suite, Workbench, connect, echo, wait_until};

fn main() -> ExitCode {
    let suite = Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .once("app_runs_natively_as_ever", native_run)
        .once("missing_wasmedge_is_code_96", not_set_up)
        .once("unsupported_pin_is_code_98", unsupported)
        .test("run_serves_and_leaves_the_app_alone", On::WasmEdge, run);
    // The others do not depend on which WasmEdge there is, but on one.
    if Hosts::find().is_ok_and(|hosts| hosts.wasmedges.is_empty()) {
        return suite.run();
    }
    suite
        .once("interrupted_build_leaves_the_app_alone", interrupted)
        .once("failed_build_leaves_the_app_alone", failed)
        .once("exit_codes_of_the_guest_are_passed_on", guest_code)
        .once("release_that_no_optional_port_covers_is_used", optional)
        .once("vendored_crates_serve_plain_cargo", vendored)
        .once("altered_upstream_file_is_code_97", altered)
        .run()
}

/// An app as `cargo new app` and `cargo add tokio --features full` make it, with
/// an echo server in it. It is outside of this workspace, where `cargo new`
/// would make it a member.
struct NewApp {
    name: String,
    temp: TempDir,
    target: PathBuf,
}

impl NewApp {
    /// `name` tells it from the other apps in the target folder that they share.
    fn new(workbench: &Workbench, name: &str) -> Result<NewApp> {
        let temp = tempfile::tempdir()?;
        let new_app = NewApp {
            name: name.to_owned(),
            target: workbench.target(),
            temp,
        };
        let mut cargo = workbench.cargo();
        cargo.args(["new", "--quiet", "--vcs", "none"]);
        cargo.arg(new_app.folder());
        Guard::run(cargo, LIMIT)?.successful()?;
        new_app.cargo(
            workbench,
            &["add", "--quiet", "tokio", "--features", "full"],
        )?;
        // What README.md shows, and a user starts with.
        let source = workbench.sources().join("apps/readme/src/main.rs");
        fs::copy(source, new_app.folder().join("src/main.rs"))?;
        // As it is once the app was built: there is a lockfile.
        new_app.cargo(workbench, &["generate-lockfile", "--quiet"])?;
        Ok(new_app)
    }

    fn folder(&self) -> PathBuf {
        self.temp.path().join(&self.name)
    }

    /// A command that is given in the app's folder.
    fn here(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder())
            .env("CARGO_TARGET_DIR", &self.target);
        command
    }

    fn cargo(&self, workbench: &Workbench, args: &[&str]) -> Result<()> {
        let mut cargo = self.here(workbench.cargo());
        cargo.args(args);
        Guard::run(cargo, BUILD_LIMIT)?.successful()?;
        Ok(())
    }

    /// `cargo wasmedge ARGS`.
    fn wasmedge(&self, workbench: &Workbench, host: &Host, args: &[&str]) -> Result<Command> {
        let mut command = self.here(workbench.wasmedge(host)?);
        command.args(args);
        Ok(command)
    }

    /// Every file of the app with its content.
    fn files(&self) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        let mut files = BTreeMap::new();
        for entry in walkdir::WalkDir::new(self.folder()) {
            let entry = entry?;
            if entry.file_type().is_file() {
                files.insert(entry.path().to_owned(), fs::read(entry.path())?);
            }
        }
        Ok(files)
    }

    fn is_unchanged(&self, before: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
        let after = self.files()?;
        for (path, content) in before {
            let now = after.get(path);
            ensure!(now.is_some(), "{} is gone", path.display());
            ensure!(now == Some(content), "{} was changed", path.display());
        }
        for path in after.keys() {
            ensure!(before.contains_key(path), "{} was added", path.display());
        }
        Ok(())
    }
}

/// The newest WasmEdge that is here.
fn newest() -> Result<Host> {
    let hosts = Hosts::find()?;
    let edge = hosts.wasmedges.last().context("no WasmEdge")?.clone();
    Ok(Host::WasmEdge(edge, Execution::Interpreted, Mode::Plain))
}

fn serves(guard: &mut Guard) -> Result<()> {
    guard.expect_within(BUILD_LIMIT, "listening on ")?;
    let address = guard.address()?;
    echo(&mut connect(address)?, b"hello")
}

fn native_run(workbench: &Workbench) -> Result<()> {
    let app = NewApp::new(workbench, "native-app")?;
    let before = app.files()?;
    let mut cargo = app.here(workbench.cargo());
    cargo.args(["run", "--", "127.0.0.1:0"]);
    serves(&mut Guard::start(cargo)?)?;
    app.is_unchanged(&before)
}

fn run(workbench: &Workbench, host: &Host) -> Result<()> {
    let app = NewApp::new(
        workbench,
        &format!("app-on-{}", host.to_string().replace(['.', '+'], "-")),
    )?;
    let before = app.files()?;
    let command = app.wasmedge(workbench, host, &["run", "--", "127.0.0.1:0"])?;
    let mut guard = Guard::start(command)?;
    serves(&mut guard)?;
    app.is_unchanged(&before).context("while it runs")?;
    let address = guard.address()?;
    // Killed: nothing of ours has a chance to end the guest.
    drop(guard);
    wait_until("the guest ends with its command", || {
        std::net::TcpStream::connect(address).is_err()
    })?;
    app.is_unchanged(&before)?;
    // The target folder is shared with the native build.
    let mut cargo = app.here(workbench.cargo());
    cargo.args(["run", "--", "127.0.0.1:0"]);
    serves(&mut Guard::start(cargo)?).context("natively afterwards")?;
    app.is_unchanged(&before)
}

fn interrupted(workbench: &Workbench) -> Result<()> {
    let mut app = NewApp::new(workbench, "interrupted-app")?;
    // A folder of its own, so that there is something to build.
    app.target = app.temp.path().join("target");
    let before = app.files()?;
    let mut command = app.wasmedge(workbench, &newest()?, &["build"])?;
    // As a terminal does it: the whole group is interrupted.
    command.process_group(0);
    let mut guard = Guard::start(command)?;
    guard.expect_within(BUILD_LIMIT, "Compiling")?;
    guard.signal_group(Signal::INT)?;
    let ended = guard.wait(Duration::from_secs(60))?;
    ensure!(!ended.status.success(), "{ended}");
    app.is_unchanged(&before)?;
    // Only the command itself is told to end, by a supervisor perhaps.
    let mut guard = Guard::start(app.wasmedge(workbench, &newest()?, &["build"])?)?;
    guard.expect_within(BUILD_LIMIT, "Compiling")?;
    guard.signal(Signal::TERM)?;
    let ended = guard.wait(Duration::from_secs(120))?;
    ensure!(!ended.status.success(), "{ended}");
    app.is_unchanged(&before)
}

fn failed(workbench: &Workbench) -> Result<()> {
    let app = NewApp::new(workbench, "failing-app")?;
    fs::write(
        app.folder().join("src/main.rs"),
        "fn main() { no_such_function() }\n",
    )?;
    let before = app.files()?;
    let command = app.wasmedge(workbench, &newest()?, &["build"])?;
    let ended = Guard::run(command, BUILD_LIMIT)?;
    // What cargo exits with.
    ensure!(ended.code() == Some(101), "{ended}");
    ensure!(ended.stderr.contains("no_such_function"), "{ended}");
    app.is_unchanged(&before)
}

fn guest_code(workbench: &Workbench) -> Result<()> {
    let app = NewApp::new(workbench, "exiting-app")?;
    let main = "#[tokio::main]\nasync fn main() {\n    \
                let code = std::env::args().nth(1).unwrap();\n    \
                std::process::exit(code.parse().unwrap());\n}\n";
    fs::write(app.folder().join("src/main.rs"), main)?;
    for code in [0, 3, 255] {
        let text = code.to_string();
        let command = app.wasmedge(workbench, &newest()?, &["run", "--", &text])?;
        let ended = Guard::run(command, BUILD_LIMIT)?;
        ensure!(ended.code() == Some(code), "{ended}");
    }
    Ok(())
}

fn not_set_up(workbench: &Workbench) -> Result<()> {
    let empty = tempfile::tempdir()?;
    let program = empty.path().join("program.wasm");
    // The smallest module: the WasmEdge to run it is looked for first.
    fs::write(&program, b"\0asm\x01\0\0\0")?;
    let bare = |args: &[&str]| -> Result<Command> {
        let mut command = Command::new(workbench.cargo_wasmedge()?);
        command
            .env_clear()
            .env("HOME", empty.path())
            .env("CARGO_WASMEDGE_HOME", empty.path().join("cache"))
            .env("PATH", empty.path())
            .args(args);
        Ok(command)
    };
    let name = program.to_string_lossy();
    for args in [&[runner::SUBCOMMAND, &*name][..], &["wasmedge", "doctor"]] {
        let ended = Guard::run(bare(args)?, LIMIT)?;
        ensure!(ended.code() == Some(EXIT_NOT_SET_UP), "{args:?} {ended}");
        let text = format!("{}{}", ended.stdout, ended.stderr);
        ensure!(text.contains("WasmEdge"), "{args:?} {ended}");
        ensure!(text.contains("cargo wasmedge setup"), "{args:?} {ended}");
    }
    Ok(())
}

fn unsupported(workbench: &Workbench) -> Result<()> {
    let app = NewApp::new(workbench, "pinned-app")?;
    let manifest = app.folder().join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let dependency = text
        .lines()
        .find(|line| line.starts_with("tokio = "))
        .context("no dependency on tokio")?;
    let pinned = r#"tokio = { version = "=1.40.0", features = ["full"] }"#;
    fs::write(&manifest, text.replace(dependency, pinned))?;
    app.cargo(workbench, &["generate-lockfile", "--quiet"])?;
    let before = app.files()?;
    let host = newest().unwrap_or(Host::Native);
    let ended = Guard::run(app.wasmedge(workbench, &host, &["build"])?, BUILD_LIMIT)?;
    ensure!(ended.code() == Some(EXIT_UNSUPPORTED_VERSION), "{ended}");
    ensure!(ended.stderr.contains("1.40.0"), "{ended}");
    ensure!(
        ended.stderr.contains("1.51"),
        "what is supported is not said: {ended}"
    );
    app.is_unchanged(&before)
}

fn optional(workbench: &Workbench) -> Result<()> {
    let app = NewApp::new(workbench, "optional-app")?;
    let manifest = app.folder().join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    fs::write(&manifest, text + "tempfile = \"=3.8.0\"\n")?;
    app.cargo(workbench, &["generate-lockfile", "--quiet"])?;
    let before = app.files()?;
    let host = newest()?;
    let command = app.wasmedge(workbench, &host, &["tree", "--depth", "1"])?;
    let ended = Guard::run(command, BUILD_LIMIT)?.successful()?;
    ensure!(ended.stdout.contains("tempfile v3.8.0"), "{ended}");
    ensure!(
        ended.stderr.contains("tempfile 3.8.0 is used as published"),
        "{ended}"
    );
    app.is_unchanged(&before)
}

fn vendored(workbench: &Workbench) -> Result<()> {
    let app = NewApp::new(workbench, "vendoring-app")?;
    let host = newest()?;
    let command = app.wasmedge(workbench, &host, &["vendor", "ported"])?;
    Guard::run(command, BUILD_LIMIT)?.successful()?;

    // The table, written by hand.
    let mut table = String::from("\n[patch.crates-io]\n");
    for name in ["mio", "socket2", "tokio"] {
        let folder = Path::new("ported").join(name);
        ensure!(
            app.folder().join(&folder).join("Cargo.toml").is_file(),
            "no {name}"
        );
        table += &format!("{name} = {{ path = \"{}\" }}\n", folder.display());
    }
    let manifest = app.folder().join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    fs::write(&manifest, text + &table)?;

    // Plain cargo, with a toolchain that has the target.
    let toolchain = rust::find(&Dirs::new()?)?;
    let plain = |args: &[&str]| -> Result<()> {
        let mut cargo = app.here(workbench.cargo_at(&toolchain.cargo));
        cargo.envs(toolchain.env()).args(args);
        let ended = Guard::run(cargo, BUILD_LIMIT)?.successful()?;
        ensure!(!ended.stderr.contains("was not used"), "{ended}");
        ensure!(!ended.stderr.contains("warning"), "{ended}");
        Ok(())
    };
    plain(&["build", "--target", "wasm32-wasip1"])?;
    let program = app.target.join("wasm32-wasip1/debug/vendoring-app.wasm");
    let mut command = workbench.run_program(&program, &host)?;
    command.arg("127.0.0.1:0");
    serves(&mut Guard::start(command)?)?;

    // And natively it is the same app.
    let mut cargo = app.here(workbench.cargo());
    cargo.args(["run", "--", "127.0.0.1:0"]);
    serves(&mut Guard::start(cargo)?).context("natively")
}

/// A file of tokio's is emptied in a cargo home made for the purpose; the user's
/// own is only read.
fn altered(workbench: &Workbench) -> Result<()> {
    let app = NewApp::new(workbench, "altered-app")?;
    // What the app needs is in the user's cargo home afterwards.
    let host = newest()?;
    Guard::run(app.wasmedge(workbench, &host, &["fetch"])?, BUILD_LIMIT)?;

    let mut metadata = cargo_metadata::MetadataCommand::new();
    metadata
        .manifest_path(app.folder().join("Cargo.toml"))
        .other_options(["--filter-platform".to_owned(), "wasm32-wasip1".to_owned()]);
    let metadata = metadata.exec()?;
    let tokio = metadata
        .packages
        .iter()
        .find(|package| package.name == "tokio")
        .context("no tokio")?;
    let source = tokio
        .manifest_path
        .parent()
        .context("no folder")?
        .as_std_path();
    // HOME/registry/src/REGISTRY/tokio-VERSION
    let registry = source.ancestors().nth(3).context("no registry")?;
    let home = app.temp.path().join("cargo-home");
    for part in ["index", "cache"] {
        copy_folder(&registry.join(part), &home.join("registry").join(part))?;
    }
    for config in ["config.toml", "config"] {
        let file = registry.parent().context("no cargo home")?.join(config);
        if file.is_file() {
            fs::copy(file, home.join(config))?;
        }
    }
    let copy = home.join("registry").join(source.strip_prefix(registry)?);
    copy_folder(source, &copy)?;
    fs::write(copy.join("src/net/addr.rs"), "// Empty.\n")?;

    // What is ported already is kept in the cache folder: take another.
    let cache = app.temp.path().join("cache");
    let dirs = Dirs::new()?;
    fs::create_dir_all(&cache)?;
    for installed in [dirs.toolchains(), dirs.wasmedge()] {
        if let Some(name) = installed.file_name().filter(|_| installed.is_dir()) {
            std::os::unix::fs::symlink(&installed, cache.join(name))?;
        }
    }
    let before = app.files()?;
    let mut command = app.wasmedge(workbench, &host, &["build", "--offline"])?;
    command
        .env("CARGO_HOME", &home)
        .env("CARGO_WASMEDGE_HOME", &cache);
    let ended = Guard::run(command, BUILD_LIMIT)?;
    ensure!(ended.code() == Some(EXIT_PORT_DOES_NOT_APPLY), "{ended}");
    for part in [
        &format!("tokio {}", tokio.version),
        "resolve-names",
        "src/net/addr.rs",
    ] {
        ensure!(
            ended.stderr.contains(part),
            "{part:?} is not named: {ended}"
        );
    }
    app.is_unchanged(&before)
}
