//! The folders of the repository that the binary carries: the ports, the host
//! layer and the facades. With them `cargo install` gives a command that needs
//! nothing else of this repository.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::port::{Layout, Support};

/// Path relative to the repository (with `/`) and content, sorted by path.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// All embedded files, sorted by path.
pub fn files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().copied()
}

/// The content of one embedded file.
pub fn file(path: &str) -> Option<&'static [u8]> {
    let at = FILES.binary_search_by_key(&path, |(path, _)| path).ok()?;
    Some(FILES[at].1)
}

/// Writes the embedded host layer and facades into `out`, unless they are there
/// already, and returns the folder that holds them.
///
/// # Errors
/// I/O, and a folder of one of their names that is not ours.
pub fn unpack_support(out: &Path, layout: Layout) -> Result<PathBuf> {
    Support::embedded()?.unpack(out, layout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Ports;

    #[test]
    fn files_are_sorted_and_found() {
        assert!(FILES.is_sorted_by_key(|(path, _)| *path));
        let license = file("LICENSE").expect("the licence is embedded");
        assert!(String::from_utf8_lossy(license).contains("MIT"));
        assert_eq!(file("no such file"), None);
    }

    #[test]
    fn build_output_is_not_embedded() {
        let unwanted = |part: &str| part == "target" || part == "Cargo.lock";
        assert!(files().all(|(path, _)| !path.split('/').any(unwanted)));
    }

    #[test]
    fn embedded_ports_are_well_formed() {
        Ports::embedded().expect("all ports parse");
    }

    #[test]
    fn support_crates_are_complete() {
        let out = tempfile::tempdir().unwrap();
        let dir = unpack_support(out.path(), Layout::Vendor).unwrap();
        for package in crate::port::PACKAGES {
            assert!(dir.join(package).join("Cargo.toml").is_file(), "{package}");
            assert!(dir.join(package).join("src/lib.rs").is_file(), "{package}");
            assert!(dir.join(package).join("LICENSE").is_file(), "{package}");
        }
    }
}
