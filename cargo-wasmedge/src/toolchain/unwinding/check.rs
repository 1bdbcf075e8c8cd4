//! Small programs that unwind, built as a user's are and run on the WasmEdge that is there:
//! what a compiler makes of unwinding was wrong before in ways that only programs show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::rustc::write_wrapper;
use crate::toolchain::job::Job;
use crate::toolchain::process::{self, End, Limits};
use crate::toolchain::rust::{RustToolchain, TARGET};
use crate::toolchain::wasmedge::WasmEdge;
use crate::wasm::unwind;

/// The program. It ends well if all is as it should be.
const PROGRAM: &str = include_str!("check/program.rs");

/// What it says last then.
const WELL: &str = "all well";

/// Ends that the program comes to when it is asked to, with the exit code.
const ENDS: [(&str, i32); 4] = [
    ("uncaught", 101),
    ("panic-in-drop", 134),
    ("extern-c", 134),
    ("exit", 7),
];

const LEVELS: [&str; 6] = ["0", "1", "2", "3", "s", "z"];

/// A program of this size takes a second to compile and to run.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Gives the versions of WasmEdge that it was checked on.
///
/// # Errors
/// What does not behave as natively.
pub(super) fn check(
    job: &Job,
    toolchain: &RustToolchain,
    sysroot: &Path,
    work: &Path,
    edges: &[WasmEdge],
) -> anyhow::Result<Vec<String>> {
    let folder = work.join("check");
    fs::create_dir_all(&folder)?;
    let source = folder.join("program.rs");
    fs::write(&source, PROGRAM)?;
    let rustc = write_wrapper(&folder, &toolchain.rustc, sysroot)?;
    let versions: Vec<String> = edges.iter().map(|edge| edge.version.to_string()).collect();
    let line = format!(
        "programs that unwind, on WasmEdge {}",
        versions.join(" and ")
    );
    job.progress.status("Checking", &line);
    let bar = job.progress.spinner("checking");
    for level in LEVELS {
        let program = compile(toolchain, &rustc, &source, level)?;
        let plain = fs::read(&program)?;
        let plain = unwind::plain(&plain)?.context("the program has nothing that unwinds")?;
        fs::write(&program, plain)?;
        for edge in edges {
            bar.tick();
            run(edge, &program)
                .with_context(|| format!("at opt-level {level}, on WasmEdge {}", edge.version))?;
        }
    }
    bar.finish_and_clear();
    Ok(versions)
}

fn compile(
    toolchain: &RustToolchain,
    rustc: &Path,
    source: &Path,
    level: &str,
) -> anyhow::Result<PathBuf> {
    let program = source.with_file_name(format!("program-{level}.wasm"));
    let mut command = Command::new(rustc);
    command
        .args(["--target", TARGET, "--edition", "2021", "-C"])
        .arg(format!("opt-level={level}"))
        .arg("-o")
        .args([&program, source]);
    if let Some(linker) = &toolchain.linker {
        command
            .arg("-C")
            .arg(format!("linker={}", linker.display()));
    }
    let done = process::run(&mut command, Limits::total(LIMIT), || 0)?;
    ensure!(done.success(), "it cannot be compiled: {}", done.why());
    Ok(program)
}

fn run(edge: &WasmEdge, program: &Path) -> anyhow::Result<()> {
    let start = |word: &[&str]| {
        let mut command = Command::new(&edge.program);
        command.arg(program).args(word);
        process::run(&mut command, Limits::total(LIMIT), || 0)
    };
    let done = start(&[])?;
    ensure!(done.success(), "{}", done.why());
    ensure!(done.stdout.contains(WELL), "it ended before its end");
    for (word, code) in ENDS {
        let done = start(&[word])?;
        let End::Exited(status) = done.end else {
            bail!("`{word}`: {}", done.why());
        };
        let ended = crate::process::exit_code(status);
        ensure!(
            ended == code,
            "`{word}` ended with {ended} instead of {code}"
        );
    }
    Ok(())
}
