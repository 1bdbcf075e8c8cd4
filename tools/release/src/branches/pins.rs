//! Which upstream releases the branches hold: `tools/release/branches.toml`.
//!
//! Of each crate with a port there is the newest covered release of every line that cargo
//! takes for compatible, if a port changes something in it. Crates that bind to a C library
//! are left out: plain cargo does not build one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use cargo_wasmedge::port::{Layout, Port, Ports, Support, apply};
use cargo_wasmedge::resolve::fetch::{StartCargo, fetch, newest_release};
use semver::{Comparator, Op, Prerelease, Version, VersionReq};
use serde::Deserialize;

/// The file, in the repository.
pub const FILE: &str = "tools/release/branches.toml";

/// The crate whose releases have a branch each.
pub const OF: &str = "tokio";

/// The pinned releases.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// Sorted by name, then by version.
    #[serde(rename = "package")]
    pub packages: Vec<Pin>,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The crate.
    pub name: String,
    /// Its release.
    pub version: Version,
    /// SHA-256 of its archive.
    pub checksum: String,
}

impl Pins {
    /// Those of the checkout in `root`.
    ///
    /// # Errors
    /// The file cannot be read, or is not of its form.
    pub fn read(root: &Path) -> Result<Pins> {
        let path = root.join(FILE);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| FILE.to_owned())
    }

    /// The newest releases that `ports` cover, and in which they find something to change.
    ///
    /// # Errors
    /// cargo cannot ask for them; a port does not apply.
    pub fn newest(cargo: StartCargo<'_>, ports: &Ports, support: &Support) -> Result<Pins> {
        let mut packages = Vec::new();
        for port in ports.iter() {
            for version in newest(cargo, port)? {
                let upstream = fetch(cargo, port.krate(), &exactly(&version), false)?;
                let temp = tempfile::tempdir()?;
                let ported = apply(port, &upstream, support, temp.path(), Layout::Vendor)?;
                if ported.is_unchanged() {
                    continue;
                }
                packages.push(Pin {
                    name: upstream.name,
                    version: upstream.version,
                    checksum: upstream.checksum.context("a crate without a checksum")?,
                });
            }
        }
        packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        Ok(Pins { packages })
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# What the branches for [patch] hold: the newest covered release of each crate that\n\
             # a port changes. Written by `cargo xtask release --write-pins`.\n",
        );
        for pin in &self.packages {
            let Pin {
                name,
                version,
                checksum,
            } = pin;
            let _ = write!(
                text,
                "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nchecksum = \"{checksum}\"\n"
            );
        }
        text
    }

    /// These crates only.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Pins {
        let packages = self.packages.iter();
        let packages = packages.filter(|pin| names.contains(&pin.name.as_str()));
        Pins {
            packages: packages.cloned().collect(),
        }
    }

    /// The names of the branches, the oldest release first.
    pub fn branches(&self) -> Vec<String> {
        let of = self.packages.iter().filter(|pin| pin.name == OF);
        of.map(|pin| branch(&pin.version)).collect()
    }

    /// What is in a branch.
    pub fn of_branch<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Pin> {
        let is_in = move |pin: &&Pin| pin.name != OF || branch(&pin.version) == name;
        self.packages.iter().filter(is_in)
    }

    /// Whether a crate has a newer line in the same branch.
    pub fn is_older_line(&self, pin: &Pin) -> bool {
        let newer = |other: &Pin| other.name == pin.name && other.version > pin.version;
        pin.name != OF && self.packages.iter().any(newer)
    }
}

/// The branch of a release of tokio.
fn branch(version: &Version) -> String {
    format!("{OF}-{}.{}", version.major, version.minor)
}

/// Of each line of a crate the newest release that the port covers.
fn newest(cargo: StartCargo<'_>, port: &Port) -> Result<Vec<Version>> {
    let first = |version: &Version| match port.krate() {
        OF => Version::new(version.major, version.minor, 0),
        _ => line(version),
    };
    let mut found: BTreeMap<Version, Version> = BTreeMap::new();
    for requirement in port.requirements() {
        // Newer ones first: below the newest, whatever line is next.
        let mut requirement = requirement.clone();
        while let Some(version) = newest_release(cargo, port.krate(), &requirement, false)? {
            let below = first(&version);
            requirement.comparators.push(less_than(&below));
            let is_changed = !port.is_unchanged(&version) && port.library(&version).is_none();
            // Two requirements may be of one line.
            if is_changed && found.get(&below).is_none_or(|older| *older < version) {
                found.insert(below, version);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// The first release that cargo takes for compatible with this one.
pub fn line(version: &Version) -> Version {
    match (version.major, version.minor) {
        (0, 0) => Version::new(0, 0, version.patch),
        (0, minor) => Version::new(0, minor, 0),
        (major, _) => Version::new(major, 0, 0),
    }
}

fn less_than(version: &Version) -> Comparator {
    Comparator {
        op: Op::Less,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: Prerelease::EMPTY,
    }
}

/// The requirement that one release meets.
pub fn exactly(version: &Version) -> VersionReq {
    let comparator = Comparator {
        op: Op::Exact,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: version.pre.clone(),
    };
    VersionReq {
        comparators: vec![comparator],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(packages: &[(&str, &str)]) -> Pins {
        let pin = |(name, version): &(&str, &str)| Pin {
            name: (*name).to_owned(),
            version: version.parse().unwrap(),
            checksum: "00".to_owned(),
        };
        Pins {
            packages: packages.iter().map(pin).collect(),
        }
    }

    #[test]
    fn each_release_of_tokio_has_a_branch_with_everything_else() {
        let pins = pins(&[
            ("mio", "1.2.5"),
            ("socket2", "0.5.10"),
            ("socket2", "0.6.5"),
            ("tokio", "1.53.3"),
            ("tokio", "1.54.1"),
        ]);
        assert_eq!(pins.branches(), ["tokio-1.53", "tokio-1.54"]);
        let of: Vec<String> = pins
            .of_branch("tokio-1.53")
            .map(|pin| format!("{} {}", pin.name, pin.version))
            .collect();
        assert_eq!(
            of,
            [
                "mio 1.2.5",
                "socket2 0.5.10",
                "socket2 0.6.5",
                "tokio 1.53.3"
            ]
        );
        let older: Vec<bool> = (pins.packages.iter())
            .map(|pin| pins.is_older_line(pin))
            .collect();
        assert_eq!(older, [false, true, false, false, false]);
        assert_eq!(toml::from_str::<Pins>(&pins.text()).unwrap(), pins);
    }

    #[test]
    fn lines_are_cargo_s() {
        for (version, first) in [("1.54.1", "1.0.0"), ("0.6.5", "0.6.0"), ("0.0.3", "0.0.3")] {
            assert_eq!(line(&version.parse().unwrap()).to_string(), first);
        }
    }

    /// Without asking a registry: which releases there are is not looked at.
    #[test]
    fn what_is_pinned_is_what_ports_change() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let (pins, ports) = (Pins::read(&root).unwrap(), Ports::from_dir(&root).unwrap());
        assert_eq!(fs::read_to_string(root.join(FILE)).unwrap(), pins.text());
        for pin in &pins.packages {
            let port = ports.get(&pin.name).expect(&pin.name);
            let (name, version) = (&pin.name, &pin.version);
            assert!(port.supports(version), "{name} {version} is not covered");
            assert!(
                !port.is_unchanged(version),
                "{name} {version} is as published"
            );
            assert!(
                port.library(version).is_none(),
                "{name} {version}: a C library"
            );
        }
        // cargo could not tell two of one line apart.
        for pin in pins.packages.iter().filter(|pin| pin.name != OF) {
            let same =
                |other: &&Pin| other.name == pin.name && line(&other.version) == line(&pin.version);
            assert_eq!(pins.packages.iter().filter(same).count(), 1, "{}", pin.name);
        }
        let minors: Vec<String> = (51..=54).map(|minor| format!("tokio-1.{minor}")).collect();
        assert_eq!(pins.branches(), minors);
        for name in ["mio", "socket2", "tokio-util", "hyper-util", "getrandom"] {
            assert!(pins.packages.iter().any(|pin| pin.name == name), "{name}");
        }
    }
}
