//! Which processor programs are compiled for.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// The keys of `/proc/cpuinfo` that tell processors apart: x86's, then those of Arm
/// and RISC-V. The others tell of this moment (clock rates), of one of several like
/// processors (numbers), or of what no compiler minds (caches, microcode).
const KEYS: [&str; 15] = [
    "vendor_id",
    "cpu family",
    "model",
    "model name",
    "flags",
    "CPU implementer",
    "CPU architecture",
    "CPU variant",
    "CPU part",
    "Features",
    "isa",
    "hart isa",
    "mvendorid",
    "marchid",
    "mimpid",
];

/// The architecture, with what the kernel (below `root`) says of all processors.
/// Where it says nothing, the architecture alone.
pub(super) fn identity(root: &Path) -> String {
    let arch = std::env::consts::ARCH;
    let Ok(text) = std::fs::read_to_string(root.join("proc/cpuinfo")) else {
        return arch.to_owned();
    };
    // A set: a machine may have processors of two kinds, and many of each.
    let parts: BTreeSet<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.trim(), value.trim()))
        .filter(|(key, _)| KEYS.contains(key))
        .collect();
    if parts.is_empty() {
        return arch.to_owned();
    }
    let mut hash = Sha256::new();
    for (key, value) in parts {
        hash.update(format!("{key}: {value}\n"));
    }
    format!("{arch}-{}", &format!("{:x}", hash.finalize())[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: A\n\
                       cpu MHz\t\t: 2100.5\nflags\t\t: fpu sse2 avx2\n\n\
                       processor\t: 1\nvendor_id\t: GenuineIntel\nmodel name\t: A\n\
                       cpu MHz\t\t: 900.1\nflags\t\t: fpu sse2 avx2\n";

    fn identity_of(cpuinfo: &str) -> String {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("proc")).unwrap();
        std::fs::write(root.path().join("proc/cpuinfo"), cpuinfo).unwrap();
        identity(root.path())
    }

    #[test]
    fn features_and_model_tell_processors_apart() {
        assert_ne!(
            identity_of(ONE),
            identity_of(&ONE.replace(" avx2", " avx2 avx512f"))
        );
        assert_ne!(identity_of(ONE), identity_of(&ONE.replace(": A", ": B")));
        let arm = "CPU part\t: 0xd0c\nFeatures\t: fp asimd\n";
        assert_ne!(
            identity_of(arm),
            identity_of(&arm.replace("asimd", "asimd sve"))
        );
    }

    #[test]
    fn clock_rates_and_numbers_do_not() {
        let later = ONE.replace("2100.5", "3000.0");
        assert_eq!(identity_of(ONE), identity_of(&later));
        let one_of_two = ONE.split("\n\n").next().unwrap();
        assert_eq!(identity_of(ONE), identity_of(one_of_two));
    }

    #[test]
    fn without_the_kernels_word_it_is_the_architecture() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(identity(root.path()), std::env::consts::ARCH);
        assert_eq!(identity_of("processor: 0\n"), std::env::consts::ARCH);
    }
}
