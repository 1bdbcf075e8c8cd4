//! What the system says of a running program.

use std::fs;

use anyhow::{Context as _, Result, bail};
use tests_integration::guard::Guard;

/// The processor time that a program has used, in seconds, as the scheduler
/// counts it.
pub(crate) fn cpu(guard: &Guard) -> Result<f64> {
    let mut nanos = 0u64;
    for task in fs::read_dir(format!("/proc/{}/task", guard.id()))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let word = text.split_whitespace().next().unwrap_or_default();
        nanos += word.parse::<u64>().context("no time in schedstat")?;
    }
    Ok(nanos as f64 / 1e9)
}

/// Memory in use, in KiB.
pub(crate) fn memory(guard: &Guard) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{}/status", guard.id()))?;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("VmRSS:") {
            let word = rest.split_whitespace().next().unwrap_or_default();
            return Ok(word.parse()?);
        }
    }
    bail!("the system does not tell the memory in use")
}

/// How many files are open, sockets too.
pub(crate) fn open_files(guard: &Guard) -> Result<usize> {
    let folder = format!("/proc/{}/fd", guard.id());
    let files = fs::read_dir(&folder).with_context(|| format!("cannot list {folder}"))?;
    Ok(files.count())
}
