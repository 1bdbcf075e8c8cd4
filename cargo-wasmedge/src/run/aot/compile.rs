//! Compiling one program with WasmEdge's own compiler.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use super::lower;
use crate::shell::Shell;
use crate::toolchain::wasmedge::WasmEdge;

/// Compiles `program` ahead of time, into the file `compiled`.
pub(super) fn compile(
    wasmedge: &WasmEdge,
    program: &Path,
    compiled: &Path,
    shell: &Shell,
) -> anyhow::Result<()> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let version = &wasmedge.version;
    shell.status(
        "Compiling",
        format_args!("{name} ahead of time (WasmEdge {version})"),
    );
    let lowered = lower_file(program, shell)?;
    let spinner = shell.shows_progress().then(|| {
        let spinner = indicatif::ProgressBar::new_spinner().with_message("compiling ahead of time");
        let style = indicatif::ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        spinner.set_style(style.unwrap_or_else(|_| indicatif::ProgressStyle::default_spinner()));
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    });
    // At WasmEdge's own level, O2: O3 and Os are alike (docs/benchmarks.md).
    let mut command = Command::new(&wasmedge.program);
    command
        .arg("compile")
        .arg(lowered.as_deref().unwrap_or(program))
        .arg(compiled)
        .stdin(Stdio::null());
    shell.command(&command);
    let output = command.output();
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }
    let output = output.with_context(|| format!("cannot start {}", wasmedge.program.display()))?;
    let made = std::fs::metadata(compiled).is_ok_and(|meta| meta.len() > 0);
    if !output.status.success() || !made {
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors
            .lines()
            .chain(said.lines())
            .rfind(|line| !line.trim().is_empty());
        anyhow::bail!("{}: {}", output.status, last.unwrap_or("no message"));
    }
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
