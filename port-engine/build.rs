//! Fingerprints the engine.

use std::path::Path;

#[path = "src/fingerprint.rs"]
mod fingerprint;

fn main() {
    fingerprint::emit(Path::new("src"));
}
