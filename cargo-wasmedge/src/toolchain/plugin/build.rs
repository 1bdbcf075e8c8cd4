//! Builds the plugin of the sources that the binary carries, with the user's own cargo and
//! rustc, into the cache folder.
//!
//! The library is there whole or not at all, and stays as it is until the sources or the
//! compiler are others. A process that has loaded the one before keeps that. An app's own
//! cargo configuration has no say in how it is built, and the registry is not asked where
//! cargo has libc already.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{About, LIBRARY, library};
use crate::embedded;
use crate::fs::{open_lock_file, read_optional, write_atomically};
use crate::toolchain::dirs::Dirs;
use crate::toolchain::env::Env;
use crate::toolchain::process::{self, Finished, Limits};
use crate::toolchain::progress::Reporter;
use crate::toolchain::rust::{Rustc, installed_cargo, installed_rustc};

/// How long a build may take. It takes seconds; a registry may be slow.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// What an unfinished build is called.
const UNFINISHED: &str = ".building-";

/// What the library was made of, in a file beside it.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Stamp {
    sources: String,
    rustc: String,
    library: String,
}

/// The library, after [`set_up`].
#[derive(Debug, Clone)]
pub struct Built {
    /// The file.
    pub library: PathBuf,
    /// What it says of itself.
    pub about: About,
}

/// Builds the library, unless it is there already, of the same sources and with the same
/// compiler.
///
/// # Errors
/// Why it cannot be built here.
pub fn set_up(dirs: &Dirs, env: &Env, reporter: &dyn Reporter) -> anyhow::Result<Built> {
    if !cfg!(target_os = "linux") {
        bail!("it is for Linux");
    }
    let sources = embedded::plugin()?;
    let hash = hash(&sources);
    let folder = dirs.plugin();
    let lock = open_lock_file(&folder.join(".lock"))?;
    // Where there are no locks two may build the same; the rename makes it safe.
    let _ = lock.lock();
    sweep(&folder);
    // The app's own cargo configuration and toolchain are not meant.
    let env = &env.clone().at(&folder);
    let rustc = installed_rustc(env);
    let is_current = |stamp: &Stamp| {
        let same_rustc = rustc.as_ref().is_ok_and(|rustc| rustc.said == stamp.rustc);
        // Without a compiler it can only stay.
        stamp.sources == hash && (same_rustc || rustc.is_err())
    };
    if let Some((stamp, content)) = there(&folder)
        && is_current(&stamp)
        && let Ok(about) = About::of(&content)
    {
        let library = folder.join(LIBRARY);
        return Ok(Built { library, about });
    }
    let rustc = rustc.map_err(|why| anyhow!(why))?;
    let (cargo, _) = installed_cargo(env).map_err(|why| anyhow!(why))?;
    old_enough(&rustc, &sources)?;
    let version = &rustc.version;
    reporter.status("Building", &format!("the plugin (rustc {version})"));
    let work = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(&folder)
        .with_context(|| format!("cannot make a folder in {}", folder.display()))?;
    for (path, content) in &sources {
        write_atomically(&work.path().join(path), content)?;
    }
    let env = &env.clone().at(work.path());
    let built = build(env, &cargo, &rustc, work.path())?;
    let content = fs::read(&built).context("cargo made no library")?;
    let about = About::of(&content).map_err(|why| anyhow!("what was built {why}"))?;
    write_atomically(&folder.join(LIBRARY), &content)?;
    let stamp = Stamp {
        sources: hash,
        rustc: rustc.said,
        library: sha256(&content),
    };
    // Only now: without it the library counts as another one.
    write_atomically(&stamp_of(&folder), &serde_json::to_vec_pretty(&stamp)?)?;
    let library = folder.join(LIBRARY);
    Ok(Built { library, about })
}

/// Whether the library in `folder` was built by [`set_up`], of the sources that this binary
/// carries.
pub fn has_our_sources(folder: &Path) -> bool {
    let Ok(sources) = embedded::plugin() else {
        return false;
    };
    there(folder).is_some_and(|(stamp, _)| stamp.sources == hash(&sources))
}

/// The library in `folder` with its stamp, if that is its own.
fn there(folder: &Path) -> Option<(Stamp, Vec<u8>)> {
    let stamp = read_optional(&stamp_of(folder)).ok()??;
    let stamp: Stamp = serde_json::from_slice(&stamp).ok()?;
    let content = fs::read(library(folder)?).ok()?;
    (stamp.library == sha256(&content)).then_some((stamp, content))
}

fn stamp_of(folder: &Path) -> PathBuf {
    folder.join("built-from.json")
}

/// Deletes what ended builds left behind. The lock says that none is under way.
fn sweep(folder: &Path) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(UNFINISHED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// cargo's own words for it are several lines.
fn old_enough(rustc: &Rustc, sources: &[(&str, impl AsRef<[u8]>)]) -> anyhow::Result<()> {
    let manifest = sources.iter().find(|(path, _)| *path == "Cargo.toml");
    let manifest = manifest.map_or(&[][..], |(_, content)| content.as_ref());
    let manifest: toml::Table = std::str::from_utf8(manifest)?.parse()?;
    let needed = manifest["package"]["rust-version"].as_str();
    let needed = Version::parse(&format!("{}.0", needed.context("no rust-version")?))?;
    if rustc.version < needed {
        let (major, minor) = (needed.major, needed.minor);
        bail!(
            "rustc {} is too old, {major}.{minor} is needed",
            rustc.version
        );
    }
    Ok(())
}

/// Has cargo build what lies in `work`; gives the library's file.
fn build(env: &Env, cargo: &Path, rustc: &Rustc, work: &Path) -> anyhow::Result<PathBuf> {
    let target = work.join("target");
    let run = |offline: bool| -> anyhow::Result<Finished> {
        let mut command = env.command(cargo);
        command
            .args(["build", "--release", "--lib", "--target", &rustc.host])
            .arg("--target-dir")
            .arg(&target)
            .args(offline.then_some("--offline"));
        // Flags that are meant for programs.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            command.env_remove(name);
        }
        process::run(&mut command, Limits::total(LIMIT), || 0)
            .with_context(|| format!("cannot start {}", cargo.display()))
    };
    let mut finished = run(true)?;
    // libc is not here yet.
    if !finished.success() && finished.stderr.contains("offline") {
        finished = run(false)?;
    }
    if !finished.success() {
        bail!("{}", why(&finished));
    }
    Ok(target.join(&rustc.host).join("release").join(LIBRARY))
}

/// Why cargo failed, on one line: the first error is the cause of the others.
fn why(finished: &Finished) -> String {
    let mut lines = finished.stderr.lines().map(str::trim);
    match lines.find(|line| line.starts_with("error")) {
        Some(error) => error.trim_start_matches("error: ").to_owned(),
        None => finished.why(),
    }
}

fn hash(sources: &[(&str, impl AsRef<[u8]>)]) -> String {
    let mut hash = Sha256::new();
    for (path, content) in sources {
        for part in [path.as_bytes(), content.as_ref()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    format!("{:x}", hash.finalize())
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
