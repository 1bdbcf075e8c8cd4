//! Installing what is missing.

use std::cell::OnceCell;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use semver::VersionReq;

use super::apt::{self, Apt, Deadline, Deb, Suite};
use super::c::{self, CToolchain};
use super::prefix::{self, Installed, Runtime};
use super::rust::{self, RustToolchain};
use super::wasmedge::{self, WasmEdge};
use super::{Dirs, Env, Origin, rustup};
use crate::error::{Error, Result};

/// How long a whole set-up may take, waiting for another one included.
const TOTAL: Duration = Duration::from_secs(15 * 60);

/// Suites with a Rust toolchain whose cargo is new enough.
const RUST_SUITES: [&str; 2] = ["forky", "sid"];
/// rustc and cargo with the target's standard library, and its linker.
const RUST_PACKAGES: [&str; 4] = ["rustc", "cargo", "libstd-rust-dev-wasm32", "lld"];
/// Suites with a clang that makes objects for the target.
const C_SUITES: [&str; 3] = ["forky", "trixie", "sid"];
/// Suites with a WasmEdge, the newest first.
const WASMEDGE_SUITES: [&str; 3] = ["forky", "sid", "trixie"];
/// The same, the most settled first: a wanted version is mostly an older one.
const WASMEDGE_SUITES_BY_AGE: [&str; 3] = ["trixie", "forky", "sid"];

/// What a set-up is to provide.
#[derive(Debug, Clone, Default)]
pub struct What {
    /// A Rust toolchain that can build for `wasm32-wasip1`.
    pub rust: bool,
    /// A clang for the C parts of crates.
    pub c: bool,
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
    /// One for each entry of [`What::wasmedge`].
    pub wasmedge: Vec<WasmEdge>,
}

/// Told what a set-up does.
pub trait Reporter {
    /// One step, such as `Downloading` and `19 packages, 41 MB (Debian trixie)`.
    fn status(&self, verb: &str, message: &str);

    /// Whether progress bars may be drawn on stderr. They are drawn only where
    /// stderr is a terminal.
    fn draws_bars(&self) -> bool {
        true
    }
}

impl<F: Fn(&str, &str)> Reporter for F {
    fn status(&self, verb: &str, message: &str) {
        self(verb, message);
    }
}

/// Status lines and progress bars.
pub(crate) struct Progress<'a>(pub &'a dyn Reporter);

impl Progress<'_> {
    pub fn status(&self, verb: &str, message: &str) {
        self.0.status(verb, message);
    }

    pub fn bytes(&self, total: u64, message: &str) -> ProgressBar {
        self.bar(
            ProgressBar::new(total),
            "{msg:>12} [{bar:25}] {decimal_bytes}/{decimal_total_bytes} {eta}",
            message,
        )
    }

    pub fn spinner(&self, message: &str) -> ProgressBar {
        self.bar(
            ProgressBar::new_spinner(),
            "{spinner:>12} {msg} {elapsed}",
            message,
        )
    }

    fn bar(&self, bar: ProgressBar, template: &str, message: &str) -> ProgressBar {
        if !self.0.draws_bars() {
            return ProgressBar::hidden();
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.with_message(message.to_owned())
    }
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
    let deadline = Deadline::after(TOTAL);
    let progress = Progress(reporter);
    if let Some(set_up) = present(dirs, env, what) {
        return Ok(set_up);
    }

    let _lock = lock(dirs, deadline, &progress)?;
    let run = Run {
        dirs,
        env,
        deadline,
        progress,
        apt: OnceCell::new(),
    };
    run.sweep()?;
    let rust = if what.rust { Some(run.rust()?) } else { None };
    let c = if what.c { Some(run.c()?) } else { None };
    let mut wasmedge = Vec::new();
    for wanted in &what.wasmedge {
        wasmedge.push(run.wasmedge(wanted)?);
    }
    // Only now: an error above leaves the downloads for the next time.
    let apt = dirs.apt();
    if apt.exists() {
        fs::remove_dir_all(&apt).with_context(|| format!("cannot delete {}", apt.display()))?;
    }
    Ok(SetUp { rust, c, wasmedge })
}

/// What is asked for, if all of it is there.
fn present(dirs: &Dirs, env: &Env, what: &What) -> Option<SetUp> {
    let rust = if what.rust {
        Some(rust::find_in(dirs, env).ok()?)
    } else {
        None
    };
    let c = if what.c {
        Some(c::find_in(dirs, env).ok()?)
    } else {
        None
    };
    let found = |wanted: &VersionReq| wasmedge::find_in(dirs, env, requirement(wanted)).ok();
    let wasmedge = what.wasmedge.iter().map(found).collect::<Option<_>>()?;
    Some(SetUp { rust, c, wasmedge })
}

/// `*` would refuse a release candidate.
fn requirement(wanted: &VersionReq) -> Option<&VersionReq> {
    (*wanted != VersionReq::STAR).then_some(wanted)
}

fn lock(dirs: &Dirs, deadline: Deadline, progress: &Progress) -> Result<File> {
    let path = dirs.lock();
    fs::create_dir_all(dirs.home())
        .with_context(|| format!("cannot make the cache folder {}", dirs.home().display()))?;
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
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
                thread::sleep(Duration::from_millis(200));
            }
            Err(TryLockError::Error(error)) => {
                return Err(anyhow::Error::new(error)
                    .context(format!("cannot lock {}", path.display()))
                    .into());
            }
        }
    }
}

/// Starts with this: a folder that is being unpacked.
const UNFINISHED: &str = ".unpack-";

struct Run<'a> {
    dirs: &'a Dirs,
    env: &'a Env,
    deadline: Deadline,
    progress: Progress<'a>,
    apt: OnceCell<Result<Apt<'a>, String>>,
}

impl<'a> Run<'a> {
    fn apt(&self) -> Result<&Apt<'a>, String> {
        let apt = self.apt.get_or_init(|| Apt::find(self.dirs, self.env));
        apt.as_ref().map_err(Clone::clone)
    }

    /// Deletes what interrupted set-ups left half unpacked. We hold the lock,
    /// so nobody is unpacking there.
    fn sweep(&self) -> Result<()> {
        for parent in [self.dirs.toolchains(), self.dirs.c(), self.dirs.wasmedge()] {
            for entry in parent.read_dir().into_iter().flatten().flatten() {
                let name = entry.file_name();
                let unfinished = name.to_string_lossy().starts_with(UNFINISHED);
                if unfinished || Installed::read(&entry.path()).is_err() {
                    let path = entry.path();
                    let removed = if path.is_dir() {
                        fs::remove_dir_all(&path)
                    } else {
                        fs::remove_file(&path)
                    };
                    removed.with_context(|| format!("cannot delete {}", path.display()))?;
                }
            }
        }
        Ok(())
    }

    fn rust(&self) -> Result<RustToolchain> {
        let mut reasons = Vec::new();
        match rust::find_in(self.dirs, self.env) {
            Ok(found) => return Ok(found),
            Err(Error::NotSetUp { what, .. }) => {
                reasons.extend(what.lines().skip(1).map(|line| line.trim().to_owned()));
            }
            Err(other) => return Err(other),
        }
        match self.rust_by_rustup() {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(format!("rustup: {reason}")),
        }
        match self.rust_by_apt() {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(format!("Debian's packages: {reason}")),
        }
        let mend = if self.env.which("rustup").is_some() {
            format!("rustup target add {}", rust::TARGET)
        } else {
            format!(
                "install Rust with rustup, then: rustup target add {}",
                rust::TARGET
            )
        };
        Err(not_set_up(
            format!("no Rust toolchain for {} could be set up", rust::TARGET),
            &reasons,
            mend,
        ))
    }

    fn rust_by_rustup(&self) -> Result<RustToolchain, String> {
        let rustc = rust::installed_rustc(self.env)?;
        if rustc.has_std() {
            return Err("the target is there already".to_owned());
        }
        rustup::add_target(
            self.dirs,
            self.env,
            &rustc,
            self.deadline,
            rustup::QUIET,
            &self.progress,
        )?;
        let found = rust::find_in(self.dirs, self.env).map_err(|error| error.to_string())?;
        self.progress.status(
            "Installed",
            &format!("{} for rustc {}", rust::TARGET, found.rustc_version),
        );
        Ok(found)
    }

    fn rust_by_apt(&self) -> Result<RustToolchain, String> {
        let started = Instant::now();
        let apt = self.apt()?;
        let mut reasons = Vec::new();
        for name in RUST_SUITES {
            let offer = apt
                .open(name, self.deadline, &self.progress)
                .and_then(|suite| {
                    let plan = suite.plan(&RUST_PACKAGES, self.deadline)?;
                    let version =
                        apt::upstream_version(&plan, "rustc").ok_or("no version of rustc")?;
                    Ok((suite, plan, version))
                });
            let (suite, plan, version) = match offer {
                Ok(offer) => offer,
                Err(reason) => {
                    reasons.push(format!("{name}: {reason}"));
                    continue;
                }
            };
            let folder = self
                .dirs
                .toolchains()
                .join(format!("debian-{name}-{version}"));
            let found = self.install(
                &suite,
                &RUST_PACKAGES,
                &plan,
                &folder,
                rust_wrappers,
                || {
                    let found = rust::private(self.env, &folder)?;
                    let version = found.rustc_version.clone();
                    Ok((found, version))
                },
            )?;
            self.progress.status(
                "Installed",
                &format!(
                    "rustc {} and cargo {} in {:.1} s",
                    found.rustc_version,
                    found.cargo_version,
                    started.elapsed().as_secs_f32()
                ),
            );
            return Ok(found);
        }
        Err(reasons.join("; "))
    }

    fn c(&self) -> Result<CToolchain> {
        let mut reasons = match c::find_in(self.dirs, self.env) {
            Ok(found) => return Ok(found),
            Err(reasons) => reasons,
        };
        match self.c_by_apt() {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(format!("Debian's packages: {reason}")),
        }
        Err(not_set_up(
            format!("no C compiler for {} could be set up", rust::TARGET),
            &reasons,
            "install clang and llvm, so that `clang` and `llvm-ar` are on PATH".to_owned(),
        ))
    }

    fn c_by_apt(&self) -> Result<CToolchain, String> {
        let started = Instant::now();
        let apt = self.apt()?;
        let mut reasons = Vec::new();
        for name in C_SUITES {
            let offer = apt
                .open(name, self.deadline, &self.progress)
                .and_then(|suite| {
                    let plan = suite.plan(&c::PACKAGES, self.deadline)?;
                    let version =
                        apt::upstream_version(&plan, "clang").ok_or("no version of clang")?;
                    Ok((suite, plan, version))
                });
            let (suite, plan, version) = match offer {
                Ok(offer) => offer,
                Err(reason) => {
                    reasons.push(format!("{name}: {reason}"));
                    continue;
                }
            };
            let folder = self.dirs.c().join(format!("debian-{name}-{version}"));
            let check = || Ok((c::private(self.env, &folder)?, version.clone()));
            let found = self.install(&suite, &c::PACKAGES, &plan, &folder, c_wrappers, check)?;
            self.progress.status(
                "Installed",
                &format!(
                    "clang {version} in {:.1} s",
                    started.elapsed().as_secs_f32()
                ),
            );
            return Ok(found);
        }
        Err(reasons.join("; "))
    }

    fn wasmedge(&self, wanted: &VersionReq) -> Result<WasmEdge> {
        let mut reasons = Vec::new();
        match wasmedge::find_in(self.dirs, self.env, requirement(wanted)) {
            Ok(found) => return Ok(found),
            Err(Error::NotSetUp { what, .. }) => {
                reasons.extend(what.lines().skip(1).map(|line| line.trim().to_owned()));
            }
            Err(other) => return Err(other),
        }
        match self.wasmedge_by_apt(wanted) {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(format!("Debian's packages: {reason}")),
        }
        let version = match requirement(wanted) {
            Some(wanted) => wasmedge::plain(wanted),
            None => format!("{} or newer", wasmedge::OLDEST),
        };
        Err(not_set_up(
            format!("no WasmEdge {version} could be set up"),
            &reasons,
            format!(
                "install WasmEdge {version} (its installer puts it into ~/.wasmedge) \
                 and put `wasmedge` on PATH, or set {} to it",
                wasmedge::PROGRAM_VARIABLE
            ),
        ))
    }

    fn wasmedge_by_apt(&self, wanted: &VersionReq) -> Result<WasmEdge, String> {
        let started = Instant::now();
        let apt = self.apt()?;
        let mut reasons = Vec::new();
        let suites = match requirement(wanted) {
            Some(_) => WASMEDGE_SUITES_BY_AGE,
            None => WASMEDGE_SUITES,
        };
        for name in suites {
            let offer = apt
                .open(name, self.deadline, &self.progress)
                .and_then(|suite| {
                    let plan = suite.plan(&["wasmedge"], self.deadline)?;
                    let version =
                        apt::upstream_version(&plan, "wasmedge").ok_or("no version of wasmedge")?;
                    if version >= wasmedge::OLDEST && wanted.matches(&version) {
                        Ok((suite, plan, version))
                    } else {
                        Err(format!("has {version}"))
                    }
                });
            let (suite, plan, version) = match offer {
                Ok(offer) => offer,
                Err(reason) => {
                    reasons.push(format!("{name}: {reason}"));
                    continue;
                }
            };
            let folder = self.dirs.wasmedge().join(version.to_string());
            let found = self.install(
                &suite,
                &["wasmedge"],
                &plan,
                &folder,
                wasmedge_wrappers,
                || {
                    let program = wasmedge::program_in(&folder);
                    let found = wasmedge::probe(self.env, &program, Origin::Private)?;
                    let version = found.version.clone();
                    Ok((found, version))
                },
            )?;
            self.progress.status(
                "Installed",
                &format!(
                    "WasmEdge {} in {:.1} s",
                    found.version,
                    started.elapsed().as_secs_f32()
                ),
            );
            return Ok(found);
        }
        Err(reasons.join("; "))
    }

    /// Downloads and unpacks a plan into `folder`, writes the wrappers, and
    /// stamps the folder when `check` has seen the result work.
    fn install<T>(
        &self,
        suite: &Suite,
        packages: &[&str],
        plan: &[Deb],
        folder: &Path,
        wrappers: fn(&Path, &Path) -> anyhow::Result<()>,
        check: impl FnOnce() -> Result<(T, semver::Version), String>,
    ) -> Result<T, String> {
        suite.download(packages, plan, self.deadline, &self.progress)?;
        let unpacked = self.unpack(suite, plan, folder)?;
        wrappers(&unpacked, folder).map_err(|error| format!("{error:#}"))?;
        publish(&unpacked, folder).map_err(|error| format!("{error:#}"))?;
        let (found, version) = check().map_err(|reason| {
            let _ = fs::remove_dir_all(folder);
            format!("what was installed does not work: {reason}")
        })?;
        let stamp = Installed {
            version,
            suite: suite.name.clone(),
            mirror: suite.mirror.clone(),
            installed_at: rustup::now(),
            folder: folder.to_owned(),
            packages: apt::versions(plan),
        };
        stamp.write(folder).map_err(|error| format!("{error:#}"))?;
        Ok(found)
    }

    fn unpack(&self, suite: &Suite, plan: &[Deb], folder: &Path) -> Result<PathBuf, String> {
        let parent = folder.parent().unwrap_or(self.dirs.home());
        let make = || -> anyhow::Result<PathBuf> {
            fs::create_dir_all(parent)?;
            let unpacked = tempfile::Builder::new()
                .prefix(UNFINISHED)
                .tempdir_in(parent)?;
            // The next set-up sweeps it when this one does not get to the end.
            Ok(unpacked.keep())
        };
        let unpacked = make().map_err(|error| format!("{}: {error}", parent.display()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // tempfile's 0700 would stay on the finished folder.
            let _ = fs::set_permissions(&unpacked, fs::Permissions::from_mode(0o755));
        }
        match suite.unpack(plan, &unpacked, self.deadline, &self.progress) {
            Ok(()) => Ok(unpacked),
            Err(reason) => {
                let _ = fs::remove_dir_all(&unpacked);
                Err(reason)
            }
        }
    }
}

fn not_set_up(mut what: String, reasons: &[String], mend: String) -> Error {
    for reason in reasons {
        what += &format!("\n  {}", reason.replace('\n', "\n  "));
    }
    Error::NotSetUp { what, mend }
}

/// Moves an unpacked folder to its place.
fn publish(unpacked: &Path, folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        // Finished once, but it does not work any more.
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot delete {}", folder.display()))?;
    }
    fs::rename(unpacked, folder)
        .with_context(|| format!("cannot move {} to {}", unpacked.display(), folder.display()))
}

fn wasmedge_wrappers(unpacked: &Path, folder: &Path) -> anyhow::Result<()> {
    let runtime = Runtime::find(unpacked)?;
    fs::create_dir_all(unpacked.join("bin"))?;
    let script = runtime.wrapper(folder, Path::new("usr/bin/wasmedge"), "wasmedge")?;
    prefix::write_script(&unpacked.join("bin/wasmedge"), &script)
}

fn c_wrappers(unpacked: &Path, folder: &Path) -> anyhow::Result<()> {
    let runtime = Runtime::find(unpacked)?;
    let bin = unpacked.join("bin");
    fs::create_dir_all(&bin)?;
    let resources = c::resources(unpacked).context("clang's own headers are missing")?;
    let resources = folder.join(resources).to_string_lossy().into_owned();
    for (program, options) in [
        ("clang", vec!["-resource-dir", resources.as_str()]),
        ("llvm-ar", vec![]),
    ] {
        let real = Path::new("usr/bin").join(program);
        let script = runtime.wrapper_with(folder, &real, program, &options)?;
        prefix::write_script(&bin.join(program), &script)?;
    }
    Ok(())
}

fn rust_wrappers(unpacked: &Path, folder: &Path) -> anyhow::Result<()> {
    let runtime = Runtime::find(unpacked)?;
    let bin = unpacked.join("bin");
    fs::create_dir_all(&bin)?;

    // rustdoc starts the rustc in its sysroot, so that one is a wrapper too.
    let (rustc, real) = (
        unpacked.join("usr/bin/rustc"),
        Path::new("usr/bin/rustc.real"),
    );
    fs::rename(&rustc, unpacked.join(real)).with_context(|| format!("no {}", rustc.display()))?;
    let script = runtime.wrapper(folder, real, "rustc")?;
    prefix::write_script(&rustc, &script)?;
    prefix::write_script(&bin.join("rustc"), &script)?;

    // cargo hands its own path on, to build scripts and subcommands. Its
    // executable being the loader, it takes the name it was started as.
    let cargo = folder.join("bin/cargo");
    let cargo = cargo.to_string_lossy();
    for (program, started_as) in [
        ("cargo", cargo.as_ref()),
        ("rustdoc", "rustdoc"),
        ("wasm-ld", "wasm-ld"),
    ] {
        let script = runtime.wrapper(folder, &Path::new("usr/bin").join(program), started_as)?;
        prefix::write_script(&bin.join(program), &script)?;
    }
    Ok(())
}
