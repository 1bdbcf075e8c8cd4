//! Compiling one program with WasmEdge's own compiler.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::progress::Progress;
use super::speed::Speed;
use crate::shell::Shell;
use crate::toolchain::process::{self, End, Limits};
use crate::toolchain::wasmedge::WasmEdge;
use crate::wasm::lower;

/// What a compiled program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A library of the machine's: WasmEdge of the same version loads it at once.
    Native,
    /// The program, with the compiled code in a section of it. Every WasmEdge runs it; one
    /// that has no use for the section interprets.
    Universal,
}

impl Form {
    /// What WasmEdge tells the form by, which it is to write.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Form::Native => ".so",
            Form::Universal => ".wasm",
        }
    }
}

/// Compiles `program` ahead of time, into the file `compiled`, whose name ends in the suffix
/// of a [`Form`].
pub(super) fn compile(
    wasmedge: &WasmEdge,
    program: &Path,
    compiled: &Path,
    speed: &Speed,
    shell: &Shell,
) -> anyhow::Result<()> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let lowered = lower_file(program, shell)?;
    let source = lowered.as_deref().unwrap_or(program);
    let size = std::fs::metadata(source).map_or(0, |meta| meta.len());
    // At WasmEdge's own level, O2: O3 and Os are alike (docs/benchmarks.md).
    let mut command = Command::new(&wasmedge.program);
    command.arg("compile").arg(source).arg(compiled);
    let version = wasmedge.version.to_string();
    let mut progress = Progress::start(shell, &name, &version, speed.estimate(size));
    shell.command(&command);
    let finished = process::run(&mut command, Limits::total(Duration::MAX), || {
        progress.tick();
        0
    });
    let took = progress.finish();
    let finished =
        finished.with_context(|| format!("cannot start {}", wasmedge.program.display()))?;
    let made = std::fs::metadata(compiled).is_ok_and(|meta| meta.len() > 0);
    if !finished.success() || !made {
        let said = finished.stderr.lines().chain(finished.stdout.lines());
        let last = said.rev().find(|line| !line.trim().is_empty());
        let status = match finished.end {
            End::Exited(status) => status.to_string(),
            _ => "ended".to_owned(),
        };
        anyhow::bail!("{status}: {}", last.unwrap_or("no message"));
    }
    speed.learn(size, took);
    Ok(())
}

/// A file with the program as WasmEdge compiles it best. `None`: it is compiled as it
/// is, since it has something that is not known here, which was said.
fn lower_file(program: &Path, shell: &Shell) -> anyhow::Result<Option<tempfile::TempPath>> {
    let read = std::fs::read(program);
    let read = read.with_context(|| format!("cannot read {}", program.display()))?;
    let lowered = match lower::lower(&read) {
        Ok(lowered) => lowered,
        Err(why) => {
            shell.warn(format_args!(
                "{} is compiled as it is, its indirect calls will be slower: {why:#}",
                program.display()
            ));
            return Ok(None);
        }
    };
    let file = tempfile::Builder::new()
        .prefix("cargo-wasmedge-")
        .suffix(".wasm")
        .tempfile()
        .context("cannot write a temporary file")?;
    std::fs::write(&file, lowered).context("cannot write a temporary file")?;
    Ok(Some(file.into_temp_path()))
}
