//! The runner tells the `cargo wasmedge` above it that a built program starts.
//!
//! From then on cargo has no use for the lockfile.

use std::fs::File;

/// Tells the runner of the file that it makes to say that a program starts.
pub(crate) const VARIABLE: &str = "CARGO_WASMEDGE_STARTED";

/// Says, in the runner, that a built program starts.
pub(crate) fn announce() {
    if let Some(path) = std::env::var_os(VARIABLE) {
        // If it cannot be made the app's lockfile is put back later.
        let _ = File::create(path);
    }
}
