//! Where a program gets its seed for random numbers from.
//!
//! `wasmedge_random`, which the ported getrandom calls, wants 256 bits that
//! WasmEdge cannot be trusted with. The runner opens the kernel's own folder to
//! every program, read-only: each reading of the file `uuid` in it is 122 new
//! bits of the kernel's generator. Of the ways in which a program can be handed
//! something, this is the one that
//!
//! * shows nothing in the list of processes, as `--env` and arguments do;
//! * leaves nothing on the disk that has to be deleted, as a folder with a seed
//!   would if the program never asks, or is killed;
//! * cannot be read by another program: what one reads, no other gets;
//! * does not take standard input away from the program.
//!
//! The folder also tells a program the boot id of the machine.

use std::fs;
use std::path::Path;

/// The kernel's folder, and its name in the guest.
pub const KERNEL_FOLDER: &str = "/proc/sys/kernel/random";

/// Accepts weak random numbers in a guest; the setting `weak-random` sets it.
pub const WEAK_VARIABLE: &str = "WASMEDGE_WEAK_RANDOM";

/// Whether the kernel's folder is there (below `root`) and makes new numbers.
pub fn kernel_makes_uuids(root: &Path) -> bool {
    let file = root
        .join(KERNEL_FOLDER.trim_start_matches('/'))
        .join("uuid");
    let read = || fs::read(&file).ok().filter(|uuid| uuid.len() >= 36);
    matches!((read(), read()), (Some(first), Some(second)) if first != second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_change_is_no_generator() {
        let root = tempfile::tempdir().unwrap();
        assert!(!kernel_makes_uuids(root.path()));
        let folder = root.path().join("proc/sys/kernel/random");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("uuid"), "0".repeat(36)).unwrap();
        assert!(!kernel_makes_uuids(root.path()));
    }
}
