//! The cache of compiled programs.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::compile::{Form, compile};
use super::processor;
use super::speed::Speed;
use crate::error::Result;
use crate::fs::open_lock_file;
use crate::shell::Shell;
use crate::toolchain::wasmedge::WasmEdge;
use crate::wasm::lower;

/// Compiled programs that were not used for so long are deleted.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The oldest compiled programs are deleted when all together are larger (bytes).
const CACHE_LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// Programs compiled for this machine's processor.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    /// WasmEdge compiles for all that the processor can do. A folder that several
    /// machines share, or a disk that moves, must not give one the other's programs:
    /// they would end with an illegal instruction.
    processor: String,
}

impl Cache {
    /// The cache in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Cache {
        Cache {
            folder: folder.into(),
            processor: processor::identity(Path::new("/")),
        }
    }

    /// The program compiled ahead of time, from the cache or made now.
    ///
    /// # Errors
    /// The program cannot be read, or the cache not written. The inner one: WasmEdge
    /// cannot compile it.
    pub fn compiled(
        &self,
        wasmedge: &WasmEdge,
        program: &Path,
        shell: &Shell,
    ) -> Result<anyhow::Result<PathBuf>> {
        self.compiled_as(Form::Native, wasmedge, program, shell)
    }

    /// [`Cache::compiled`] in a form of the caller's choice.
    ///
    /// # Errors
    /// As there.
    pub fn compiled_as(
        &self,
        form: Form,
        wasmedge: &WasmEdge,
        program: &Path,
        shell: &Shell,
    ) -> Result<anyhow::Result<PathBuf>> {
        let hash = hash_file(program)?;
        let revision = lower::REVISION;
        let key = format!(
            "{}-{revision}-{}-{}",
            wasmedge.version,
            self.processor,
            &hash[..32]
        );
        let mut folder = self.folder.join(key);
        if form == Form::Universal {
            folder.as_mut_os_string().push("-universal");
        }
        // The guest sees this name as its `args[0]`; WasmEdge looks at the content.
        let name = program.file_name().unwrap_or(OsStr::new("program.wasm"));
        let compiled = folder.join(name);
        if is_there(&compiled) {
            return Ok(Ok(compiled));
        }
        let failed = || format!("cannot write {}", folder.display());
        let lock = open_lock_file(&folder.join(".lock"))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            let name = name.to_string_lossy();
            shell.status(
                "Blocking",
                format_args!("while another process compiles {name}"),
            );
            // Where there are no locks two may compile the same; the rename makes it
            // safe.
            let _ = lock.lock();
        }
        if is_there(&compiled) {
            return Ok(Ok(compiled));
        }
        let work = tempfile::Builder::new()
            .prefix(".compiling-")
            .suffix(form.suffix())
            .tempfile_in(&folder)
            .with_context(failed)?
            .into_temp_path();
        let speed = Speed::new(
            self.folder.with_file_name("aot-speed.json"),
            wasmedge.version.to_string(),
        );
        if let Err(why) = compile(wasmedge, program, &work, &speed, shell) {
            return Ok(Err(why));
        }
        std::fs::rename(&work, &compiled).with_context(failed)?;
        prune_unused(&self.folder, &folder);
        Ok(Ok(compiled))
    }
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

/// Deletes from a cache what was not used for long, and more if it is large; never `keep`.
pub(in crate::run) fn prune_unused(cache: &Path, keep: &Path) {
    prune(cache, keep, SystemTime::now(), UNUSED, CACHE_LIMIT);
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

    #[cfg(unix)]
    #[test]
    fn two_processors_share_no_entry() {
        use std::os::unix::fs::PermissionsExt as _;

        let temp = tempfile::tempdir().unwrap();
        let program = temp.path().join("app.wasm");
        std::fs::write(&program, b"\0asm\x01\0\0\0").unwrap();
        let script = temp.path().join("wasmedge");
        let text = "#!/bin/sh\ncp \"$2\" \"$3\"; echo x >> \"$(dirname \"$0\")/log\"\n";
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let wasmedge = WasmEdge {
            program: script,
            version: semver::Version::new(0, 17, 1),
            origin: crate::toolchain::Origin::Path,
        };
        let compiled = |processor: &str| {
            let cache = Cache {
                folder: temp.path().join("aot"),
                processor: processor.to_owned(),
            };
            let shell = Shell::new(true, false);
            cache
                .compiled(&wasmedge, &program, &shell)
                .unwrap()
                .unwrap()
        };
        let (one, other) = (compiled("one"), compiled("other"));
        assert_ne!(one, other);
        assert_eq!(compiled("one"), one);
        let log = std::fs::read_to_string(temp.path().join("log")).unwrap();
        assert_eq!(log.lines().count(), 2, "each is compiled once");
    }
}
