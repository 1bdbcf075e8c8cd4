//! Where the programs run, and how they get there.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::run::runner;
use cargo_wasmedge::toolchain::wasmedge::WasmEdge;
use cargo_wasmedge::toolchain::{self, rust};
use semver::Version;
use tests_integration::Guard;
use tests_integration::build::BUILD_LIMIT;
use tools_common::repo::quiet_environment;
use tools_common::{Repo, Tools};

/// The machine itself, or a WasmEdge, with the plugin or without.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Program and version of a WasmEdge; `None` for the machine.
    pub(crate) wasmedge: Option<(PathBuf, Version)>,
    /// The plugin's library; `None` where programs run without.
    plugin: Option<PathBuf>,
    /// Whether panics unwind there.
    unwinds: bool,
    /// The program and the words before its own arguments.
    words: Vec<String>,
    /// The native program that makes the load.
    load: PathBuf,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wasmedge {
            None => f.write_str("native"),
            Some((_, version)) if self.plugin.is_some() => write!(f, "{version}{WITH_PLUGIN}"),
            Some((_, version)) if self.unwinds => write!(f, "{version}{UNWINDING}"),
            Some((_, version)) => write!(f, "{version}"),
        }
    }
}

/// Where WasmEdge looks for plugins.
const PLUGIN_PATH: &str = "WASMEDGE_PLUGIN_PATH";

/// Behind the version of a WasmEdge with the plugin.
const WITH_PLUGIN: &str = " with plugin";

/// Behind the version of a WasmEdge whose programs are built with the setting `unwind`.
pub(crate) const UNWINDING: &str = " unwinding";

/// Whether the place of this name has the plugin.
pub(crate) fn has_plugin(name: &str) -> bool {
    name.ends_with(WITH_PLUGIN)
}

/// What is beside WasmEdge without anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// WasmEdge with the plugin.
    Plugin,
    /// Programs whose panics unwind.
    Unwinding,
}

/// Builds the programs for every place, and the plugin.
pub(crate) fn build(repo: &Repo, tools: &Tools, beside: Beside) -> Result<Vec<Place>> {
    let package = repo.root.join("tests-integration/bench");
    let target = repo.target.join("bench");
    let release = native(repo)?;
    let program = wasm(repo, tools, &package, "work", &target, false)?;
    check_tokio(&release.join("work"), &program)?;
    let place = |wasmedge, plugin, unwinds, words| Place {
        wasmedge,
        plugin,
        unwinds,
        words,
        load: release.join("load"),
    };
    let own = release.join("work").display().to_string();
    let mut places = vec![place(None, None, false, vec![own])];
    let others = match beside {
        Beside::Plugin => {
            let mut build = repo.cargo(["build", "--release", "--locked"]);
            build
                .args(["--package", "tokio_wasmedge_plugin", "--target-dir"])
                .arg(&repo.target);
            repo.must(&mut build)?;
            let plugin = toolchain::plugin::library(&repo.target.join("release"))
                .context("cargo built the plugin, and there is none")?;
            [(program.clone(), None), (program, Some(plugin))]
        }
        Beside::Unwinding => {
            tools.set_up_unwinding(repo)?;
            let target = target.join("unwinding");
            let unwinding = wasm(repo, tools, &package, "work", &target, true)?;
            [(program, None), (unwinding, None)]
        }
    };
    for edge in &tools.wasmedge {
        for (at, (program, plugin)) in others.iter().enumerate() {
            let words = what_runs(tools, edge, plugin.as_deref(), program, "http")
                .with_context(|| format!("under WasmEdge {}", edge.version))?;
            let edge = (edge.program.clone(), edge.version.clone());
            let unwinds = at > 0 && beside == Beside::Unwinding;
            places.push(place(Some(edge), plugin.clone(), unwinds, words));
        }
    }
    Ok(places)
}

/// A server whose handlers panic, under every WasmEdge.
pub(crate) fn panicking(repo: &Repo, tools: &Tools) -> Result<Vec<Place>> {
    let release = native(repo)?;
    tools.set_up_unwinding(repo)?;
    let package = repo.root.join("tests-integration/apps");
    let target = repo.target.join("bench/panicking");
    let program = wasm(repo, tools, &package, "unwinding", &target, true)?;
    let places = tools.wasmedge.iter().map(|edge| {
        Ok(Place {
            wasmedge: Some((edge.program.clone(), edge.version.clone())),
            plugin: None,
            unwinds: true,
            words: what_runs(tools, edge, None, &program, "serve")
                .with_context(|| format!("under WasmEdge {}", edge.version))?,
            load: release.join("load"),
        })
    });
    places.collect()
}

const RELEASE: [&str; 3] = ["build", "--release", "--locked"];

/// Builds the programs for the machine itself, and gives their folder.
fn native(repo: &Repo) -> Result<PathBuf> {
    let target = repo.target.join("bench");
    let mut native = repo.cargo(RELEASE);
    native
        .current_dir(repo.root.join("tests-integration/bench"))
        .arg("--target-dir")
        .arg(&target);
    repo.must(&mut native)?;
    Ok(target.join("release"))
}

/// Builds a program for WasmEdge.
fn wasm(
    repo: &Repo,
    tools: &Tools,
    package: &Path,
    bin: &str,
    target: &Path,
    unwinds: bool,
) -> Result<PathBuf> {
    let mut wasm = tools.cargo_wasmedge(tools.newest());
    wasm.current_dir(package)
        .args(RELEASE)
        .args(["--bin", bin, "--target-dir"])
        .arg(target);
    if unwinds {
        wasm.env("CARGO_WASMEDGE_UNWIND", "true")
            // The programs' own profile says `abort`.
            .env("CARGO_PROFILE_RELEASE_PANIC", "unwind");
    }
    repo.must(&mut wasm)?;
    let built = target.join(rust::TARGET);
    Ok(built.join(format!("release/{bin}.wasm")))
}

/// Refuses to compare different versions of tokio: with ported crates cargo may
/// choose others than the lockfile has.
fn check_tokio(native: &Path, wasm: &Path) -> Result<()> {
    let read = |file: &Path| {
        let program = std::fs::read(file);
        let program = program.with_context(|| format!("cannot read {}", file.display()))?;
        anyhow::Ok(tokio_versions(&program))
    };
    let (native, wasm) = (read(native)?, read(wasm)?);
    ensure!(
        native == wasm && native.len() == 1,
        "the native program has tokio {native:?}, the one for WasmEdge {wasm:?}"
    );
    Ok(())
}

/// The versions in the paths of sources, which a program has for its panics:
/// `…/tokio-1.54.1/src/…`, or for a ported crate `…/tokio-1.54.1-04e5e5ee221d/src/…`.
fn tokio_versions(program: &[u8]) -> BTreeSet<String> {
    const BEFORE: &[u8] = b"/tokio-";
    let mut versions = BTreeSet::new();
    for (at, _) in program
        .windows(BEFORE.len())
        .enumerate()
        .filter(|(_, window)| *window == BEFORE)
    {
        let rest = &program[at + BEFORE.len()..];
        let is_version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        let length = rest.iter().take_while(|byte| is_version(byte)).count();
        // Other crates go on with a word: `/tokio-util-0.7.20/`.
        if length > 0 {
            versions.insert(String::from_utf8_lossy(&rest[..length]).into_owned());
        }
    }
    versions
}

/// Has the runner of `cargo wasmedge` start the program, and looks what it became:
/// WasmEdge with the compiled program. What is measured is that, and not the
/// runner.
fn what_runs(
    tools: &Tools,
    edge: &WasmEdge,
    plugin: Option<&Path>,
    program: &Path,
    word: &str,
) -> Result<Vec<String>> {
    let mut command = Command::new(&tools.cargo_wasmedge);
    quiet_environment(&mut command);
    command
        .arg(runner::SUBCOMMAND)
        .arg(program)
        .env("CARGO_WASMEDGE_WASMEDGE", &edge.program)
        .env("CARGO_WASMEDGE_AOT", "always")
        // Else the runner stays, to name functions after a panic.
        .env("RUST_BACKTRACE", "0")
        .env(
            "CARGO_WASMEDGE_PLUGIN",
            plugin.unwrap_or(Path::new("never")),
        );
    // The first time it is compiled, which takes a while.
    command.arg(word);
    let mut server = Guard::start(command)?;
    server.expect_within(BUILD_LIMIT, "listening on ")?;
    ensure!(
        !server.stderr().contains("is interpreted"),
        "the program could not be compiled ahead of time: {}",
        server.stderr()
    );
    let line = std::fs::read(format!("/proc/{}/cmdline", server.id()))?;
    let line = String::from_utf8(line).context("a word of the command is not Unicode")?;
    let mut words: Vec<String> = line.split_terminator('\0').map(str::to_owned).collect();
    ensure!(
        words.pop().as_deref() == Some(word)
            && !words.iter().any(|word| word == runner::SUBCOMMAND),
        "the runner did not become WasmEdge: {line:?}"
    );
    Ok(words)
}

impl Place {
    /// Whether this is what the others are compared with.
    pub(crate) fn is_native(&self) -> bool {
        self.wasmedge.is_none()
    }

    /// The command that runs the program here.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        quiet_environment(&mut command);
        if let Some(plugin) = &self.plugin {
            command.env(PLUGIN_PATH, plugin);
        }
        command.args(args);
        command
    }

    /// Starts the program here.
    pub(crate) fn start(&self, args: &[&str]) -> Result<Guard> {
        Guard::start(self.command(args)).with_context(|| format!("on {self}"))
    }

    /// The same program on the machine itself, as the other end of a connection.
    pub(crate) fn start_native(&self, args: &[&str]) -> Result<Guard> {
        let mut command = Command::new(self.load.with_file_name("work"));
        command.args(args);
        Guard::start(command)
    }

    /// The load program, which runs on the machine itself.
    pub(crate) fn load(&self) -> &Path {
        &self.load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_names_its_tokio() {
        let versions = |text: &str| {
            let versions = tokio_versions(text.as_bytes());
            versions.into_iter().collect::<Vec<_>>().join(", ")
        };
        let native = "\0/x/tokio-1.54.1/src/a.rs\0/x/tokio-1.54.1/src/b.rs/x/tokio-util-0.7.20/c";
        assert_eq!(versions(native), "1.54.1");
        assert_eq!(versions("/x/tokio-1.54.1-04e5e5ee221d/src/a.rs"), "1.54.1");
        assert_eq!(versions("/tokio-1.54.1/a/tokio-1.51.6/a"), "1.51.6, 1.54.1");
        assert_eq!(versions("nothing /tokio-"), "");
    }
}
