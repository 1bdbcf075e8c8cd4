//! A made-up machine for the tests to look at.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cargo_wasmedge::error::Error;
use cargo_wasmedge::toolchain::{Dirs, Env, wasmedge};
use semver::VersionReq;

/// A machine: a home, a folder on `PATH`, a cache folder, and nothing else.
pub struct Machine {
    pub folder: tempfile::TempDir,
}

impl Machine {
    pub fn new() -> Machine {
        let machine = Machine {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(machine.path("bin")).unwrap();
        fs::create_dir(machine.path("home")).unwrap();
        machine
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn env(&self) -> Env {
        Env::empty(self.folder.path())
            .with("PATH", self.path("bin"))
            .with("HOME", self.path("home"))
            .below(self.folder.path())
    }

    pub fn dirs(&self) -> Dirs {
        Dirs::at(self.path("cache"))
    }

    pub fn script(&self, path: &str, body: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub fn wasmedge(&self, path: &str, version: &str) -> PathBuf {
        self.script(path, &format!("echo 'wasmedge version {version}'"))
    }

    /// A WasmEdge as set-up leaves it.
    pub fn private_wasmedge(&self, version: &str) -> PathBuf {
        let program = self.wasmedge(&format!("cache/wasmedge/{version}/bin/wasmedge"), version);
        self.stamp(&format!("cache/wasmedge/{version}"), version);
        program
    }

    pub fn stamp(&self, folder: &str, version: &str) {
        let stamp = serde_json::json!({
            "version": version,
            "suite": "sid",
            "mirror": "file:/mirror",
            "installed-at": 0,
            "folder": self.path(folder),
            "packages": {},
        });
        fs::write(self.path(folder).join("installed.json"), stamp.to_string()).unwrap();
    }

    /// A rustc and a cargo below `folder`, with a sysroot beside them.
    pub fn rust(&self, folder: &str, version: &str) -> PathBuf {
        let sysroot = self.path(&format!("{folder}/sysroot"));
        fs::create_dir_all(&sysroot).unwrap();
        self.script(
            &format!("{folder}/rustc"),
            &format!(
                "case $1 in
-vV) echo 'rustc {version} (0 2026-01-01)'; echo 'host: x86_64-unknown-linux-gnu'; echo 'release: {version}';;
--print) echo '{}';;
*) exit 1;;
esac",
                sysroot.display()
            ),
        );
        self.script(
            &format!("{folder}/cargo"),
            &format!("echo 'cargo {version} (0 2026-01-01)'"),
        );
        sysroot
    }

    /// A toolchain as set-up leaves it.
    pub fn private_rust(&self, version: &str) {
        let folder = format!("cache/toolchains/debian-sid-{version}");
        let sysroot = self.rust(&format!("{folder}/bin"), version);
        add_std(&sysroot);
        self.script(&format!("{folder}/bin/rustdoc"), "exit 0");
        self.script(&format!("{folder}/bin/wasm-ld"), "exit 0");
        self.stamp(&folder, version);
    }

    pub fn find_wasmedge(
        &self,
        env: &Env,
        wanted: Option<&str>,
    ) -> Result<wasmedge::WasmEdge, Error> {
        let wanted: Option<VersionReq> = wanted.map(|text| text.parse().unwrap());
        wasmedge::find_in(&self.dirs(), env, wanted.as_ref())
    }
}

pub fn add_std(sysroot: &Path) {
    let lib = sysroot.join("lib/rustlib/wasm32-wasip1/lib");
    fs::create_dir_all(&lib).unwrap();
    fs::write(lib.join("libstd-0123.rlib"), "").unwrap();
}

pub fn add_lld(sysroot: &Path) {
    let bin = sysroot.join("lib/rustlib/x86_64-unknown-linux-gnu/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("rust-lld"), "").unwrap();
}

/// What is missing and what helps, of a failure with exit code 96.
pub fn not_set_up<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, String) {
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 96, "{error}");
    match error {
        Error::NotSetUp { what, mend } => (what, mend),
        other => panic!("not a NotSetUp: {other}"),
    }
}

pub fn quiet(_: &str, _: &str) {}

/// The real program, for the made-up ones to use.
pub fn real(tool: &str) -> PathBuf {
    which::which(tool).unwrap()
}
