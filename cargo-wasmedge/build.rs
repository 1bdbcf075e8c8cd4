//! Embeds the ports and the support crates, and fingerprints the port engine.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

#[path = "build/bundle.rs"]
mod bundle;
#[path = "src/port/fingerprint.rs"]
mod fingerprint;

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));

    let folder = here.join("bundle");
    let files = bundle::read(&folder).unwrap_or_else(|error| {
        println!(
            "cargo::error=the bundle is not complete: {}",
            error.replace('\n', " ")
        );
        process::exit(1);
    });
    watch(&folder, files.values());
    let mut table = String::from("&[\n");
    for (name, file) in &files {
        let file = file.to_str().expect("a UTF-8 path");
        writeln!(table, "    ({name:?}, include_bytes!({file:?}) as &[u8]),").expect("a String");
    }
    table.push_str("]\n");
    fs::write(out.join("embedded.rs"), table).expect("cannot write the table");

    fingerprint::emit(&here.join("src/port"));
}

/// cargo compares the times of files, not of what links point to: it is told of
/// the real files, and of the folders in which one may be added.
fn watch<'a>(bundle: &Path, files: impl Iterator<Item = &'a PathBuf>) {
    let mut paths = BTreeSet::from([bundle.to_path_buf()]);
    for file in files {
        let real = fs::canonicalize(file).expect("was read before");
        if let (Some(linked), Some(folder)) = (file.parent(), real.parent()) {
            // Of a linked folder; the folder of a linked file holds much else.
            if fs::canonicalize(linked).is_ok_and(|linked| linked == folder) {
                paths.insert(folder.to_path_buf());
            }
        }
        paths.insert(real);
    }
    for path in paths {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}
