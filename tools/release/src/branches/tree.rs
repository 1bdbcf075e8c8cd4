//! The files of a branch: a folder for each ported crate, and for each of our own that
//! they depend on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use cargo_wasmedge::port::{Layout, Ports, Support, Upstream, apply};
use cargo_wasmedge::resolve::fetch::{StartCargo, fetch};

use super::git::Files;
use super::pins::{Pin, Pins, exactly, line};
use super::readme::{self, Row};

/// What the port engine puts beside a crate's files for itself.
const STAMP: &str = ".wasmedge-port.json";

/// Ported crates, each made once for all branches.
pub(super) struct Crates<'a> {
    pub(super) cargo: StartCargo<'a>,
    pub(super) ports: &'a Ports,
    pub(super) support: &'a Support,
    /// By name and release: the files of the folders that the engine made.
    pub(super) made: BTreeMap<(String, String), Files>,
}

impl Crates<'_> {
    /// # Errors
    /// cargo cannot fetch it, it is not the pinned one, or the port does not apply.
    fn get(&mut self, pin: &Pin) -> Result<&Files> {
        let key = (pin.name.clone(), pin.version.to_string());
        if !self.made.contains_key(&key) {
            let files = self.make(pin)?;
            self.made.insert(key.clone(), files);
        }
        Ok(&self.made[&key])
    }

    fn make(&self, pin: &Pin) -> Result<Files> {
        let port = self.ports.get(&pin.name);
        let port = port.with_context(|| format!("{} has no port", pin.name))?;
        let upstream = self.fetched(pin)?;
        // A folder for each: the engine's has one release of a crate.
        let temp = tempfile::tempdir()?;
        apply(port, &upstream, self.support, temp.path(), Layout::Vendor)?;
        read(temp.path())
    }

    fn fetched(&self, pin: &Pin) -> Result<Upstream> {
        let requirement = exactly(&pin.version);
        let get = |offline| fetch(self.cargo, &pin.name, &requirement, offline);
        // What is there already needs no network.
        let upstream = get(true).or_else(|_| get(false))?;
        ensure!(
            upstream.checksum.as_deref() == Some(&pin.checksum) && upstream.version == pin.version,
            "{} {} is not the one that is pinned",
            pin.name,
            pin.version
        );
        Ok(upstream)
    }
}

/// The folder of a crate in its branch: `socket2`, and `socket2-0.5` for an older line.
pub(super) fn folder(pin: &Pin, pins: &Pins) -> String {
    if !pins.is_older_line(pin) {
        return pin.name.clone();
    }
    let first = line(&pin.version);
    let of = match first.major {
        0 => format!("0.{}", first.minor),
        major => major.to_string(),
    };
    format!("{}-{of}", pin.name)
}

/// What is in the branch `name`.
///
/// # Errors
/// A crate cannot be had, or a port does not apply.
pub(super) fn of_branch(name: &str, pins: &Pins, crates: &mut Crates<'_>) -> Result<Files> {
    let support = crates.support;
    let mut files = Files::new();
    let mut rows = Vec::new();
    for pin in pins.of_branch(name) {
        let folder = folder(pin, pins);
        for (path, bytes) in crates.get(pin)? {
            // Our own crates are beside it, and the same for all.
            let inner = path.strip_prefix(&pin.name);
            let inner = inner.and_then(|inner| inner.strip_prefix('/'));
            let path = match inner {
                Some(inner) => format!("{folder}/{inner}"),
                None => path.clone(),
            };
            files.insert(path, bytes.clone());
        }
        rows.push(Row {
            name: pin.name.clone(),
            version: pin.version.clone(),
            folder,
        });
    }
    let is_there = |name: &str| files.contains_key(&format!("{name}/Cargo.toml"));
    for (name, version) in support.stand_ins().filter(|(name, _)| is_there(name)) {
        rows.push(Row {
            name: name.to_owned(),
            version: version.clone(),
            folder: name.to_owned(),
        });
    }
    let own: Vec<&str> = support.packages().filter(|name| is_there(name)).collect();
    let text = readme::text(name, &rows, &own);
    files.insert("README.md".to_owned(), text.into_bytes());
    Ok(files)
}

/// The files below a folder, without what the engine keeps there for itself.
fn read(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        if !entry.file_type().is_file() || entry.file_name() == STAMP {
            continue;
        }
        let path = entry.path().strip_prefix(folder)?;
        let path = path.to_str().context("a file name is not Unicode")?;
        files.insert(path.to_owned(), fs::read(entry.path())?);
    }
    Ok(files)
}
