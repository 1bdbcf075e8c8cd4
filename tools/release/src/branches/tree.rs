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

/// Upstream crates, each fetched once.
pub(super) struct Upstreams<'a> {
    cargo: StartCargo<'a>,
    fetched: BTreeMap<(String, String), Upstream>,
}

impl<'a> Upstreams<'a> {
    pub(super) fn new(cargo: StartCargo<'a>) -> Upstreams<'a> {
        Upstreams {
            cargo,
            fetched: BTreeMap::new(),
        }
    }

    /// # Errors
    /// cargo cannot fetch it, or it is not the pinned one.
    fn get(&mut self, pin: &Pin) -> Result<Upstream> {
        let key = (pin.name.clone(), pin.version.to_string());
        if let Some(upstream) = self.fetched.get(&key) {
            return Ok(upstream.clone());
        }
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
        self.fetched.insert(key, upstream.clone());
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

/// Ports what is in the branch `name`.
///
/// # Errors
/// A crate cannot be had, or a port does not apply.
pub(super) fn of_branch(
    name: &str,
    pins: &Pins,
    ports: &Ports,
    support: &Support,
    upstreams: &mut Upstreams<'_>,
) -> Result<Files> {
    let mut files = Files::new();
    let mut rows = Vec::new();
    for pin in pins.of_branch(name) {
        // One at a time: an engine's folder has one release of each crate.
        let temp = tempfile::tempdir()?;
        let port = ports
            .get(&pin.name)
            .with_context(|| format!("{} has no port", pin.name))?;
        let upstream = upstreams.get(pin)?;
        apply(port, &upstream, support, temp.path(), Layout::Vendor)?;
        let folder = folder(pin, pins);
        for entry in fs::read_dir(temp.path())? {
            let entry = entry?;
            let package = entry.file_name().to_string_lossy().into_owned();
            // Our own crates are beside it, and the same for all.
            let to = if package == pin.name {
                &folder
            } else {
                &package
            };
            read(&entry.path(), to, &mut files)?;
        }
        rows.push(Row {
            name: pin.name.clone(),
            version: pin.version.clone(),
            folder,
        });
    }
    let own = |name: &&str| files.contains_key(&format!("{name}/Cargo.toml"));
    let own: Vec<&str> = support.packages().filter(own).collect();
    let text = readme::text(name, &rows, &own);
    files.insert("README.md".to_owned(), text.into_bytes());
    Ok(files)
}

/// Reads a folder into `files`, as the folder `to`.
fn read(from: &Path, to: &str, files: &mut Files) -> Result<()> {
    for entry in walkdir::WalkDir::new(from).min_depth(1) {
        let entry = entry?;
        let path = entry.path().strip_prefix(from)?;
        if !entry.file_type().is_file() || path == Path::new(STAMP) {
            continue;
        }
        let inner = path.to_str().context("a file name is not Unicode")?;
        files.insert(format!("{to}/{inner}"), fs::read(entry.path())?);
    }
    Ok(())
}
