//! What wasi-libc has of signals, process ids, clocks of a process and `mmap`: no more
//! than what C code needs to go on without them. Its headers refuse to be included
//! unless a macro asks for each, and each is an archive of its own.
//!
//! All are asked for, and all archives are linked: of an archive the linker takes what
//! is called, so who calls nothing pays nothing.

use std::path::{Path, PathBuf};

/// Each archive's name with the macro that its headers want.
const ALL: [(&str, &str); 4] = [
    ("signal", "_WASI_EMULATED_SIGNAL"),
    ("process-clocks", "_WASI_EMULATED_PROCESS_CLOCKS"),
    ("mman", "_WASI_EMULATED_MMAN"),
    ("getpid", "_WASI_EMULATED_GETPID"),
];

/// Those that are there beside the folder of wasi-libc's headers, as macro and archive:
/// `usr/lib/wasm32-wasi` for `usr/include/wasm32-wasi`.
fn beside(headers: &Path) -> impl Iterator<Item = (&'static str, PathBuf)> {
    let folder = headers.file_name().and_then(|target| {
        let usr = headers.parent()?.parent()?;
        Some(usr.join("lib").join(target))
    });
    let archive = |name: &str, folder: &Path| folder.join(format!("libwasi-emulated-{name}.a"));
    folder.into_iter().flat_map(move |folder| {
        let each = move |(name, macro_name)| (macro_name, archive(name, &folder));
        ALL.into_iter().map(each).filter(|(_, path)| path.is_file())
    })
}

/// The archives to be linked, for wasi-libc's headers in this folder.
pub fn archives(headers: &Path) -> Vec<PathBuf> {
    beside(headers).map(|(_, archive)| archive).collect()
}

/// The macros, as flags of a C compiler, each with a space in front.
pub(super) fn flags(headers: &Path) -> String {
    beside(headers)
        .map(|(name, _)| format!(" -D{name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_linked_is_asked_for() {
        let root = tempfile::tempdir().unwrap();
        let headers = root.path().join("usr/include/wasm32-wasi");
        assert_eq!(
            (archives(&headers), flags(&headers)),
            (vec![], String::new())
        );
        let lib = root.path().join("usr/lib/wasm32-wasi");
        std::fs::create_dir_all(&lib).unwrap();
        for name in ["signal", "getpid"] {
            std::fs::write(lib.join(format!("libwasi-emulated-{name}.a")), "").unwrap();
        }
        assert_eq!(
            flags(&headers),
            " -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_GETPID"
        );
        assert_eq!(
            archives(&headers),
            ["signal", "getpid"].map(|name| lib.join(format!("libwasi-emulated-{name}.a")))
        );
    }
}
