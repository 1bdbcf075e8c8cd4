//! Finding a Rust toolchain that can build for `wasm32-wasip1`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use semver::Version;

use super::{Dirs, Env, Origin, VERSION_LIMIT, prefix, process};
use crate::error::{Error, Result};

/// The target that programs are built for.
pub const TARGET: &str = "wasm32-wasip1";

/// cargo's variable for the target's linker.
pub const LINKER_VARIABLE: &str = "CARGO_TARGET_WASM32_WASIP1_LINKER";

/// The first cargo that reads `resolver.lockfile-path` on stable, which lets a
/// build use another lockfile than the app's.
const LOCKFILE_PATH_SINCE: Version = Version::new(1, 97, 0);

/// A toolchain that was found and can build for `wasm32-wasip1`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RustToolchain {
    /// cargo (or the wrapper script that starts it).
    pub cargo: PathBuf,
    /// rustc (or the wrapper script that starts it).
    pub rustc: PathBuf,
    /// rustdoc, where rustc would not find it by itself.
    pub rustdoc: Option<PathBuf>,
    /// The linker to give to rustc; `None` when it brings its own.
    pub linker: Option<PathBuf>,
    /// Where it was found.
    pub origin: Origin,
    /// cargo's version.
    pub cargo_version: Version,
    /// rustc's version.
    pub rustc_version: Version,
    /// rustc's own target, such as `x86_64-unknown-linux-gnu`.
    pub host: String,
    /// The folder that rustc has its libraries in.
    pub sysroot: PathBuf,
}

impl RustToolchain {
    /// Whether its cargo reads `resolver.lockfile-path` without a nightly flag.
    pub fn has_lockfile_path(&self) -> bool {
        // A nightly or beta of 1.97 counts.
        let version = &self.cargo_version;
        (version.major, version.minor) >= (LOCKFILE_PATH_SINCE.major, LOCKFILE_PATH_SINCE.minor)
    }

    /// The variables that cargo must be started with so that it uses this
    /// toolchain: `RUSTC`, `RUSTDOC` and the target's linker, as needed. None
    /// for an installed toolchain that brings its own linker.
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        let mut env = Vec::new();
        if self.origin != Origin::Path {
            env.push(("RUSTC", self.rustc.clone()));
            if let Some(rustdoc) = &self.rustdoc {
                env.push(("RUSTDOC", rustdoc.clone()));
            }
        }
        if let Some(linker) = &self.linker {
            env.push((LINKER_VARIABLE, linker.clone()));
        }
        env
    }
}

/// Finds a toolchain: the installed one (the `rustc` that cargo would use in
/// the working directory: `RUSTC`, rustup's overrides, `PATH`) if it has the
/// target's standard library and a linker, else one that set-up installed.
///
/// The target of another rustup toolchain than the active one does not count.
///
/// # Errors
/// [`Error::NotSetUp`] when there is none; it says why the installed one will not do.
pub fn find(dirs: &Dirs) -> Result<RustToolchain> {
    find_in(dirs, &Env::of_process()?)
}

/// [`find`] in a given environment.
///
/// # Errors
/// As [`find`].
pub fn find_in(dirs: &Dirs, env: &Env) -> Result<RustToolchain> {
    let mut reasons = Vec::new();
    match installed(dirs, env) {
        Ok(found) => return Ok(found),
        Err(reason) => reasons.push(reason),
    }
    for (folder, _) in prefix::installations(&dirs.toolchains()) {
        match private(env, &folder) {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(format!("{}: {reason}", folder.display())),
        }
    }
    let mut what = format!("no Rust toolchain that can build for {TARGET}");
    for reason in reasons {
        what += &format!("\n  {reason}");
    }
    Err(Error::NotSetUp {
        what,
        mend: "cargo wasmedge setup".to_owned(),
    })
}

/// What a rustc says about itself.
#[derive(Debug, Clone)]
pub(crate) struct Rustc {
    pub program: PathBuf,
    pub version: Version,
    pub host: String,
    pub sysroot: PathBuf,
}

impl Rustc {
    /// Whether the target's standard library is there.
    pub fn has_std(&self) -> bool {
        let folder = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
        let Ok(entries) = folder.read_dir() else {
            return false;
        };
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    }

    /// Whether it brings `rust-lld`, its default linker for the target.
    fn has_lld(&self) -> bool {
        let folder = self
            .sysroot
            .join("lib/rustlib")
            .join(&self.host)
            .join("bin");
        folder.join("rust-lld").is_file() || folder.join("rust-lld.exe").is_file()
    }
}

/// The rustc that cargo would use.
pub(crate) fn installed_rustc(env: &Env) -> Result<Rustc, String> {
    let program = match env.var("RUSTC") {
        Some(rustc) => env
            .which(rustc)
            .ok_or_else(|| format!("RUSTC names no program: {}", Path::new(rustc).display()))?,
        None => env.which("rustc").ok_or("no rustc on PATH")?,
    };
    ask_rustc(env, &program)
}

fn ask_rustc(env: &Env, program: &Path) -> Result<Rustc, String> {
    let about = said(env, program, &["-vV"])?;
    let field = |name: &str| {
        about.lines().find_map(|line| {
            let value = line.strip_prefix(name)?.strip_prefix(": ")?;
            Some(value.trim().to_owned())
        })
    };
    let version = field("release").and_then(|text| Version::parse(&text).ok());
    let (Some(version), Some(host)) = (version, field("host")) else {
        return Err(format!("{} gives no version", program.display()));
    };
    let sysroot = said(env, program, &["--print", "sysroot"])?;
    Ok(Rustc {
        program: program.to_owned(),
        version,
        host,
        sysroot: PathBuf::from(sysroot.trim_end()),
    })
}

/// The cargo that started us, else the one on `PATH`, with its version.
pub(crate) fn installed_cargo(env: &Env) -> Result<(PathBuf, Version), String> {
    // Cargo sets CARGO for what it starts; a rustup toolchain stays the same.
    let program = env
        .var("CARGO")
        .and_then(|cargo| env.which(cargo))
        .or_else(|| env.which("cargo"))
        .ok_or("no cargo on PATH")?;
    let version = cargo_version(env, &program)?;
    Ok((program, version))
}

fn cargo_version(env: &Env, program: &Path) -> Result<Version, String> {
    let text = said(env, program, &["--version"])?;
    let mut words = text.split_whitespace();
    match (words.next(), words.next().map(Version::parse)) {
        (Some("cargo"), Some(Ok(version))) => Ok(version),
        _ => Err(format!("{} gives no version", program.display())),
    }
}

fn said(env: &Env, program: &Path, args: &[&str]) -> Result<String, String> {
    let mut command = env.command(program);
    command.args(args);
    if env.var("RUSTUP_AUTO_INSTALL").is_none() {
        // A missing rustup toolchain is no reason for a download here.
        command.env("RUSTUP_AUTO_INSTALL", "0");
    }
    let answer = process::ask(&mut command, VERSION_LIMIT)
        .map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
    if answer.success() {
        Ok(answer.stdout)
    } else {
        Err(format!(
            "{} does not work: {}",
            program.display(),
            answer.why()
        ))
    }
}

fn installed(dirs: &Dirs, env: &Env) -> Result<RustToolchain, String> {
    let (rustc, cargo) = std::thread::scope(|scope| {
        let cargo = scope.spawn(|| installed_cargo(env));
        let rustc = installed_rustc(env);
        let cargo = cargo.join().unwrap_or_else(|_| Err("no cargo".to_owned()));
        (rustc, cargo)
    });
    let rustc = rustc?;
    if rustc.sysroot.starts_with(dirs.toolchains()) {
        return Err("RUSTC names a toolchain that set-up installed".to_owned());
    }
    let name = format!("rustc {} ({})", rustc.version, rustc.sysroot.display());
    if !rustc.has_std() {
        return Err(format!("{name} has no standard library for {TARGET}"));
    }
    let linker = linker(dirs, env, &rustc).ok_or_else(|| {
        format!("{name} brings no linker for {TARGET}, and no wasm-ld is on PATH")
    })?;
    let (cargo, cargo_version) = cargo?;
    let configured = env.var("RUSTC").is_some();
    Ok(RustToolchain {
        cargo,
        rustc: rustc.program,
        rustdoc: None,
        linker,
        origin: if configured {
            Origin::Configured
        } else {
            Origin::Path
        },
        cargo_version,
        rustc_version: rustc.version,
        host: rustc.host,
        sysroot: rustc.sysroot,
    })
}

/// `Some(None)`: rustc needs no other linker than its own. `None`: there is none.
fn linker(dirs: &Dirs, env: &Env, rustc: &Rustc) -> Option<Option<PathBuf>> {
    if let Some(linker) = env.var(LINKER_VARIABLE) {
        return Some(Some(env.which(linker).unwrap_or_else(|| linker.into())));
    }
    if rustc.has_lld() {
        return Some(None);
    }
    let on_path = ["wasm-ld", "rust-lld"]
        .iter()
        .find_map(|name| env.which(name));
    on_path
        .or_else(|| versioned_wasm_ld(env))
        .or_else(|| {
            let mut found = prefix::installations(&dirs.toolchains()).into_iter();
            found.find_map(|(folder, _)| {
                let linker = folder.join("bin/wasm-ld");
                linker.is_file().then_some(linker)
            })
        })
        .map(Some)
}

/// Debian's lld packages without the default one: `wasm-ld-19` and the like.
fn versioned_wasm_ld(env: &Env) -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for folder in env.path_folders() {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            if let Some(number) = version_of_wasm_ld(&entry.file_name()) {
                found.push((number, entry.path()));
            }
        }
    }
    // The first on PATH among equals.
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found.into_iter().find_map(|(_, path)| env.which(path))
}

fn version_of_wasm_ld(name: &OsStr) -> Option<u32> {
    name.to_str()?.strip_prefix("wasm-ld-")?.parse().ok()
}

/// The toolchain in a folder that set-up made.
pub(crate) fn private(env: &Env, folder: &Path) -> Result<RustToolchain, String> {
    let bin = folder.join("bin");
    let (cargo, rustc) = (bin.join("cargo"), bin.join("rustc"));
    let (about, cargo_version) = std::thread::scope(|scope| {
        let version = scope.spawn(|| cargo_version(env, &cargo));
        let about = ask_rustc(env, &rustc);
        let version = version
            .join()
            .unwrap_or_else(|_| Err("no cargo".to_owned()));
        (about, version)
    });
    let (about, cargo_version) = (about?, cargo_version?);
    if !about.has_std() {
        return Err(format!("it has no standard library for {TARGET}"));
    }
    // The user's choice of a linker wins here too.
    let linker = match env.var(LINKER_VARIABLE) {
        Some(linker) => env.which(linker).unwrap_or_else(|| linker.into()),
        None => bin.join("wasm-ld"),
    };
    let rustdoc = bin.join("rustdoc");
    Ok(RustToolchain {
        cargo,
        rustc,
        rustdoc: rustdoc.is_file().then_some(rustdoc),
        linker: Some(linker),
        origin: Origin::Private,
        cargo_version,
        rustc_version: about.version,
        host: about.host,
        sysroot: about.sysroot,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versioned_linkers() {
        let of = |name| version_of_wasm_ld(OsStr::new(name));
        assert_eq!(of("wasm-ld-19"), Some(19));
        assert_eq!(of("wasm-ld"), None);
        assert_eq!(of("wasm-ld-"), None);
        assert_eq!(of("ld.lld-19"), None);
    }
}
