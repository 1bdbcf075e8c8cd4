//! Compiling the C parts of crates for the target: a clang, an archiver that
//! indexes wasm objects, and wasi-libc's headers where there are some.
//!
//! What build scripts use for the host is not touched: the variables that
//! [`CToolchain::env`] gives are the `cc` crate's own for our target.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::rust::TARGET;
use super::{Dirs, Env, Origin, VERSION_LIMIT, prefix, process};

/// Debian's packages.
pub(crate) const PACKAGES: [&str; 3] = ["clang", "llvm", "wasi-libc"];

/// The command that mends a missing one.
pub const MEND: &str = "cargo wasmedge setup --c";

/// wasi-libc's headers in Debian's package, below the root or a prefix.
const HEADERS: &str = "usr/include/wasm32-wasi";

/// Names of the variables in which a user chooses for our target.
const CC_VARIABLES: [&str; 3] = ["CC_wasm32_wasip1", "CC_wasm32-wasip1", "TARGET_CC"];
const AR_VARIABLES: [&str; 3] = ["AR_wasm32_wasip1", "AR_wasm32-wasip1", "TARGET_AR"];
const CFLAGS_VARIABLES: [&str; 3] = [
    "CFLAGS_wasm32_wasip1",
    "CFLAGS_wasm32-wasip1",
    "TARGET_CFLAGS",
];

/// A clang and an archiver for `wasm32-wasip1`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CToolchain {
    /// The compiler.
    pub clang: PathBuf,
    /// The archiver, llvm-ar.
    pub ar: PathBuf,
    /// The folder of wasi-libc's headers.
    pub headers: Option<PathBuf>,
    /// Where the compiler was found.
    pub origin: Origin,
}

impl CToolchain {
    /// Variables for cargo, without those for which `env` holds the user's choice.
    pub fn env(&self, env: &Env) -> Vec<(String, OsString)> {
        let is_free = |names: [&str; 3]| names.iter().all(|name| env.var(name).is_none());
        let mut set = Vec::new();
        if is_free(CC_VARIABLES) {
            set.push((CC_VARIABLES[0].to_owned(), self.clang.clone().into()));
            if let Some(headers) = self.headers.as_ref().filter(|_| is_free(CFLAGS_VARIABLES)) {
                let mut flags = OsString::from("-isystem ");
                flags.push(headers);
                set.push((CFLAGS_VARIABLES[0].to_owned(), flags));
            }
        }
        if is_free(AR_VARIABLES) {
            set.push((AR_VARIABLES[0].to_owned(), self.ar.clone().into()));
        }
        set
    }
}

/// Whether the user chose a compiler for our target.
pub fn is_chosen(env: &Env) -> bool {
    CC_VARIABLES.iter().any(|name| env.var(name).is_some())
}

/// A clang on `PATH` that makes objects for the target and has an archiver, else
/// what [`setup()`](super::setup()) installed.
///
/// # Errors
/// Why each of those that are there will not do.
pub fn find_in(dirs: &Dirs, env: &Env) -> Result<CToolchain, Vec<String>> {
    let mut reasons = Vec::new();
    match on_path(env) {
        Ok(found) => return Ok(found),
        Err(reason) => reasons.push(reason),
    }
    for (folder, _) in prefix::installations(&dirs.c()) {
        match private(env, &folder) {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons)
}

fn on_path(env: &Env) -> Result<CToolchain, String> {
    let clang = newest(env, "clang").ok_or("no clang on PATH")?;
    let ar = newest(env, "llvm-ar").ok_or("no llvm-ar on PATH")?;
    let headers = env.root().join(HEADERS);
    check(env, clang, ar, headers, Origin::Path)
}

/// The toolchain in a folder that set-up made.
pub(crate) fn private(env: &Env, folder: &Path) -> Result<CToolchain, String> {
    let bin = folder.join("bin");
    let (clang, ar) = (bin.join("clang"), bin.join("llvm-ar"));
    check(env, clang, ar, folder.join(HEADERS), Origin::Private)
}

fn check(
    env: &Env,
    clang: PathBuf,
    ar: PathBuf,
    headers: PathBuf,
    origin: Origin,
) -> Result<CToolchain, String> {
    let mut command = env.command(&clang);
    let target = format!("--target={TARGET}");
    // An empty file: a clang without this target fails.
    command.args([&target, "-x", "c", "-c", "/dev/null", "-o", "/dev/null"]);
    let named = |why: String| format!("{} {why}", clang.display());
    let answer = process::ask(&mut command, VERSION_LIMIT)
        .map_err(|error| named(format!("cannot be started: {error}")))?;
    if !answer.success() {
        return Err(named(format!(
            "does not compile for {TARGET}: {}",
            answer.why()
        )));
    }
    Ok(CToolchain {
        clang,
        ar,
        headers: headers.is_dir().then_some(headers),
        origin,
    })
}

/// `name`, or the newest of `name-19` and the like (Debian's, without the
/// package for the default one).
fn newest(env: &Env, name: &str) -> Option<PathBuf> {
    if let Some(found) = env.which(name) {
        return Some(found);
    }
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for folder in env.path_folders() {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let file = entry.file_name();
            let number = file
                .to_str()
                .and_then(|file| file.strip_prefix(name)?.strip_prefix('-')?.parse().ok());
            if let Some(number) = number {
                found.push((number, entry.path()));
            }
        }
    }
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found.into_iter().find_map(|(_, path)| env.which(path))
}

/// The folder of the compiler's own headers in unpacked packages. Started
/// through the prefix's loader, clang does not find them by itself.
pub(crate) fn resources(root: &Path) -> Option<PathBuf> {
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

    fn toolchain() -> CToolchain {
        CToolchain {
            clang: "/clang".into(),
            ar: "/llvm-ar".into(),
            headers: Some("/include".into()),
            origin: Origin::Path,
        }
    }

    fn names(env: &Env) -> Vec<String> {
        let set = toolchain().env(env);
        set.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn variables_are_set_unless_the_user_chose() {
        let none = Env::empty("/").with("CC", "gcc").with("CFLAGS", "-O2");
        assert_eq!(
            names(&none),
            [
                "CC_wasm32_wasip1",
                "CFLAGS_wasm32_wasip1",
                "AR_wasm32_wasip1"
            ]
        );
        assert!(!is_chosen(&none));
        let own = Env::empty("/").with("TARGET_CC", "clang-19");
        assert_eq!(names(&own), ["AR_wasm32_wasip1"]);
        assert!(is_chosen(&own));
        let flags = Env::empty("/").with("CFLAGS_wasm32-wasip1", "-g");
        assert_eq!(names(&flags), ["CC_wasm32_wasip1", "AR_wasm32_wasip1"]);
    }
}
