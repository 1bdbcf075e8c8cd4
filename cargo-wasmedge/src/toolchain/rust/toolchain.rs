//! What a toolchain that was found is made of, and how cargo is made to use it.

use std::path::PathBuf;

use semver::Version;

use crate::toolchain::find::Origin;

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

    /// The linker that rustc brings and takes where it is given none.
    pub fn own_linker(&self) -> Option<PathBuf> {
        let folder = self.sysroot.join("lib/rustlib").join(&self.host);
        let linker = folder.join("bin/rust-lld");
        linker.is_file().then_some(linker)
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
