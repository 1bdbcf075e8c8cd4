//! The host's files on names, for programs that look names up themselves.
//!
//! The resolver in the host layer reads `/etc/hosts` and `/etc/resolv.conf`, as
//! the C library does. WasmEdge opens folders, not files, and a program has no
//! business in the rest of `/etc`; so it gets a folder with copies of the two,
//! read-only, as its `/etc`. A third file says the host's own name, `hostname`: WasmEdge
//! has no call for that. The copies lie in the cache, named by their content:
//! programs that run at the same time share them, and nothing is left to delete
//! when one is killed.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::fs::write_atomically;

/// The folder's name in the guest.
pub const FOLDER: &str = "/etc";

const FILES: [&str; 3] = ["hosts", "resolv.conf", "hostname"];

/// What the kernel says, which `hostname` need not have changed.
const HOST_NAME: &str = "proc/sys/kernel/hostname";

/// Copies of the files below `root`, in a folder of `cache`. `None` where the
/// host has no `resolv.conf`, or the copies cannot be made: programs then ask the
/// host for names, which works, too.
pub fn copies(root: &Path, cache: &Path) -> Option<PathBuf> {
    let read = |name: &str| fs::read(root.join("etc").join(name));
    let [hosts, resolv_conf, hostname] = FILES.map(read);
    let hostname = fs::read(root.join(HOST_NAME)).or(hostname);
    let contents = [
        hosts.unwrap_or_default(),
        resolv_conf.ok()?,
        hostname.unwrap_or_default(),
    ];
    let mut hash = Sha256::new();
    for content in &contents {
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    let name: String = hash.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = cache.join(name);
    for (name, content) in FILES.iter().zip(&contents) {
        let file = folder.join(name);
        write_atomically(&file, content).ok()?;
    }
    Some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_shared_and_follow_the_files() {
        let root = tempfile::tempdir().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let etc = root.path().join("etc");
        fs::create_dir(&etc).unwrap();
        assert_eq!(copies(root.path(), cache.path()), None, "no resolv.conf");

        fs::write(etc.join("resolv.conf"), "nameserver 192.0.2.1\n").unwrap();
        let first = copies(root.path(), cache.path()).unwrap();
        assert_eq!(fs::read(first.join("hosts")).unwrap(), b"");
        assert_eq!(
            fs::read_to_string(first.join("resolv.conf")).unwrap(),
            "nameserver 192.0.2.1\n"
        );
        assert_eq!(copies(root.path(), cache.path()), Some(first.clone()));

        fs::write(etc.join("hosts"), "192.0.2.9 x\n").unwrap();
        let second = copies(root.path(), cache.path()).unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read(second.join("hosts")).unwrap(), b"192.0.2.9 x\n");
        let files: Vec<_> = fs::read_dir(&second).unwrap().collect();
        assert_eq!(files.len(), 3, "nothing else is there");
    }

    #[test]
    fn the_hosts_name_is_the_kernels_word() {
        let root = tempfile::tempdir().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let etc = root.path().join("etc");
        fs::create_dir(&etc).unwrap();
        fs::write(etc.join("resolv.conf"), "").unwrap();
        let name = || {
            let copies = copies(root.path(), cache.path()).unwrap();
            fs::read_to_string(copies.join("hostname")).unwrap()
        };
        assert_eq!(name(), "");
        fs::write(etc.join("hostname"), "of-the-file\n").unwrap();
        assert_eq!(name(), "of-the-file\n");
        fs::create_dir_all(root.path().join("proc/sys/kernel")).unwrap();
        fs::write(root.path().join(HOST_NAME), "of-the-kernel\n").unwrap();
        assert_eq!(name(), "of-the-kernel\n");
    }
}
