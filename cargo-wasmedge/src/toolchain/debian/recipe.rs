//! What is installed from packages, as data. How is the same for all:
//! [`install`](super::install).

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use semver::Version;

use super::program::Program;
use super::suites;
use crate::toolchain::dirs::Dirs;

/// A set of packages that becomes one folder of programs.
pub(crate) struct Recipe {
    /// The packages to have; what they depend on comes with them.
    pub packages: &'static [&'static str],
    /// The one of them whose version is that of the whole.
    pub named_after: &'static str,
    /// Where they are looked for, in this order.
    pub suites: &'static [&'static str],
    /// The programs that are to be started from it.
    pub(super) programs: &'static [Program],
    /// Links in it, each with what it leads to, where that is there.
    pub(super) links: &'static [(&'static str, &'static str)],
    /// The folder of the cache that the finished one goes to.
    pub parent: fn(&Dirs) -> PathBuf,
    /// What the finished one is called there.
    name: Name,
}

enum Name {
    /// The suite is part of it: the same version may be built with, and for,
    /// another LLVM in another suite.
    SuiteAndVersion,
    /// Users ask for a version, wherever it is from.
    Version,
}

impl Recipe {
    /// The folder that a version from `suite` is installed into.
    pub fn folder(&self, dirs: &Dirs, suite: &str, version: &Version) -> PathBuf {
        let name = match self.name {
            Name::SuiteAndVersion => format!("debian-{suite}-{version}"),
            Name::Version => version.to_string(),
        };
        (self.parent)(dirs).join(name)
    }
}

/// rustc and cargo with the target's standard library, and its linker.
pub(crate) const RUST: Recipe = Recipe {
    packages: &["rustc", "cargo", "libstd-rust-dev-wasm32", "lld"],
    named_after: "rustc",
    suites: suites::RUST,
    programs: &[
        // rustdoc starts the rustc in its sysroot, so that one is a wrapper too.
        Program::new("rustc").in_place(),
        // cargo hands its own path on, to build scripts and subcommands. Its
        // executable being the loader, it takes the name it was started as.
        Program::new("cargo").told_its_path(),
        Program::new("rustdoc"),
        Program::new("wasm-ld"),
    ],
    links: &[],
    parent: Dirs::toolchains,
    name: Name::SuiteAndVersion,
};

/// The sources of std, which has no programs.
pub(crate) const RUST_SRC: Recipe = Recipe {
    packages: &["rust-src"],
    named_after: "rust-src",
    suites: suites::RUST,
    programs: &[],
    links: &[],
    parent: Dirs::sources,
    name: Name::SuiteAndVersion,
};

/// A clang for the C and C++ parts of crates, an archiver that indexes wasm objects,
/// the target's C library and that of C++.
pub(crate) const C: Recipe = Recipe {
    packages: &["clang", "llvm", "wasi-libc", "libc++-dev-wasm32"],
    named_after: "clang",
    suites: suites::C,
    programs: &[
        Program::new("clang").starts_itself("-cc1").with(clang),
        Program::new("clang++").starts_itself("-cc1").with(clangxx),
        Program::new("llvm-ar"),
        Program::new("llvm-ranlib"),
    ],
    // A sysroot in the layout of wasi-sdk, for linking C++. It has no libc.a: rustc
    // brings the one that its std was built with.
    links: &[
        ("sysroot/include/wasm32-wasip1", "usr/include/wasm32-wasi"),
        (
            "sysroot/lib/wasm32-wasip1/libc++.a",
            "usr/lib/wasm32-wasi/libc++.a",
        ),
        (
            "sysroot/lib/wasm32-wasip1/libc++abi.a",
            "usr/lib/wasm32-wasi/libc++abi.a",
        ),
    ],
    parent: Dirs::c,
    name: Name::SuiteAndVersion,
};

/// Any WasmEdge.
pub(crate) const WASMEDGE: Recipe = Recipe {
    packages: &["wasmedge"],
    named_after: "wasmedge",
    suites: suites::WASMEDGE,
    programs: &[Program::new("wasmedge")],
    links: &[],
    parent: Dirs::wasmedge,
    name: Name::Version,
};

/// A WasmEdge whose version the user wants.
pub(crate) const WASMEDGE_OF_A_VERSION: Recipe = Recipe {
    suites: suites::WASMEDGE_BY_AGE,
    ..WASMEDGE
};

/// One recipe for each folder of the cache.
pub(crate) const ALL: [Recipe; 4] = [RUST, RUST_SRC, C, WASMEDGE];

/// The first option makes clang take its wrapper for itself: it looks for its siblings
/// there, and starts it again for assembly and for several files at once. From there
/// it does not find its own headers; the second one names them.
fn clang(unpacked: &Path, folder: &Path) -> anyhow::Result<Vec<String>> {
    let resources = resources(unpacked).context("clang's own headers are missing")?;
    let resources = folder.join(resources).to_string_lossy().into_owned();
    Ok(vec![
        "-no-canonical-prefixes".to_owned(),
        "-resource-dir".to_owned(),
        resources,
    ])
}

/// The same for C++. The library is built without exceptions: one that is thrown would
/// be an undefined symbol, so for the library's own headers there are none either.
fn clangxx(unpacked: &Path, folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut options = clang(unpacked, folder)?;
    options.push("-fno-exceptions".to_owned());
    Ok(options)
}

/// The folder of those headers, relative to `root`.
fn resources(root: &Path) -> Option<PathBuf> {
    let subfolders = |folder: PathBuf| {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
    };
    subfolders(root.join("usr/lib"))
        .filter(|folder| {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("llvm-")
        })
        .flat_map(|llvm| subfolders(llvm.join("lib/clang")))
        .find(|folder| folder.join("include/stddef.h").is_file())
        .and_then(|folder| Some(folder.strip_prefix(root).ok()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_in_the_cache() {
        let dirs = Dirs::at("/cache");
        let version = Version::new(1, 2, 3);
        let folder = |recipe: Recipe| recipe.folder(&dirs, "sid", &version);
        assert_eq!(
            [RUST, C, WASMEDGE, WASMEDGE_OF_A_VERSION].map(folder),
            [
                "/cache/toolchains/debian-sid-1.2.3",
                "/cache/c/debian-sid-1.2.3",
                "/cache/wasmedge/1.2.3",
                "/cache/wasmedge/1.2.3",
            ]
            .map(PathBuf::from)
        );
    }

    #[test]
    fn every_recipe_is_named_after_one_of_its_packages_and_has_suites() {
        for recipe in ALL.iter().chain([&WASMEDGE_OF_A_VERSION]) {
            assert!(recipe.packages.contains(&recipe.named_after));
            assert!(!recipe.suites.is_empty());
            assert_eq!(recipe.programs.is_empty(), recipe.packages == ["rust-src"]);
        }
        // The same suites, in another order.
        let sorted = |recipe: Recipe| {
            let mut suites = recipe.suites.to_vec();
            suites.sort_unstable();
            suites
        };
        assert_eq!(sorted(WASMEDGE), sorted(WASMEDGE_OF_A_VERSION));
    }

    #[test]
    fn clang_is_given_its_headers_by_their_place_in_the_finished_folder() {
        let root = tempfile::tempdir().unwrap();
        let options = || clang(root.path(), Path::new("/finished"));
        let include = root.path().join("usr/lib/llvm-21/lib/clang/21/include");
        std::fs::create_dir_all(&include).unwrap();
        let error = options().unwrap_err().to_string();
        assert_eq!(error, "clang's own headers are missing");
        std::fs::write(include.join("stddef.h"), "").unwrap();
        assert_eq!(
            options().unwrap(),
            [
                "-no-canonical-prefixes",
                "-resource-dir",
                "/finished/usr/lib/llvm-21/lib/clang/21"
            ]
        );
    }
}
