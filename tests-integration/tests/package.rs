//! The published package: what is in its archive is all that an install needs.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use tests_integration::build::BUILD_LIMIT;
use tests_integration::host::Hosts;
use tests_integration::newcomer::{Newcomer, path_with};
use tests_integration::{Guard, Suite, Workbench};

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

fn package(workbench: &Workbench) -> Result<()> {
    let newcomer = Newcomer::with_our_tools(workbench)?;
    let sources = newcomer.unpacked_archive()?;
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

    let mut cargo = newcomer.cargo(&["wasmedge", "run"])?;
    cargo
        .current_dir(&app)
        .env("PATH", path_with(bin)?)
        .env("CARGO_WASMEDGE_WASMEDGE", &edge.program)
        .env("CARGO_WASMEDGE_PLUGIN", "never");
    let ended = Guard::run(cargo, BUILD_LIMIT)?.successful()?;
    let wanted = "echoed 16 bytes: from the archive";
    ensure!(ended.stdout.contains(wanted), "{ended}");
    Ok(())
}
