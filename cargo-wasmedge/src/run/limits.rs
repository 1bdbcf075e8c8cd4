//! Limits of the shell that WasmEdge does not cope with, and says little of.

use crate::shell::Shell;

/// The address space that WasmEdge (0.14, 0.17) reserves for a program's memory, in
/// bytes: 4 GiB and room around it, so that no access needs a check. It needs some more
/// for itself.
const RESERVED: u64 = 12 << 30;

/// Warns of a limit with which the program will not start.
pub(super) fn check(shell: &Shell) {
    if let Some(limit) = address_space().filter(|limit| *limit <= RESERVED) {
        shell.warn(format_args!(
            "the limit of address space is {} MiB, and WasmEdge reserves {} GiB for a program: it will not start\n  \
             help: `ulimit -v unlimited`, or a limit of memory by other means (cgroups, `systemd-run -p MemoryMax=…`)",
            limit >> 20,
            RESERVED >> 30,
        ));
    }
}

#[cfg(unix)]
fn address_space() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
fn address_space() -> Option<u64> {
    None
}
