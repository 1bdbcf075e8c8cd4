//! What a rustc and a cargo say about themselves.

use std::path::{Path, PathBuf};

use semver::Version;

use crate::toolchain::env::Env;
use crate::toolchain::process::{self, VERSION_LIMIT};

/// The target that programs are built for.
pub const TARGET: &str = "wasm32-wasip1";

/// What a rustc says about itself.
#[derive(Debug, Clone)]
pub(crate) struct Rustc {
    /// All that it says, which no other one does.
    pub said: String,
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
    pub fn has_lld(&self) -> bool {
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

pub(super) fn ask_rustc(env: &Env, program: &Path) -> Result<Rustc, String> {
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
        said: about,
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

pub(super) fn cargo_version(env: &Env, program: &Path) -> Result<Version, String> {
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
