//! A `.tar.gz` that depends on names and contents alone: entries are sorted, belong to
//! nobody, have one time and one of two modes, and the compressed stream has no time and
//! no name.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::epoch::Epoch;

/// What is in an archive, by path (with `/`).
pub type Entries = BTreeMap<String, Entry>;

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether it is a program.
    pub is_program: bool,
}

impl Entry {
    /// A file that is read only.
    pub fn file(bytes: impl Into<Vec<u8>>) -> Entry {
        Entry {
            bytes: bytes.into(),
            is_program: false,
        }
    }

    /// A file that can be started.
    pub fn program(bytes: impl Into<Vec<u8>>) -> Entry {
        Entry {
            bytes: bytes.into(),
            is_program: true,
        }
    }
}

/// The archive of one folder `name` with these entries.
///
/// # Errors
/// A path that is too long for the format.
pub fn tar_gz(name: &str, entries: &Entries, epoch: Epoch) -> Result<Vec<u8>> {
    let gz = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::best());
    let mut tar = Builder::new(gz);
    for (path, entry) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(if entry.is_program { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(epoch.0);
        let path = Path::new(name).join(path);
        tar.append_data(&mut header, &path, entry.bytes.as_slice())
            .with_context(|| format!("cannot pack {}", path.display()))?;
    }
    let gz = tar.into_inner().context("cannot pack")?;
    gz.finish().context("cannot compress")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::Command;

    use super::*;

    fn entries() -> Entries {
        Entries::from([
            ("pond".to_owned(), Entry::program(*b"\x7fELF")),
            ("README.md".to_owned(), Entry::file("# Pond\n")),
            (format!("{}/deep", "a".repeat(120)), Entry::file("deep")),
        ])
    }

    #[test]
    fn twice_gives_the_same_bytes() {
        let epoch = Epoch(1_700_000_000);
        let first = tar_gz("pond-1.0.0", &entries(), epoch).unwrap();
        // gzip's own time would have one of seconds.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let again = tar_gz("pond-1.0.0", &entries(), epoch).unwrap();
        assert!(first == again);
        let later = tar_gz("pond-1.0.0", &entries(), Epoch(1_700_000_001)).unwrap();
        assert!(first != later);
        // Bytes 4 to 7 of a gzip stream are a time, 3 says whether there is a name.
        assert_eq!(first[3..8], [0; 5]);
    }

    #[test]
    fn entries_are_sorted_and_belong_to_nobody() {
        let packed = tar_gz("pond-1.0.0", &entries(), Epoch(1_700_000_000)).unwrap();
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice()));
        let mut seen = Vec::new();
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.mtime().unwrap(), 1_700_000_000);
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            seen.push((path, header.mode().unwrap(), bytes.len()));
        }
        let deep = format!("pond-1.0.0/{}/deep", "a".repeat(120));
        assert_eq!(
            seen,
            [
                ("pond-1.0.0/README.md".to_owned(), 0o644, 7),
                (deep, 0o644, 4),
                ("pond-1.0.0/pond".to_owned(), 0o755, 4),
            ]
        );
    }

    #[test]
    fn the_system_s_own_tar_unpacks_it() {
        let temp = tempfile::tempdir().unwrap();
        let packed = tar_gz("pond-1.0.0", &entries(), Epoch(1_700_000_000)).unwrap();
        std::fs::write(temp.path().join("pond.tar.gz"), packed).unwrap();
        let mut tar = Command::new("tar");
        tar.args(["-xzf", "pond.tar.gz"]).current_dir(temp.path());
        assert!(tar.status().unwrap().success());
        let read = std::fs::read(temp.path().join("pond-1.0.0/README.md")).unwrap();
        assert_eq!(read, b"# Pond\n");
    }
}
