//! All ports, wherever their folders are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::anyhow;
use semver::Version;

use super::discover;
use super::error::Result;
use super::source::{PORT_FILE, Port, PortSource};

/// Ports by the name of the upstream crate.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    by_crate: BTreeMap<String, Port>,
    by_evidence: Vec<Port>,
}

impl Ports {
    /// The ports among files in memory: each folder with a `port.toml` is one.
    /// Paths have `/`.
    ///
    /// # Errors
    /// A malformed port, two ports of one crate.
    pub fn from_files(
        files: impl IntoIterator<Item = (impl Into<String>, Cow<'static, [u8]>)>,
    ) -> Result<Ports> {
        let files: BTreeMap<String, _> = files
            .into_iter()
            .map(|(path, bytes)| (path.into(), bytes))
            .collect();
        let folders = discover::folders_among(files.keys().map(String::as_str), PORT_FILE);
        let of = |folder: String| PortSource {
            files: files
                .iter()
                .filter_map(|(path, bytes)| {
                    let inner = discover::inside(path, &folder)?;
                    Some((inner.to_string(), bytes.clone()))
                })
                .collect(),
            label: folder,
        };
        Ports::load(folders.into_iter().map(of))
    }

    /// The ports below the folder `root`: each folder with a `port.toml` is one.
    ///
    /// # Errors
    /// A folder that cannot be read, a malformed port, two ports of one crate.
    pub fn from_dir(root: &Path) -> Result<Ports> {
        let sources = discover::folders_with(root, PORT_FILE)?
            .iter()
            .map(|dir| PortSource::from_dir(dir))
            .collect::<Result<Vec<_>>>()?;
        Ports::load(sources.into_iter())
    }

    fn load(sources: impl Iterator<Item = PortSource>) -> Result<Ports> {
        let mut by_crate = BTreeMap::new();
        let mut by_evidence = Vec::new();
        for source in sources {
            let port = Port::load(&source)?;
            if port.evidence().is_some() {
                by_evidence.push(port);
                continue;
            }
            let name = port.krate().to_string();
            let other: Option<Port> = by_crate.insert(name.clone(), port);
            if let Some(other) = other {
                let (one, two) = (other.label(), &source.label);
                return Err(anyhow!("{one} and {two} both port `{name}`").into());
            }
        }
        Ok(Ports {
            by_crate,
            by_evidence,
        })
    }

    /// The same, with a facade for further crates, whatever their version. A crate
    /// that has a port keeps it. `asked_by` says in errors and notices who wants it.
    ///
    /// # Errors
    /// A name that no crate can have.
    pub fn with_facade(mut self, facade: &str, crates: &[String], asked_by: &str) -> Result<Ports> {
        for krate in crates {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if krate.is_empty() || !krate.chars().all(plain) {
                return Err(anyhow!("{asked_by} names no crate: `{krate}`").into());
            }
            if self.by_crate.contains_key(krate) {
                continue;
            }
            let text = |text: &str| toml::Value::from(text).to_string();
            let rules = format!(
                "[port]\ncrate = {}\nversions = [\">=0.0.0\"]\nwhy = {}\n\
                 [[rule]]\nname = \"facade\"\nkind = \"facade\"\nfacade = {}\nwhy = {}\n",
                text(krate),
                text(&format!("{asked_by} names it.")),
                text(facade),
                text(&format!("What `{facade}` lacks on the target works.")),
            );
            let source = PortSource {
                label: format!("{asked_by} ({krate})"),
                files: BTreeMap::from([(PORT_FILE.to_owned(), Cow::Owned(rules.into_bytes()))]),
            };
            let mut port = Port::load(&source)?;
            port.made_by_name = true;
            self.by_crate.insert(krate.clone(), port);
        }
        Ok(self)
    }

    /// Has a port by evidence cover one release of a crate. A port that is nothing but a
    /// facade for all of its releases goes with it.
    ///
    /// # Errors
    /// As [`Port::for_release`].
    pub fn take(&mut self, by_evidence: &Port, krate: &str, version: &Version) -> Result<()> {
        let other = self.by_crate.get_mut(krate);
        match other.filter(|other| other.evidence().is_some()) {
            Some(port) => port.add_release(version),
            None => {
                let also = self.by_crate.get(krate);
                let port = by_evidence.for_release(krate, version, also)?;
                self.by_crate.insert(krate.to_owned(), port);
            }
        }
        Ok(())
    }

    /// Whether a release of a crate may be taken by evidence: it has no port, or one that
    /// was made by name only, without a look at the crate.
    pub fn is_free(&self, krate: &str) -> bool {
        let port = self.by_crate.get(krate);
        port.is_none_or(|port| port.evidence().is_some() || port.made_by_name)
    }

    /// The ports that name no crate, sorted by folder.
    pub fn by_evidence(&self) -> impl Iterator<Item = &Port> {
        self.by_evidence.iter()
    }

    /// The port of an upstream crate.
    pub fn get(&self, crate_name: &str) -> Option<&Port> {
        self.by_crate.get(crate_name)
    }

    /// All ports, sorted by crate name.
    pub fn iter(&self) -> impl Iterator<Item = &Port> {
        self.by_crate.values()
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::*;

    fn port_of(krate: &str) -> Cow<'static, [u8]> {
        let head = format!("[port]\ncrate = '{krate}'\nversions = ['1.2']\nwhy = 'w'\n");
        Cow::Owned(head.into_bytes())
    }

    #[test]
    fn every_folder_with_rules_is_a_port() {
        let ports = Ports::from_files([
            ("a/port.toml", port_of("one")),
            ("deep/er/port.toml", port_of("two")),
            ("a/overlay/x.rs", Cow::Borrowed(&b"x"[..])),
            ("support/std/Cargo.toml", Cow::Borrowed(&b""[..])),
            ("LICENSE", Cow::Borrowed(&b""[..])),
        ])
        .unwrap();
        let names: Vec<&str> = ports.iter().map(Port::krate).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(ports.get("one").unwrap().label(), "a");
        assert!(
            ports
                .get("one")
                .unwrap()
                .source
                .file("overlay/x.rs")
                .is_ok()
        );
    }

    #[test]
    fn two_ports_of_one_crate_are_refused() {
        let files = [("a/port.toml", port_of("x")), ("b/port.toml", port_of("x"))];
        let error = Ports::from_files(files).unwrap_err().to_string();
        assert_eq!(error, "a and b both port `x`");
    }

    #[test]
    fn a_facade_can_be_asked_for_by_name() {
        let ports = Ports::from_files([("x/port.toml", port_of("ported"))]).unwrap();
        let names = ["postgres-thing".to_owned(), "ported".to_owned()];
        let ports = ports.with_facade("std", &names, "the setting").unwrap();
        let port = ports.get("postgres-thing").unwrap();
        for version in ["0.3.1", "7.0.0", "0.26.0-alpha.1"] {
            assert!(
                port.supports(&version.parse::<Version>().unwrap()),
                "{version}"
            );
        }
        assert_eq!(port.file.rules.len(), 1);
        assert_eq!(ports.get("ported").unwrap().file.rules.len(), 0);
        let refused = ports.with_facade("std", &["a b".to_owned()], "the setting");
        let error = refused.unwrap_err().to_string();
        assert_eq!(error, "the setting names no crate: `a b`");
    }
}
