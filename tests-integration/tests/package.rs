//! The published package: what is in its archive is all that an install needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use cargo_wasmedge::toolchain::Dirs;
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use tempfile::TempDir;
use tests_integration::build::BUILD_LIMIT;
use tests_integration::host::Hosts;
use tests_integration::{Guard, Suite, Workbench};

const PACKAGE: &str = "cargo-wasmedge";

const APP: &str = r#"
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let (mut reader, mut writer) = stream.split();
        tokio::io::copy(&mut reader, &mut writer).await
    });
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"from the archive").await?;
    stream.shutdown().await?;
    let mut echoed = String::new();
    stream.read_to_string(&mut echoed).await?;
    println!("echoed {} bytes: {echoed}", server.await??);
    Ok(())
}
"#;

fn main() -> ExitCode {
    Suite::new(env!("CARGO_TARGET_TMPDIR"))
        .once(
            "package_verifies_and_installs_without_the_repository",
            package,
        )
        .run()
}

/// The home of a user who has nothing yet but a toolchain.
struct Newcomer<'a> {
    workbench: &'a Workbench,
    /// Keeps its place, or cargo would compile everything anew in each run: for a
    /// registry's packages it compares paths.
    cargo_home: PathBuf,
    target: PathBuf,
    /// The user's folders, far from the repository.
    temp: TempDir,
}

impl<'a> Newcomer<'a> {
    fn new(workbench: &'a Workbench) -> Result<Newcomer<'a>> {
        let folder = workbench.tmp().join("package");
        let newcomer = Newcomer {
            workbench,
            cargo_home: folder.join("cargo-home"),
            target: folder.join("target"),
            temp: tempfile::tempdir()?,
        };
        if newcomer.cargo_home.exists() {
            fs::remove_dir_all(&newcomer.cargo_home)?;
        }
        fs::create_dir_all(&newcomer.cargo_home)?;
        fs::create_dir_all(newcomer.path("home"))?;
        // How this machine reaches the registry, where it has to be said.
        let config = cargo_home()?.join("config.toml");
        if config.is_file() {
            fs::copy(config, newcomer.cargo_home.join("config.toml"))?;
        }
        Ok(newcomer)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// A command that sees the empty home, and the toolchains of this machine.
    fn here(&self, mut command: Command) -> Result<Command> {
        let rustup = match std::env::var_os("RUSTUP_HOME") {
            Some(home) => PathBuf::from(home),
            None => home()?.join(".rustup"),
        };
        command
            .current_dir(self.temp.path())
            .env("HOME", self.path("home"))
            .env("CARGO_HOME", &self.cargo_home)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_WASMEDGE_HOME", Dirs::new()?.home())
            // Nobody debugs it, and it is half of the build.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env_remove("XDG_CACHE_HOME");
        if rustup.is_dir() {
            command.env("RUSTUP_HOME", rustup);
        }
        Ok(command)
    }

    fn cargo(&self, args: &[&str]) -> Result<Command> {
        let mut cargo = self.here(self.workbench.cargo())?;
        cargo.args(args);
        Ok(cargo)
    }
}

fn package(workbench: &Workbench) -> Result<()> {
    let newcomer = Newcomer::new(workbench)?;

    // cargo unpacks the archive and builds what is in it.
    let mut cargo = newcomer.cargo(&["package", "--allow-dirty", "--package", PACKAGE])?;
    cargo.current_dir(workbench.sources());
    Guard::run(cargo, BUILD_LIMIT)?.successful()?;

    let sources = newcomer.path("sources");
    unpack(&archive(workbench, &newcomer.target)?, &sources)?;
    for part in [
        "README.md",
        "LICENSE",
        "bundle/ports/tokio/port.toml",
        "bundle/plugin/src/lib.rs",
    ] {
        ensure!(sources.join(part).is_file(), "no {part} in the archive");
    }
    let installed = newcomer.path("installed");
    let mut cargo = newcomer.cargo(&["install", "--debug", "--path"])?;
    cargo.arg(&sources).arg("--root").arg(&installed);
    Guard::run(cargo, BUILD_LIMIT)?.successful()?;

    // Which WasmEdge is missing is told by the suite.
    match Hosts::find()?.wasmedges.pop() {
        Some(edge) => runs_an_app(&newcomer, &installed.join("bin"), &edge),
        None => Ok(()),
    }
}

/// `cargo wasmedge run` in a new app, with the command that was installed.
fn runs_an_app(newcomer: &Newcomer<'_>, bin: &Path, edge: &WasmEdge) -> Result<()> {
    let cargo = newcomer.cargo(&["new", "--quiet", "--vcs", "none", "app"])?;
    Guard::run(cargo, BUILD_LIMIT)?.successful()?;
    let app = newcomer.path("app");
    fs::write(app.join("src/main.rs"), APP)?;
    let mut cargo = newcomer.cargo(&["add", "--quiet", "tokio", "--features", "full"])?;
    cargo.current_dir(&app);
    Guard::run(cargo, BUILD_LIMIT)?.successful()?;

    let mut path = vec![bin.to_owned()];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let mut cargo = newcomer.cargo(&["wasmedge", "run"])?;
    cargo
        .current_dir(&app)
        .env("PATH", std::env::join_paths(path)?)
        .env("CARGO_WASMEDGE_WASMEDGE", &edge.program)
        .env("CARGO_WASMEDGE_PLUGIN", "never");
    let ended = Guard::run(cargo, BUILD_LIMIT)?.successful()?;
    let wanted = "echoed 16 bytes: from the archive";
    ensure!(ended.stdout.contains(wanted), "{ended}");
    Ok(())
}

/// The archive that `cargo package` has made.
fn archive(workbench: &Workbench, target: &Path) -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(workbench.sources().join("../Cargo.toml"))
        .no_deps()
        .exec()?;
    let package = metadata.packages.iter().find(|each| each.name == PACKAGE);
    let version = &package.context("no such package")?.version;
    Ok(target.join(format!("package/{PACKAGE}-{version}.crate")))
}

/// Unpacks an archive, which holds one folder, as `folder`.
fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    let file = fs::File::open(archive).with_context(|| format!("no {}", archive.display()))?;
    let temp = tempfile::tempdir_in(folder.parent().context("a folder at the root")?)?;
    tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(temp.path())?;
    let inner = fs::read_dir(temp.path())?.next().context("it is empty")??;
    Ok(fs::rename(inner.path(), folder)?)
}

fn home() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").context("no home folder")?;
    Ok(home.into())
}

/// The user's own cargo home, which is only read.
fn cargo_home() -> Result<PathBuf> {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => Ok(home.into()),
        None => Ok(home()?.join(".cargo")),
    }
}
