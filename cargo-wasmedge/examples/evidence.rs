//! Which crates in a folder of unpacked ones a port by evidence would take, and why. To
//! be run after a change to what counts as evidence: each line has to be right.
//!
//!     cargo run -p cargo-wasmedge --example evidence -- ~/.cargo/registry/src/INDEX
//!
//! Features are those by default, then all. Crates that are taken for what they have of
//! other taken ones are not listed: that takes an app.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use cargo_metadata::{Metadata, Package};
use cargo_wasmedge::embedded;
use cargo_wasmedge::port::{Port, Upstream};

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("name a folder")?;
    let ports = embedded::ports()?;
    let mut crates: Vec<_> = Path::new(&folder)
        .read_dir()?
        .collect::<std::io::Result<Vec<_>>>()?;
    crates.sort_by_key(std::fs::DirEntry::path);
    for krate in crates {
        let Some(package) = package(&krate.path())? else {
            continue;
        };
        if !ports.is_free(&package.name) {
            continue;
        }
        for port in ports.by_evidence() {
            let (name, version) = (&package.name, &package.version);
            if let Some(why) = why(port, &package)? {
                println!("{name} {version}: {why}");
            }
        }
    }
    Ok(())
}

/// The package in a folder, if cargo can read it.
fn package(folder: &Path) -> Result<Option<Package>> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Ok(None);
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
    let output = cargo.arg("--manifest-path").arg(manifest).output()?;
    let metadata = serde_json::from_slice::<Metadata>(&output.stdout).ok();
    Ok(metadata.and_then(|metadata| metadata.packages.into_iter().next()))
}

fn why(port: &Port, package: &Package) -> Result<Option<String>> {
    let Some(evidence) = port.evidence() else {
        return Ok(None);
    };
    let mut on: BTreeSet<&str> = BTreeSet::from(["default"]);
    // A feature may turn on another one.
    loop {
        let asked = package
            .features
            .iter()
            .filter(|(name, _)| on.contains(name.as_str()));
        let asked: Vec<&str> = asked
            .flat_map(|(_, asked)| asked)
            .map(|one| &**one)
            .collect();
        let before = on.len();
        on.extend(asked);
        if on.len() == before {
            break;
        }
    }
    let all: BTreeSet<&str> = package.features.keys().map(|name| &**name).collect();
    let by_default = port.witness(package, &on, |_| false)?;
    let witness = match by_default {
        Some(witness) => Some(witness),
        None => port
            .witness(package, &all, |_| false)?
            .map(|witness| format!("with a feature, {witness}")),
    };
    let is_known = evidence.crates.iter().any(|name| *package.name == *name);
    if witness.is_none() && !is_known && !port.may_have_twins(package)? {
        return Ok(None);
    }
    let gates = port.gates(&Upstream::from_package(package, None))?;
    let twins = gates
        .twins
        .map(|file| format!("has less to send on wasm ({file})"));
    let known = is_known.then(|| "is known for it".to_owned());
    let why = known.or(witness).or(twins);
    let first = gates.first.filter(|_| is_known || gates.unless.is_none());
    let both = why.zip(first);
    Ok(both.map(|(why, first)| format!("{why}; {}:{}", first.file, first.line)))
}
