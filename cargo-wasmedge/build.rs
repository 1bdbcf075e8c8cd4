//! Embeds the ports and the support crates, and fingerprints the port engine.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs};

const FOLDERS: [&str; 8] = [
    "mio-wasi",
    "ports",
    "shims",
    "tokio",
    "tokio-macros",
    "tokio-util",
    "wasmedge_host",
    "wasmedge_wasi_socket",
];

/// What of a port only this repository's own tests need.
const NOT_FOR_APPS: [&str; 3] = ["suite.toml", "expectations.toml", "locks"];

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let root = here.parent().expect("the crate is in the repository");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));

    let mut files = vec![root.join("LICENSE")];
    println!("cargo::rerun-if-changed={}", files[0].display());
    for folder in FOLDERS {
        let folder = root.join(folder);
        if folder.is_dir() {
            println!("cargo::rerun-if-changed={}", folder.display());
            collect(&folder, &mut files);
        }
    }
    let mut entries: Vec<(String, &PathBuf)> = files.iter().map(|f| (name(root, f), f)).collect();
    entries.sort();
    let mut table = String::from("&[\n");
    for (name, file) in entries {
        let file = file.to_str().expect("a UTF-8 path");
        writeln!(table, "    ({name:?}, include_bytes!({file:?}) as &[u8]),").expect("a String");
    }
    table.push_str("]\n");
    fs::write(out.join("embedded.rs"), table).expect("cannot write the table");

    // Only has to differ when the engine does; no meaning beyond this build.
    let engine = here.join("src/port");
    println!("cargo::rerun-if-changed={}", engine.display());
    let mut sources = Vec::new();
    collect(&engine, &mut sources);
    sources.sort();
    let mut hasher = DefaultHasher::new();
    for source in sources {
        name(&here, &source).hash(&mut hasher);
        fs::read(&source).expect("cannot read").hash(&mut hasher);
    }
    println!(
        "cargo::rustc-env=CARGO_WASMEDGE_ENGINE_HASH={:016x}",
        hasher.finish()
    );
}

fn name(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).expect("inside the root");
    let parts = relative
        .iter()
        .map(|part| part.to_str().expect("a UTF-8 path"));
    parts.collect::<Vec<_>>().join("/")
}

/// Files below `dir`, without hidden ones and what builds leave behind.
fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("cannot list").flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_suite = NOT_FOR_APPS.contains(&&*name);
        if name.starts_with('.') || name == "target" || name == "Cargo.lock" || is_suite {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
