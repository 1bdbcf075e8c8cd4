//! Programs compiled ahead of time, and the cache that they are kept in.

mod lower;

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::shell::Shell;
use crate::toolchain::wasmedge::WasmEdge;

/// Compiled programs that were not used for so long are deleted.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The oldest compiled programs are deleted when all together are larger (bytes).
const CACHE_LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// The program compiled ahead of time, from the cache or made now.
///
/// # Errors
/// The program cannot be read, or the cache not written. The inner one: WasmEdge cannot
/// compile it.
pub fn cached(
    wasmedge: &WasmEdge,
    program: &Path,
    cache: &Path,
    shell: &Shell,
) -> Result<anyhow::Result<PathBuf>> {
    let hash = hash_file(program)?;
    let revision = lower::REVISION;
    let key = format!("{}-{revision}-{}", wasmedge.version, &hash[..32]);
    let folder = cache.join(key);
    // The guest sees this name as its `args[0]`; WasmEdge looks at the content.
    let name = program.file_name().unwrap_or(OsStr::new("program.wasm"));
    let compiled = folder.join(name);
    if is_there(&compiled) {
        return Ok(Ok(compiled));
    }
    let failed = || format!("cannot write {}", folder.display());
    std::fs::create_dir_all(&folder).with_context(failed)?;
    let lock = File::create(folder.join(".lock")).with_context(failed)?;
    // Where there are no locks two may compile the same; the rename makes it safe.
    let _ = lock.lock();
    if is_there(&compiled) {
        return Ok(Ok(compiled));
    }
    let work = tempfile::Builder::new()
        .prefix(".compiling-")
        .suffix(".so")
        .tempfile_in(&folder)
        .with_context(failed)?
        .into_temp_path();
    if let Err(why) = compile(wasmedge, program, &work, shell) {
        return Ok(Err(why));
    }
    std::fs::rename(&work, &compiled).with_context(failed)?;
    prune(cache, &folder, SystemTime::now(), UNUSED, CACHE_LIMIT);
    Ok(Ok(compiled))
}

/// Compiles `program` ahead of time, into the file `compiled`.
fn compile(
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

/// Whether the compiled program is there; notes that it was used.
fn is_there(compiled: &Path) -> bool {
    let Ok(file) = File::options().append(true).open(compiled) else {
        return compiled.is_file();
    };
    let _ = file.set_modified(SystemTime::now());
    true
}

fn hash_file(path: &Path) -> Result<String> {
    let failed = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).with_context(failed)?;
        if read == 0 {
            return Ok(format!("{:x}", hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}

/// Deletes what was not used for `unused`, then the least recently used until
/// all is within `limit` bytes; never `keep`. What cannot be deleted stays.
fn prune(cache: &Path, keep: &Path, now: SystemTime, unused: Duration, limit: u64) {
    let mut entries: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in cache.read_dir().into_iter().flatten().flatten() {
        let folder = entry.path();
        let mut last = SystemTime::UNIX_EPOCH;
        let mut size = 0;
        for file in folder.read_dir().into_iter().flatten().flatten() {
            if let Ok(meta) = file.metadata() {
                last = last.max(meta.modified().unwrap_or(SystemTime::UNIX_EPOCH));
                size += meta.len();
            }
        }
        entries.push((last, size, folder));
    }
    entries.sort();
    let mut total: u64 = entries.iter().map(|(_, size, _)| size).sum();
    for (last, size, folder) in entries {
        let old = now.duration_since(last).is_ok_and(|age| age > unused);
        if (old || total > limit) && folder != keep {
            total -= size;
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pruning_goes_by_age_then_by_size() {
        let temp = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let entry = |name: &str, age: u64| {
            let folder = temp.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            let file = File::create(folder.join("x.wasm")).unwrap();
            file.set_len(100).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
            folder
        };
        let (ancient, old, newer, kept) = (
            entry("a", 1000),
            entry("b", 90),
            entry("c", 50),
            entry("d", 2000),
        );
        prune(temp.path(), &kept, now, Duration::from_secs(500), 250);
        assert!(!ancient.exists(), "unused for too long");
        assert!(!old.exists(), "300 bytes are over the limit");
        assert!(newer.exists() && kept.exists());
    }
}
