//! Installing what is missing.

use std::fs::{self, File, TryLockError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use semver::VersionReq;

use super::c::{self, CToolchain};
use super::clock::Deadline;
use super::debian::install::{Debian, sweep};
use super::dirs::Dirs;
use super::env::Env;
use super::job::Job;
use super::progress::{Progress, Reporter};
use super::rust::{self, RustToolchain};
use super::unwinding::{self, Unwinding};
use super::wasmedge::{self, WasmEdge};
use crate::error::{Error, Result};
use crate::fs::open_lock_file;

/// How long a whole set-up may take, waiting for another one included. Some 400 MB
/// of packages take a few minutes on a good line.
const TOTAL: Duration = Duration::from_secs(15 * 60);

/// How often the lock of another set-up is tried: nobody notices so short a wait
/// after minutes.
const TICK: Duration = Duration::from_millis(200);

/// What a set-up is to provide.
#[derive(Debug, Clone, Default)]
pub struct What {
    /// A Rust toolchain that can build for `wasm32-wasip1`.
    pub rust: bool,
    /// A clang for the C parts of crates.
    pub c: bool,
    /// A standard library whose panics unwind, for that toolchain.
    pub unwinding: bool,
    /// For each entry a WasmEdge that matches it. [`VersionReq::STAR`] stands
    /// for any, and the newest is installed where there is none.
    pub wasmedge: Vec<VersionReq>,
}

impl What {
    /// A Rust toolchain and any WasmEdge: what every app needs.
    pub fn everything() -> What {
        What {
            rust: true,
            c: false,
            unwinding: false,
            wasmedge: vec![VersionReq::STAR],
        }
    }
}

/// What is there after a set-up.
#[derive(Debug, Clone)]
pub struct SetUp {
    /// The toolchain, if asked for.
    pub rust: Option<RustToolchain>,
    /// The C compiler, if asked for.
    pub c: Option<CToolchain>,
    /// The libraries whose panics unwind, if asked for.
    pub unwinding: Option<Unwinding>,
    /// One for each entry of [`What::wasmedge`].
    pub wasmedge: Vec<WasmEdge>,
}

/// Provides what is asked for. What is installed is used as it is; what is
/// missing is installed with rustup (the target only) or, on Debian-like
/// systems, from Debian's packages into the cache folder.
///
/// Two set-ups at once wait for each other. An interrupted one is resumed by
/// the next: what was downloaded is kept, what was half unpacked is not used.
///
/// # Errors
/// [`Error::NotSetUp`] when something could be provided in no way; it says
/// what was tried. [`Error::Other`] when the cache folder cannot be written.
pub fn setup(dirs: &Dirs, what: &What, reporter: &dyn Reporter) -> Result<SetUp> {
    setup_in(dirs, &Env::of_process()?, what, reporter)
}

/// [`setup()`] in a given environment.
///
/// # Errors
/// As [`setup()`].
pub fn setup_in(dirs: &Dirs, env: &Env, what: &What, reporter: &dyn Reporter) -> Result<SetUp> {
    let job = Job {
        dirs,
        env,
        deadline: Deadline::after(TOTAL),
        progress: Progress(reporter),
    };
    if let Some(set_up) = present(dirs, env, what) {
        return Ok(set_up);
    }

    let _lock = lock(dirs, job.deadline, &job.progress)?;
    sweep(dirs)?;
    let debian = Debian::new(&job);
    let rust = if what.rust {
        Some(rust::set_up(&job, &debian)?)
    } else {
        None
    };
    let c = if what.c {
        Some(c::set_up(&job, &debian)?)
    } else {
        None
    };
    let mut wasmedge = Vec::new();
    for wanted in &what.wasmedge {
        wasmedge.push(wasmedge::set_up(&job, &debian, wanted)?);
    }
    let unwinding = if what.unwinding {
        let toolchain = match &rust {
            Some(rust) => rust.clone(),
            None => rust::find_in(dirs, env)?,
        };
        // On all that are there: the user may choose any.
        let edges = wasmedge::all_in(dirs, env);
        let made = unwinding::set_up(&job, &debian, &toolchain, &edges)?;
        Some(made)
    } else {
        None
    };
    // Only now: an error above leaves the downloads for the next time.
    let apt = dirs.apt();
    if apt.exists() {
        fs::remove_dir_all(&apt).with_context(|| format!("cannot delete {}", apt.display()))?;
    }
    Ok(SetUp {
        rust,
        c,
        unwinding,
        wasmedge,
    })
}

/// What is asked for, if all of it is there.
fn present(dirs: &Dirs, env: &Env, what: &What) -> Option<SetUp> {
    let rust = if what.rust {
        Some(rust::find_in(dirs, env).ok()?)
    } else {
        None
    };
    let c = if what.c {
        Some(c::find_in(dirs, env).ok().filter(c::is_complete)?)
    } else {
        None
    };
    let unwinding = if what.unwinding {
        let toolchain = match &rust {
            Some(rust) => rust.clone(),
            None => rust::find_in(dirs, env).ok()?,
        };
        Some(unwinding::present(dirs, &toolchain)?)
    } else {
        None
    };
    let found = |wanted: &VersionReq| wasmedge::present(dirs, env, wanted);
    let wasmedge = what.wasmedge.iter().map(found).collect::<Option<_>>()?;
    Some(SetUp {
        rust,
        c,
        unwinding,
        wasmedge,
    })
}

fn lock(dirs: &Dirs, deadline: Deadline, progress: &Progress) -> Result<File> {
    let path = dirs.lock();
    fs::create_dir_all(dirs.home())
        .with_context(|| format!("cannot make the cache folder {}", dirs.home().display()))?;
    let file = open_lock_file(&path)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if deadline.left().is_zero() => {
                return Err(Error::NotSetUp {
                    what: format!("another set-up holds {}", path.display()),
                    mend: "wait for it to end, then: cargo wasmedge setup".to_owned(),
                });
            }
            Err(TryLockError::WouldBlock) => {
                if !told {
                    progress.status("Waiting", "for another set-up to end");
                    told = true;
                }
                thread::sleep(TICK);
            }
            Err(TryLockError::Error(error)) => {
                return Err(anyhow::Error::new(error)
                    .context(format!("cannot lock {}", path.display()))
                    .into());
            }
        }
    }
}
