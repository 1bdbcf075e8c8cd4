//! What the finders of programs share.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::path::PathBuf;

use super::env::Env;
use crate::error::Error;

/// Where a found program comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Named by an environment variable.
    Configured,
    /// Found on `PATH` (or through the `CARGO` variable that cargo sets).
    Path,
    /// In the folder that the program's own installer uses.
    Installer,
    /// Installed by [`setup()`](super::setup()) into the cache folder.
    Private,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Origin::Configured => "configured",
            Origin::Path => "on PATH",
            Origin::Installer => "its installer's folder",
            Origin::Private => "installed by cargo wasmedge setup",
        })
    }
}

/// The failure that says `what` is missing, why each of those that are there will
/// not do, and how it is had.
pub(crate) fn not_set_up(mut what: String, reasons: &[String], mend: String) -> Error {
    for reason in reasons {
        what += &format!("\n  {}", reason.replace('\n', "\n  "));
    }
    Error::NotSetUp { what, mend }
}

/// The newest of `name-19` and the like on `PATH`: what Debian's packages of
/// LLVM install without the package for the default version.
pub(crate) fn newest_numbered(env: &Env, name: &str) -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for folder in env.path_folders() {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            if let Some(number) = number_of(&entry.file_name(), name) {
                found.push((number, entry.path()));
            }
        }
    }
    // The sort is stable: among equals the first on PATH stays the first.
    found.sort_by_key(|(number, _)| Reverse(*number));
    found.into_iter().find_map(|(_, path)| env.which(path))
}

fn number_of(file: &OsStr, name: &str) -> Option<u32> {
    let number = file.to_str()?.strip_prefix(name)?.strip_prefix('-')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_programs() {
        let of = |file| number_of(OsStr::new(file), "wasm-ld");
        assert_eq!(of("wasm-ld-19"), Some(19));
        assert_eq!(of("wasm-ld"), None);
        assert_eq!(of("wasm-ld-"), None);
        assert_eq!(of("ld.lld-19"), None);
    }
}
